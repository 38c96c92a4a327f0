//! A time as a header field says it: whole milliseconds.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Rounded down, so that nobody is promised more than there is, and at least 1, since 0 would say that it is over.
pub(crate) fn value(time: Duration) -> HeaderValue {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    HeaderValue::from(millis.max(1))
}

/// What the field says; `None` if it is not there once, or is anything but digits. Numbers beyond what fits saturate.
pub(crate) fn read(headers: &HeaderMap, name: &HeaderName) -> Option<Duration> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let digits = value.as_bytes().trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let millis = digits
        .iter()
        .fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    Some(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: HeaderName = HeaderName::from_static("x-time-left-ms");

    fn said(values: &[&'static str]) -> Option<u128> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(NAME, HeaderValue::from_static(value));
        }
        read(&headers, &NAME).map(|time| time.as_millis())
    }

    #[test]
    fn whole_milliseconds_rounded_down_and_at_least_one() {
        let nanos = Duration::from_nanos;
        for (time, text) in [
            (nanos(1_999_999), "1"),
            (nanos(2_000_000), "2"),
            (nanos(999_999), "1"),
            (Duration::ZERO, "1"),
            (Duration::from_secs(10), "10000"),
            (Duration::MAX, "18446744073709551615"),
        ] {
            assert_eq!(value(time), text, "{time:?}");
        }
    }

    #[test]
    fn digits_are_read_and_huge_numbers_saturate() {
        assert_eq!(said(&["1500"]), Some(1500));
        assert_eq!(said(&[" 007 "]), Some(7));
        assert_eq!(said(&["0"]), Some(0));
        assert_eq!(said(&["18446744073709551616"]), Some(u64::MAX.into()));
        assert_eq!(said(&["99999999999999999999999999999999"]), Some(u64::MAX.into()));
    }

    #[test]
    fn what_is_malformed_is_ignored() {
        for bad in ["", " ", "-1", "+1", "1.5", "1e3", "1s", "0x10", "1 2", "1,2", "soon", "\u{661}"] {
            let mut headers = HeaderMap::new();
            headers.insert(NAME, HeaderValue::from_bytes(bad.as_bytes()).unwrap());
            assert_eq!(read(&headers, &NAME), None, "{bad}");
        }
        assert_eq!(said(&[]), None);
        assert_eq!(said(&["1", "1"]), None, "said twice");
    }

    #[test]
    fn what_is_written_is_read_back() {
        for millis in [1, 2, 999, 1000, 12_345, u64::MAX] {
            let headers = HeaderMap::from_iter([(NAME, value(Duration::from_millis(millis)))]);
            assert_eq!(read(&headers, &NAME), Some(Duration::from_millis(millis)));
        }
    }
}
