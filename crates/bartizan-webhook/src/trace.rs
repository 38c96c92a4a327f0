//! Events through `tracing`, if the feature is on.

use crate::verify::Refused;

#[cfg(feature = "tracing")]
pub(crate) fn refused(error: &Refused) {
    tracing::debug!(target: "bartizan_webhook", %error, reason = error.reason(), "webhook refused");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn refused(_: &Refused) {}

#[cfg(all(feature = "tracing", feature = "inbox"))]
pub(crate) fn volatile() {
    tracing::warn!(target: "bartizan_webhook", "this inbox is volatile: what it acknowledges is lost when the process ends");
}

#[cfg(all(not(feature = "tracing"), feature = "inbox"))]
pub(crate) fn volatile() {}
