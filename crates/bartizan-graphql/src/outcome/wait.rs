//! How long a server that throttles wants to be left alone.

use std::time::{Duration, SystemTime};

use bartizan_core::http_date;
use http::HeaderMap;
use http::header::DATE;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A reset above it is a date in seconds, as the limiter reads it.
const DATES: u64 = 1_000_000_000;
/// And above this in milliseconds.
const MILLISECONDS: u64 = 1_000_000_000_000;

#[derive(Deserialize)]
struct Extensions {
    cost: Cost,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    requested_query_cost: f64,
    throttle_status: ThrottleStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ThrottleStatus {
    currently_available: f64,
    restore_rate: f64,
}

/// Until the points that the query costs are there again, as Shopify's extensions of the answer have them.
pub(super) fn until_restored(extensions: &RawValue) -> Option<Duration> {
    let Extensions { cost } = serde_json::from_str(extensions.get()).ok()?;
    let missing = (cost.requested_query_cost - cost.throttle_status.currently_available).max(0.0);
    // A rate of nothing, or less, restores nothing: that is no number of seconds.
    Duration::try_from_secs_f64(missing / cost.throttle_status.restore_rate).ok()
}

/// Until the window of `X-RateLimit-Remaining: 0` resets, as GitHub has it: a date in seconds; or in milliseconds, or seconds from now, as
/// others have it.
pub(super) fn until_reset(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let (remaining, reset) = (number("x-ratelimit-remaining")?, number("x-ratelimit-reset")?);
    if remaining > 0 {
        return None;
    }
    if reset <= DATES {
        return Some(Duration::from_secs(reset));
    }
    let since_1970 =
        if reset <= MILLISECONDS { Duration::from_secs(reset) } else { Duration::from_millis(reset) };
    // The answer's own date, so that clocks need not agree.
    let now = headers.get(DATE).and_then(|date| http_date(date.as_bytes(), now)).unwrap_or(now);
    let reset = SystemTime::UNIX_EPOCH.checked_add(since_1970)?;
    reset.duration_since(now).ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn restored(requested: &str, available: &str, rate: &str) -> Option<f64> {
        let text = format!(
            r#"{{"cost":{{"requestedQueryCost":{requested},"actualQueryCost":null,"throttleStatus":
            {{"maximumAvailable":1000.0,"currentlyAvailable":{available},"restoreRate":{rate}}}}}}}"#
        );
        let extensions: Box<RawValue> = serde_json::from_str(&text).unwrap();
        until_restored(&extensions).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn what_is_missing_is_restored_at_the_rate() {
        assert_eq!(restored("752", "252", "50.0"), Some(10.0));
        assert_eq!(restored("101.5", "100", "1"), Some(1.5));
        assert_eq!(restored("100", "100", "50"), Some(0.0));
        assert_eq!(restored("100", "400", "50"), Some(0.0));
    }

    #[test]
    fn what_cannot_be_reckoned_is_not_known() {
        for (requested, available, rate) in [
            ("100", "0", "0"),
            ("100", "100", "0"),
            ("100", "0", "-1"),
            ("1e300", "0", "1e-300"),
            ("null", "0", "1"),
            ("\"100\"", "0", "1"),
        ] {
            assert_eq!(restored(requested, available, rate), None, "{requested} {available} {rate}");
        }
    }

    fn reset(fields: &[(&'static str, &'static str)]) -> Option<u64> {
        let fields = fields
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        // 2026-11-24T00:00:00Z
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_478_400);
        until_reset(&fields.collect(), now).map(|wait| wait.as_secs())
    }

    #[test]
    fn an_empty_window_says_when_it_resets() {
        let remaining = ("x-ratelimit-remaining", "0");
        for (value, seconds) in [
            ("1795478460", Some(60)),
            ("1795478460000", Some(60)),
            ("60", Some(60)),
            ("1000000000", Some(1_000_000_000)),
            // Over already.
            ("1795478399", None),
            ("soon", None),
        ] {
            assert_eq!(reset(&[remaining, ("x-ratelimit-reset", value)]), seconds, "{value}");
        }
        let left = ("x-ratelimit-remaining", "1");
        assert_eq!(reset(&[left, ("x-ratelimit-reset", "60")]), None);
        assert_eq!(reset(&[remaining]), None);
        let skewed = ("date", "Tue, 24 Nov 2026 00:00:30 GMT");
        assert_eq!(reset(&[remaining, ("x-ratelimit-reset", "1795478460"), skewed]), Some(30));
    }
}
