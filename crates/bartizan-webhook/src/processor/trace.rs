//! Events through `tracing`, if the feature is on.

use super::Told;

#[cfg(feature = "tracing")]
pub(super) fn told(told: &Told<'_>) {
    use bartizan_core::{Utc, error_line};
    use tracing::field;

    use crate::EventId;
    use crate::inbox::Event;

    // Names come from outside, so they are escaped.
    fn id(event: &Event) -> Option<field::DebugValue<&str>> {
        event.id().map(EventId::as_str).map(field::debug)
    }

    match told {
        Told::Claimed { id: entry, event, attempt } => tracing::trace!(
            target: "bartizan_webhook",
            %entry, source = event.source(), r#type = event.event_type(), event = id(event), attempt,
            "event claimed"
        ),
        Told::HandlerFailed { id: entry, event, handler, failure } => tracing::warn!(
            target: "bartizan_webhook",
            entry = entry.map(field::display),
            source = event.source(), r#type = event.event_type(), event = id(event), handler,
            permanent = failure.is_permanent(),
            error = %failure,
            "handler failed"
        ),
        Told::Unhandled { id: entry, event } => tracing::info!(
            target: "bartizan_webhook",
            %entry, source = event.source(), r#type = event.event_type(), event = id(event),
            "event has no handler"
        ),
        Told::Done { id: entry, event, attempt } => tracing::debug!(
            target: "bartizan_webhook",
            %entry, source = event.source(), r#type = event.event_type(), event = id(event), attempt,
            "event processed"
        ),
        Told::Retried { id: entry, event, attempt, at } => tracing::info!(
            target: "bartizan_webhook",
            %entry, source = event.source(), r#type = event.event_type(), event = id(event), attempt, at = %Utc(*at),
            "event will be tried again"
        ),
        Told::Dead { id: entry, event, attempt, reason } => tracing::error!(
            target: "bartizan_webhook",
            %entry, source = event.source(), r#type = event.event_type(), event = id(event), attempt, reason,
            "event is a dead letter"
        ),
        Told::Released { id: entry, event } => tracing::debug!(
            target: "bartizan_webhook",
            %entry, source = event.source(), r#type = event.event_type(), event = id(event),
            "event given back"
        ),
        Told::LeaseLost { id: entry, event } => tracing::warn!(
            target: "bartizan_webhook",
            %entry, source = event.source(), r#type = event.event_type(), event = id(event),
            "lease of an event lost"
        ),
        Told::InboxFailed { asked, error, again_in } => tracing::warn!(
            target: "bartizan_webhook",
            asked = asked.as_str(), ?again_in, error = error_line(*error),
            "inbox failed"
        ),
    }
}

#[cfg(not(feature = "tracing"))]
pub(super) fn told(_: &Told<'_>) {}
