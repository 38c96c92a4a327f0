//! How it stands with a quota, in the fields of an answer (draft-ietf-httpapi-ratelimit-headers).

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::Standing;

static RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Adds to what others may have said of their quotas.
pub(crate) fn write(standing: &Standing, headers: &mut HeaderMap) {
    let Standing { quota, remaining, next } = standing;
    let window = seconds(quota.period());
    append(headers, &RATELIMIT_POLICY, &format!("\"default\";q={};w={window}", quota.tokens()));
    append(
        headers,
        &RATELIMIT,
        &match next {
            Some(next) => format!("\"default\";r={remaining};t={}", seconds(*next)),
            None => format!("\"default\";r={remaining}"),
        },
    );
}

fn append(headers: &mut HeaderMap, name: &HeaderName, value: &str) {
    let value = HeaderValue::from_str(value).expect("digits, letters and signs");
    headers.append(name, value);
}

/// Rounded up: who comes back on the second must not come too early. At least one, since a window has no less.
fn seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up_and_one_at_least() {
        for (millis, told) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (2000, 2)] {
            assert_eq!(seconds(Duration::from_millis(millis)), told, "{millis}");
        }
        assert_eq!(seconds(Duration::MAX), u64::MAX);
    }
}
