//! Events through `tracing`, if the feature is on.

#[cfg(feature = "inbox")]
use crate::receiver::NotKept;
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

#[cfg(all(feature = "tracing", feature = "inbox"))]
pub(crate) fn not_kept(error: &NotKept) {
    let inbox = error.inbox_error().map(|error| bartizan_core::error_line(error));
    tracing::warn!(target: "bartizan_webhook", %error, inbox, "event not kept");
}

#[cfg(all(not(feature = "tracing"), feature = "inbox"))]
pub(crate) fn not_kept(error: &NotKept) {
    let _ = error.inbox_error();
}
