use bartizan_timeout::{Hook, TimedOut};
use metrics::counter;

use crate::metrics::{Metrics, name};

impl Hook for Metrics {
    fn timed_out(&self, event: TimedOut<'_>) {
        let kind = match event {
            TimedOut::Attempt(_) => "attempt",
            TimedOut::Deadline(_) => "deadline",
            TimedOut::BodyStalled(_) => "body_stalled",
            TimedOut::BodyTooSlow(_) => "body_too_slow",
            _ => "_OTHER",
        };
        counter!(name::TIMEOUTS, "kind" => kind).increment(1);
    }
}
