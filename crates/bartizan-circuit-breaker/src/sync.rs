//! Atomics and the lock, of the standard library or, under `--cfg bartizan_loom`, of loom.

#[cfg(bartizan_loom)]
pub(crate) mod explored;

#[cfg(bartizan_loom)]
pub(crate) use explored::AtomicU64;
#[cfg(bartizan_loom)]
pub(crate) use loom::sync::Mutex;
#[cfg(bartizan_loom)]
pub(crate) use loom::sync::atomic::Ordering;
#[cfg(not(bartizan_loom))]
pub(crate) use std::sync::Mutex;
#[cfg(not(bartizan_loom))]
pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
