//! Events through `tracing`, if the feature is on.

use crate::Event;

#[cfg(feature = "tracing")]
pub(crate) fn event(event: &Event<'_>) {
    match event {
        Event::Refused(limited) => {
            tracing::debug!(
                target: "bartizan_rate_limit",
                limit = %limited.subject(),
                why = limited.reason().as_str(),
                retry_in = ?limited.retry_in(),
                "call refused"
            );
        }
        Event::BulkheadFull(full) => {
            tracing::debug!(
                target: "bartizan_rate_limit",
                bulkhead = %full.subject(),
                why = full.reason().as_str(),
                "call refused"
            );
        }
        Event::Waited(time) => tracing::trace!(target: "bartizan_rate_limit", ?time, "call has waited"),
        Event::Paused { subject, lasts } => {
            tracing::warn!(target: "bartizan_rate_limit", limit = %subject, ?lasts, "server asks for a pause");
        }
    }
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn event(_: &Event<'_>) {}
