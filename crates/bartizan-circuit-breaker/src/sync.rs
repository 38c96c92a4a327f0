//! Atomics and the lock, of the standard library or, in tests under `--cfg bartizan_loom`, of loom.

#[cfg(all(test, bartizan_loom))]
pub(crate) mod explored;

#[cfg(all(test, bartizan_loom))]
pub(crate) use explored::AtomicU64;
#[cfg(all(test, bartizan_loom))]
pub(crate) use loom::sync::Mutex;
#[cfg(all(test, bartizan_loom))]
pub(crate) use loom::sync::atomic::Ordering;
#[cfg(not(all(test, bartizan_loom)))]
pub(crate) use std::sync::Mutex;
#[cfg(not(all(test, bartizan_loom)))]
pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
