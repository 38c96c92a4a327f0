//! Events through `tracing`, if the feature is on.

use crate::TimedOut;

#[cfg(feature = "tracing")]
pub(crate) fn timed_out(event: TimedOut<'_>) {
    match event {
        TimedOut::Attempt(error) => {
            tracing::debug!(
                target: "bartizan_timeout",
                host = error.host(),
                elapsed = ?error.elapsed(),
                limit = ?error.limit(),
                "attempt timed out"
            );
        }
        TimedOut::Deadline(error) => {
            tracing::debug!(
                target: "bartizan_timeout",
                host = error.host(),
                elapsed = ?error.elapsed(),
                total = ?error.total(),
                sent = error.was_sent(),
                body_bytes = error.body_bytes(),
                "deadline exceeded"
            );
        }
        TimedOut::BodyStalled(error) => {
            tracing::debug!(
                target: "bartizan_timeout",
                host = error.host(),
                elapsed = ?error.elapsed(),
                limit = ?error.limit(),
                body_bytes = error.bytes(),
                "body stalled"
            );
        }
        TimedOut::BodyTooSlow(error) => {
            tracing::debug!(
                target: "bartizan_timeout",
                host = error.host(),
                elapsed = ?error.elapsed(),
                asked = error.limit().bytes(),
                window_bytes = error.window_bytes(),
                body_bytes = error.bytes(),
                "body too slow"
            );
        }
    }
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn timed_out(_: TimedOut<'_>) {}
