//! Events through `tracing`, if the feature is on.

use crate::{Retrying, Stopped};

#[cfg(feature = "tracing")]
pub(crate) fn retrying(event: &Retrying<'_>) {
    let (status, error) = result(&event.attempt);
    tracing::debug!(
        target: "bartizan_retry",
        attempt = event.attempt.number(),
        wait = ?event.wait,
        cause = event.cause.as_str(),
        status,
        error,
        "retrying"
    );
}

#[cfg(feature = "tracing")]
pub(crate) fn stopped(event: &Stopped<'_>) {
    let (status, error) = result(&event.attempt);
    tracing::debug!(
        target: "bartizan_retry",
        attempts = event.attempt.number(),
        why = event.why.as_str(),
        status,
        error,
        "not retried"
    );
}

#[cfg(feature = "tracing")]
fn result<'a>(attempt: &crate::Attempt<'a>) -> (Option<u16>, Option<&'a (dyn std::error::Error + 'static)>) {
    match attempt.result() {
        Ok(head) => (Some(head.status.as_u16()), None),
        Err(error) => (None, Some(error)),
    }
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn retrying(_: &Retrying<'_>) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn stopped(_: &Stopped<'_>) {}
