use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue};

use super::message::began;

/// A date that is read is read again as it was meant, and two digits are never of a far future.
pub fn http_date(data: &[u8]) {
    const YEAR: Duration = Duration::from_secs(31_556_952);
    let Some(date) = bartizan_core::http_date(data, began()) else { return };
    // The other crate writes none before 1970, nor after 9999.
    if date >= SystemTime::UNIX_EPOCH && date < SystemTime::UNIX_EPOCH + 8_000 * YEAR {
        let written = httpdate::fmt_http_date(date);
        assert_eq!(bartizan_core::http_date(written.as_bytes(), began()), Some(date), "{written}");
    }
    if data.windows(2).any(|two| two == b"y,") {
        assert!(date <= began() + 51 * YEAR, "{date:?}");
    }
}

/// The first line is `Retry-After`, the second `Date`.
pub fn retry_after(data: &[u8]) {
    let mut lines = data.splitn(2, |&byte| byte == b'\n');
    let mut headers = HeaderMap::new();
    for name in ["retry-after", "date"] {
        if let Some(value) = lines.next().and_then(|line| HeaderValue::from_bytes(line).ok()) {
            headers.insert(name, value);
        }
    }
    let wait = bartizan_core::retry_after(&headers, began());
    let Some(value) = headers.get("retry-after") else { return assert_eq!(wait, None) };
    let value = value.as_bytes().trim_ascii();
    if !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
        let seconds = std::str::from_utf8(value).expect("digits").parse::<u32>().unwrap_or(u32::MAX);
        assert_eq!(wait, Some(Duration::from_secs(seconds.into())));
    } else {
        assert_eq!(wait.is_some(), bartizan_core::http_date(value, began()).is_some());
    }
}
