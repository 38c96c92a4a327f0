//! Events through `tracing`, if the feature is on.

#[cfg(feature = "tracing")]
use bartizan_core::Utc;

use super::Notice;

#[cfg(feature = "tracing")]
pub(super) fn deprecated(notice: &Notice<'_>) {
    let deprecated = notice.deprecated;
    tracing::warn!(
        target: "bartizan_client::version",
        method = %notice.method,
        host = notice.host,
        path = notice.path,
        since = deprecated.since().map(|date| tracing::field::display(Utc(date))),
        sunset = deprecated.sunset().map(|date| tracing::field::display(Utc(date))),
        // Outside text, so escaped.
        successor = deprecated.successor().map(tracing::field::debug),
        see = deprecated.deprecation_link().or(deprecated.sunset_link()).map(tracing::field::debug),
        "endpoint is announced to end"
    );
    if notice.is_last {
        tracing::warn!(
            target: "bartizan_client::version",
            "no further endpoints are reported; give requests a `PathTemplate` if there are not that many"
        );
    }
}

#[cfg(not(feature = "tracing"))]
pub(super) fn deprecated(_: &Notice<'_>) {}

#[cfg(test)]
#[cfg(feature = "tracing")]
mod tests;
