use bartizan_rate_limit::{Event, Hook};
use metrics::{counter, histogram};

use crate::metrics::{Metrics, name};

impl Hook for Metrics {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Refused(limited) => {
                let limit = self.0.limits.label(&limited.subject().to_string());
                let why = limited.reason().as_str();
                counter!(name::LIMIT_REFUSALS, "limit" => limit, "why" => why).increment(1);
            }
            Event::BulkheadFull(full) => {
                let bulkhead = self.0.bulkheads.label(&full.subject().to_string());
                let why = full.reason().as_str();
                counter!(name::BULKHEAD_REFUSALS, "bulkhead" => bulkhead, "why" => why).increment(1);
            }
            Event::Waited(wait) => histogram!(name::LIMIT_WAIT).record(*wait),
            Event::Paused { subject, .. } => {
                let limit = self.0.limits.label(&subject.to_string());
                counter!(name::LIMIT_PAUSES, "limit" => limit).increment(1);
            }
            _ => {}
        }
    }
}
