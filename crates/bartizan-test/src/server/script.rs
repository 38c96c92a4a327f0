use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Act, Seen};

/// Decides what happens to each request, once its head is complete.
///
/// Closures are scripts, and so is an [`Act`] (for every request) and a [`Sequence`]. A script that panics ends the
/// connection that asked it.
pub trait Script: Send + Sync + 'static {
    /// The act for this request. Neither `seen.body` nor its trailers have arrived yet.
    fn act(&self, seen: &Seen) -> Act;
}

impl<F> Script for F
where
    F: Fn(&Seen) -> Act + Send + Sync + 'static,
{
    fn act(&self, seen: &Seen) -> Act {
        self(seen)
    }
}

impl Script for Act {
    fn act(&self, _: &Seen) -> Act {
        self.clone()
    }
}

/// A list of acts, one for each request in the order of arrival; the last repeats.
#[derive(Debug)]
pub struct Sequence {
    acts: Vec<Act>,
    next: AtomicUsize,
}

impl Sequence {
    /// These acts in turn.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        let acts: Vec<_> = acts.into_iter().collect();
        assert!(!acts.is_empty(), "a sequence has at least one act");
        Self { acts, next: AtomicUsize::new(0) }
    }
}

impl Script for Sequence {
    fn act(&self, _: &Seen) -> Act {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        self.acts[turn.min(self.acts.len() - 1)].clone()
    }
}
