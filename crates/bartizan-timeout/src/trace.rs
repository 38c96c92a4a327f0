//! Events through `tracing`, if the feature is on.

use crate::TimedOut;

#[cfg(feature = "tracing")]
pub(crate) fn timed_out(event: TimedOut<'_>) {
    match event {
        TimedOut::Attempt(error) => {
            tracing::debug!(host = error.host(), elapsed = ?error.elapsed(), limit = ?error.limit(), "attempt timed out");
        }
        TimedOut::Deadline(error) => {
            tracing::debug!(
                host = error.host(),
                elapsed = ?error.elapsed(),
                total = ?error.total(),
                sent = error.was_sent(),
                "deadline exceeded"
            );
        }
    }
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn timed_out(_: TimedOut<'_>) {}
