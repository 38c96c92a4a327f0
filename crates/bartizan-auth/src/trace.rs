//! Events through `tracing`, if the feature is on.

use std::fmt::Display;

use crate::TokenEvent;

#[cfg(feature = "tracing")]
pub(crate) fn refused(error: &dyn Display) {
    tracing::debug!(target: "bartizan_auth", %error, "call refused");
}

#[cfg(feature = "tracing")]
pub(crate) fn token(event: &TokenEvent<'_>) {
    match event {
        TokenEvent::Renewed { lifetime } => {
            tracing::debug!(target: "bartizan_auth", ?lifetime, "token renewed");
        }
        TokenEvent::Failed(error) => tracing::warn!(target: "bartizan_auth", %error, "no token"),
        TokenEvent::Refused => tracing::debug!(target: "bartizan_auth", "token refused"),
        TokenEvent::NotSaved(error) => tracing::warn!(target: "bartizan_auth", %error, "token not saved"),
        TokenEvent::NotLoaded(error) => {
            tracing::warn!(target: "bartizan_auth", %error, "saved token not read");
        }
    }
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn refused(_: &dyn Display) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn token(_: &TokenEvent<'_>) {}
