//! Fields that may stand once in a message (RFC 9110 section 5.5).

use std::time::SystemTime;

use bartizan_core::http_date;
use http::HeaderMap;
use http::header::HeaderName;

/// The value of the only line, without the whitespace around it. Several lines are none: nobody knows which was meant.
pub(crate) fn value(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    let mut lines = headers.get_all(name).iter();
    let line = lines.next()?;
    lines.next().is_none().then(|| line.as_bytes().trim_ascii())
}

/// The date in the only line, read strictly.
pub(crate) fn date(headers: &HeaderMap, name: HeaderName, now: SystemTime) -> Option<SystemTime> {
    http_date(value(headers, name)?, now)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;
    use http::header::DATE;

    use super::*;

    #[test]
    fn a_field_that_may_stand_once_is_none_when_it_stands_twice() {
        let mut headers = HeaderMap::new();
        assert_eq!(value(&headers, DATE), None);
        headers.append(DATE, HeaderValue::from_static(" \tSun, 06 Nov 1994 08:49:37 GMT "));
        assert_eq!(value(&headers, DATE), Some(&b"Sun, 06 Nov 1994 08:49:37 GMT"[..]));
        let now = SystemTime::UNIX_EPOCH;
        assert_eq!(date(&headers, DATE, now), Some(now + Duration::from_secs(784_111_777)));
        headers.append(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!((value(&headers, DATE), date(&headers, DATE, now)), (None, None));
    }
}
