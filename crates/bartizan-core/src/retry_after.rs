use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use crate::http_date;

/// How long the sender of `headers` asks to wait (`Retry-After`, RFC 9110 section 10.2.3).
///
/// Seconds or a date. A date is measured against the answer's own `Date`, so that clocks need not agree; without a valid
/// one, against `now`. A date that has passed is zero. More seconds than 2^32 - 1 are read as that many. What is malformed
/// is ignored, and of several fields the first counts.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use bartizan_core::retry_after;
/// use http::{HeaderMap, HeaderValue, header::RETRY_AFTER};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(RETRY_AFTER, HeaderValue::from_static("120"));
/// assert_eq!(retry_after(&headers, SystemTime::UNIX_EPOCH), Some(Duration::from_secs(120)));
/// ```
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.as_bytes().trim_ascii();
    if !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
        let seconds = value
            .iter()
            .fold(0_u32, |sum, digit| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0')));
        return Some(Duration::from_secs(seconds.into()));
    }
    let until = http_date(value, now)?;
    let from = headers.get(DATE).and_then(|date| http_date(date.as_bytes(), now)).unwrap_or(now);
    Some(until.duration_since(from).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(fields: &[(http::HeaderName, &str)]) -> Option<f64> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        // 1994-11-06T08:50:00Z
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_800);
        retry_after(&headers, now).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn seconds() {
        for (value, expected) in [
            ("0", Some(0.0)),
            ("7", Some(7.0)),
            (" 7 ", Some(7.0)),
            ("007", Some(7.0)),
            ("99999999999999999999999999", Some(u32::MAX.into())),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("1e3", None),
            ("soon", None),
            ("", None),
            ("7, 8", None),
        ] {
            assert_eq!(read(&[(RETRY_AFTER, value)]), expected, "{value:?}");
        }
    }

    #[test]
    fn dates_count_from_the_answers_own_date() {
        let until = (RETRY_AFTER, "Sun, 06 Nov 1994 08:51:00 GMT");
        assert_eq!(read(std::slice::from_ref(&until)), Some(60.0));
        // The server's clock is an hour behind ours; it meant half a minute.
        let skewed = (RETRY_AFTER, "Sun, 06 Nov 1994 07:50:30 GMT");
        assert_eq!(read(&[skewed.clone(), (DATE, "Sun, 06 Nov 1994 07:50:00 GMT")]), Some(30.0));
        assert_eq!(read(&[skewed]), Some(0.0));
        assert_eq!(read(&[until, (DATE, "yesterday")]), Some(60.0));
    }

    #[test]
    fn the_first_of_several_counts() {
        assert_eq!(read(&[(RETRY_AFTER, "3"), (RETRY_AFTER, "9")]), Some(3.0));
        assert_eq!(read(&[]), None);
    }
}
