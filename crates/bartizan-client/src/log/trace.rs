//! Lines through `tracing`, if the feature is on.

#[cfg(feature = "tracing")]
use tracing::Level;

use super::{Record, Scope};

/// Whether any line of this scope would be written.
#[cfg(feature = "tracing")]
pub(super) fn is_enabled(scope: Scope) -> bool {
    match scope {
        Scope::Call => tracing::enabled!(target: "bartizan_client::log", Level::WARN),
        Scope::Attempt => tracing::enabled!(target: "bartizan_client::log", Level::DEBUG),
    }
}

#[cfg(feature = "tracing")]
pub(super) fn finished(record: &Record<'_>) {
    use super::Ended;

    // A level is a constant of the place that writes.
    macro_rules! write_line {
        ($level:expr, $attempts:ident) => {
            tracing::event!(
                target: "bartizan_client::log",
                $level,
                method = %record.method,
                host = record.host,
                path = record.path,
                status = record.status.map(|status| status.as_u16()),
                error = record.error_line(),
                took = ?record.took,
                $attempts = record.attempts.map(|attempts| attempts.get()),
                "{} {}",
                record.scope,
                record.ended,
            )
        };
    }
    match (record.scope, record.ended) {
        (Scope::Call, Ended::Ok | Ended::Dropped) => write_line!(Level::INFO, attempts),
        (Scope::Call, Ended::Failed | Ended::Refused) => write_line!(Level::WARN, attempts),
        (Scope::Attempt, _) => write_line!(Level::DEBUG, attempt),
    }
}

#[cfg(not(feature = "tracing"))]
pub(super) fn is_enabled(_: Scope) -> bool {
    false
}

#[cfg(not(feature = "tracing"))]
pub(super) fn finished(_: &Record<'_>) {}

#[cfg(test)]
#[cfg(feature = "tracing")]
mod tests;
