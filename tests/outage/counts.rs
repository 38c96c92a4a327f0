//! The counts of the example, and beside them the metrics of what they count.

#[path = "../../examples/outage/counts.rs"]
mod plain;

use bartizan_cache::Event;
use bartizan_circuit_breaker::{OnTransition, Transition};
use bartizan_core::Subject;
use bartizan_observe::metrics::Metrics;
use bartizan_retry::{Retrying, Stopped};
use bartizan_timeout::TimedOut;

pub(crate) use plain::Counted;

/// Both hooks of all layers of a stack.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    plain: plain::Counts,
    metrics: Metrics,
}

impl Counts {
    pub(crate) fn from_now() -> Self {
        Self { plain: plain::Counts::from_now(), metrics: Metrics::new() }
    }

    pub(crate) fn counted(&self) -> Counted {
        self.plain.counted()
    }
}

impl bartizan_retry::Hook for Counts {
    fn retrying(&self, event: &Retrying<'_>) {
        self.plain.retrying(event);
        self.metrics.retrying(event);
    }

    fn stopped(&self, event: &Stopped<'_>) {
        self.plain.stopped(event);
        self.metrics.stopped(event);
    }
}

impl OnTransition for Counts {
    fn transition(&self, subject: &Subject, transition: &Transition) {
        self.plain.transition(subject, transition);
        self.metrics.transition(subject, transition);
    }
}

impl bartizan_rate_limit::Hook for Counts {
    fn event(&self, event: &bartizan_rate_limit::Event<'_>) {
        bartizan_rate_limit::Hook::event(&self.plain, event);
        bartizan_rate_limit::Hook::event(&self.metrics, event);
    }
}

impl bartizan_cache::Hook for Counts {
    fn event(&self, event: &Event<'_>) {
        bartizan_cache::Hook::event(&self.plain, event);
        bartizan_cache::Hook::event(&self.metrics, event);
    }
}

impl bartizan_timeout::Hook for Counts {
    fn timed_out(&self, event: TimedOut<'_>) {
        self.plain.timed_out(event);
        self.metrics.timed_out(event);
    }
}
