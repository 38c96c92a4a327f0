//! What became of a body.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

/// Tells how often a body was polled, whether it came to its end, and whether it was dropped.
#[derive(Clone, Debug, Default)]
pub struct Probe(Arc<State>);

#[derive(Debug, Default)]
struct State {
    polls: AtomicUsize,
    late_polls: AtomicUsize,
    ended: AtomicBool,
    dropped: AtomicBool,
}

impl Probe {
    /// All polls, also those that were pending or late.
    pub fn polls(&self) -> usize {
        self.0.polls.load(Relaxed)
    }

    /// Polls after the end or an error.
    pub fn late_polls(&self) -> usize {
        self.0.late_polls.load(Relaxed)
    }

    /// Whether the end, or an error, was returned.
    pub fn end_was_returned(&self) -> bool {
        self.0.ended.load(Relaxed)
    }

    /// Whether the body is gone.
    pub fn is_dropped(&self) -> bool {
        self.0.dropped.load(Relaxed)
    }

    pub(super) fn count_poll(&self) {
        self.0.polls.fetch_add(1, Relaxed);
    }

    pub(super) fn count_late_poll(&self) {
        self.0.late_polls.fetch_add(1, Relaxed);
    }

    pub(super) fn set_ended(&self) {
        self.0.ended.store(true, Relaxed);
    }
}

/// Sets the probe's flag when dropped. A type of its own, so that a body can still be taken apart.
#[derive(Debug, Default)]
pub(super) struct DropGuard(Probe);

impl DropGuard {
    pub(super) fn probe(&self) -> &Probe {
        &self.0
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.0.0.dropped.store(true, Relaxed);
    }
}
