//! What the stack's layers say that they did.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bartizan_retry::{Retrying, Stopped};
use bartizan_timeout::TimedOut;
use http::header::RETRY_AFTER;

/// The hook of all layers of a stack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts(Arc<Mutex<Counted>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Requests sent again after a wait that the client chose.
    pub(crate) retries_after_backoff: u64,
    /// Requests sent again after a wait that the server asked for.
    pub(crate) retries_as_asked: u64,
    /// Failures that were not sent again, by reason.
    pub(crate) stops: BTreeMap<&'static str, u64>,
    pub(crate) attempts_timed_out: u64,
    pub(crate) deadlines_exceeded: u64,
}

impl Counts {
    pub(crate) fn counted(&self) -> Counted {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl bartizan_retry::Hook for Counts {
    fn retrying(&self, event: &Retrying<'_>) {
        let asked = event.attempt.result().is_ok_and(|head| head.headers.contains_key(RETRY_AFTER));
        let mut counted = self.lock();
        if asked {
            counted.retries_as_asked += 1;
        } else {
            counted.retries_after_backoff += 1;
        }
    }

    fn stopped(&self, event: &Stopped<'_>) {
        *self.lock().stops.entry(event.why.as_str()).or_default() += 1;
    }
}

impl bartizan_timeout::Hook for Counts {
    fn timed_out(&self, event: TimedOut<'_>) {
        match event {
            TimedOut::Attempt(_) => self.lock().attempts_timed_out += 1,
            TimedOut::Deadline(_) => self.lock().deadlines_exceeded += 1,
            _ => {}
        }
    }
}
