//! Events through `tracing`, if the feature is on.

#[cfg(all(feature = "tracing", feature = "inbox"))]
pub(crate) fn volatile() {
    tracing::warn!(target: "bartizan_webhook", "this inbox is volatile: what it acknowledges is lost when the process ends");
}

#[cfg(all(not(feature = "tracing"), feature = "inbox"))]
pub(crate) fn volatile() {}
