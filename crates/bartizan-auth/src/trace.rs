//! Events through `tracing`, if the feature is on.

use std::fmt::Display;

use crate::TokenEvent;

#[cfg(feature = "tracing")]
pub(crate) fn refused(error: &dyn Display) {
    tracing::debug!(%error, "call refused");
}

#[cfg(feature = "tracing")]
pub(crate) fn token(event: &TokenEvent<'_>) {
    match event {
        TokenEvent::Renewed { lifetime } => tracing::debug!(?lifetime, "token renewed"),
        TokenEvent::Failed(error) => tracing::warn!(%error, "no token"),
        TokenEvent::Refused => tracing::debug!("token refused"),
        TokenEvent::NotSaved(error) => tracing::warn!(%error, "token not saved"),
        TokenEvent::NotLoaded(error) => tracing::warn!(%error, "saved token not read"),
    }
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn refused(_: &dyn Display) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn token(_: &TokenEvent<'_>) {}
