//! Events through `tracing`, if the feature is on.

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

/// Prints a date as `2023-06-30T23:59:59Z`.
#[cfg(feature = "tracing")]
struct Utc(std::time::SystemTime);

#[cfg(feature = "tracing")]
impl std::fmt::Display for Utc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = match self.0.duration_since(std::time::SystemTime::UNIX_EPOCH) {
            Ok(after) => i128::from(after.as_secs()),
            Err(before) => -i128::from(before.duration().as_secs()),
        };
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Years that begin in March end with the leap day; 400 of them have 146,097 days. Counted from 0000-03-01.
        let (era, day) = ((days + 719_468).div_euclid(146_097), (days + 719_468).rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let year = 400 * era + year + i128::from(month > 9);
        let month = if month > 9 { month - 9 } else { month + 3 };
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
#[cfg(feature = "tracing")]
mod tests;
