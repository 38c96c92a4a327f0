//! Events through `tracing`, if the feature is on.

use crate::Event;

#[cfg(feature = "tracing")]
pub(crate) fn event(event: &Event<'_>) {
    match event {
        Event::Answered { target, status } => {
            tracing::trace!(target: "bartizan_cache", %target, %status, "cache has answered");
        }
        Event::Stored { target, bytes } => {
            tracing::trace!(target: "bartizan_cache", %target, bytes, "response stored");
        }
        Event::NotStored { target, why } => {
            tracing::trace!(target: "bartizan_cache", %target, why = why.as_str(), "response not stored");
        }
        Event::Invalidated { target } => {
            tracing::debug!(target: "bartizan_cache", %target, "stored responses are invalid");
        }
        Event::NotRefreshed { target } => {
            tracing::debug!(target: "bartizan_cache", %target, "fetched in the background in vain");
        }
    }
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn event(_: &Event<'_>) {}
