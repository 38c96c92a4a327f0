//! What the stack's layers say that they did.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bartizan_cache::{CacheStatus, Event};
use bartizan_circuit_breaker::{CircuitOpen, OnTransition, State, Transition};
use bartizan_core::{Subject, find_source};
use bartizan_retry::{Attempt, Cause, Retrying, Stopped};
use bartizan_timeout::TimedOut;
use http::header::RETRY_AFTER;
use tokio::time::Instant;

/// The hook of all layers of a stack.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    since: Instant,
    counted: Arc<Mutex<Counted>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Requests sent again after a wait that the client chose.
    pub(crate) retries_after_backoff: u64,
    /// Requests sent again after a wait that the server asked for.
    pub(crate) retries_as_asked: u64,
    /// Requests that a circuit refused, and that waited for it.
    pub(crate) waits_for_circuit: u64,
    /// Requests that waited for a token or for the end of a pause, and those that would have waited for too long.
    pub(crate) waits_for_turn: u64,
    pub(crate) refusals_by_limit: u64,
    /// Pauses that the server asked for.
    pub(crate) pauses: u64,
    /// Failures that were not sent again, by reason.
    pub(crate) stops: BTreeMap<&'static str, u64>,
    /// Requests that a circuit refused.
    pub(crate) refusals: u64,
    /// What became of the circuit, and when.
    pub(crate) changes: Vec<(Duration, State, State)>,
    /// Calls that a cache answered from memory with what was fresh, and with what was stale.
    pub(crate) hits: u64,
    pub(crate) stale_hits: u64,
    pub(crate) attempts_timed_out: u64,
    pub(crate) deadlines_exceeded: u64,
}

impl Counts {
    /// Nothing is counted yet, and the time runs from now.
    pub(crate) fn from_now() -> Self {
        Self { since: Instant::now(), counted: Arc::default() }
    }

    pub(crate) fn counted(&self) -> Counted {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    /// When the circuit went from one state to the other.
    pub(crate) fn times(&self, from: State, to: State) -> impl Iterator<Item = Duration> {
        self.changes.iter().filter(move |change| (change.1, change.2) == (from, to)).map(|change| change.0)
    }
}

impl bartizan_retry::Hook for Counts {
    fn retrying(&self, event: &Retrying<'_>) {
        let asked = event.attempt.result().is_ok_and(|head| head.headers.contains_key(RETRY_AFTER));
        let mut counted = self.lock();
        counted.refusals += u64::from(is_refused(&event.attempt));
        if event.cause == Cause::Refused {
            counted.waits_for_circuit += u64::from(is_refused(&event.attempt));
        } else if asked {
            counted.retries_as_asked += 1;
        } else {
            counted.retries_after_backoff += 1;
        }
    }

    fn stopped(&self, event: &Stopped<'_>) {
        let mut counted = self.lock();
        counted.refusals += u64::from(is_refused(&event.attempt));
        *counted.stops.entry(event.why.as_str()).or_default() += 1;
    }
}

fn is_refused(attempt: &Attempt<'_>) -> bool {
    attempt.result().is_err_and(|error| find_source::<CircuitOpen>(error).is_some())
}

impl OnTransition for Counts {
    fn transition(&self, _: &Subject, transition: &Transition) {
        self.lock().changes.push((self.since.elapsed(), transition.from, transition.to));
    }
}

impl bartizan_rate_limit::Hook for Counts {
    fn event(&self, event: &bartizan_rate_limit::Event<'_>) {
        use bartizan_rate_limit::Event::{Paused, Refused, Waited};
        let mut counted = self.lock();
        match event {
            Paused { .. } => counted.pauses += 1,
            Waited(_) => counted.waits_for_turn += 1,
            Refused(_) => counted.refusals_by_limit += 1,
            _ => {}
        }
    }
}

impl bartizan_cache::Hook for Counts {
    fn event(&self, event: &Event<'_>) {
        if let Event::Answered { status: CacheStatus::Hit { ttl, .. }, .. } = event {
            let mut counted = self.lock();
            *if *ttl > 0 { &mut counted.hits } else { &mut counted.stale_hits } += 1;
        }
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
