//! The test's end of a scripted inner service.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::script::{Answer, Misuse, Readiness, Script, Shared};

/// Scripts an [`Inner`](super::Inner) and tells what has become of it.
///
/// Script and counts belong to the inner and all its clones together.
#[derive(Clone, Debug)]
pub struct Probe(Arc<Shared>);

impl Probe {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Sets how the next instances become ready, one step for each readiness, and `then` for all that follow.
    pub fn script_readiness(&self, steps: impl IntoIterator<Item = Readiness>, then: Readiness) {
        let script = Script { steps: steps.into_iter().collect(), then };
        self.0.lock().readiness = script;
    }

    /// Sets how the next calls end, one step for each call, and `then` for all that follow.
    pub fn script_answers(&self, steps: impl IntoIterator<Item = Answer>, then: Answer) {
        let script = Script { steps: steps.into_iter().collect(), then };
        self.0.lock().answers = script;
    }

    /// Wakes every instance and every call that waits for it; `false` if there was none.
    pub fn release(&self) -> bool {
        self.0.release()
    }

    /// The calls that should not have been made, in order.
    pub fn misuses(&self) -> Vec<Misuse> {
        self.0.lock().misuses.clone()
    }

    /// How often any instance was called.
    pub fn calls(&self) -> usize {
        read(&self.0.calls)
    }

    /// How often any instance was cloned.
    pub fn clones(&self) -> usize {
        read(&self.0.clones)
    }

    /// How often `poll_ready` returned an error.
    pub fn failed_polls(&self) -> usize {
        read(&self.0.failed_polls)
    }

    /// Permits that are taken now: by instances that are ready or about to be, and by futures.
    pub fn permits_held(&self) -> usize {
        self.0.capacity - self.0.semaphore.available_permits()
    }

    /// Futures of calls that are not dropped yet.
    pub fn live_futures(&self) -> usize {
        read(&self.0.live_futures)
    }

    /// Parts of responses that are not dropped yet: each head and each body is one.
    pub fn live_responses(&self) -> usize {
        read(&self.0.live_responses)
    }
}

fn read(counter: &AtomicUsize) -> usize {
    counter.load(Ordering::Relaxed)
}
