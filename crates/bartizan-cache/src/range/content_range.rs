use http::HeaderMap;
use http::header::CONTENT_RANGE;

use super::{decimal, split_once};
use crate::singleton;

/// Whether the body of a 206 is as long as the one range that its `Content-Range` says it is (RFC 9110 section 14.4).
/// Several parts, and other units, are none that this cache understands.
pub(crate) fn is_complete_206(headers: &HeaderMap, body_length: usize) -> bool {
    singleton::value(headers, CONTENT_RANGE).and_then(byte_count) == Some(body_length)
}

/// How many bytes a valid `bytes first-last/complete` says there are.
fn byte_count(content_range: &[u8]) -> Option<usize> {
    let (unit, range) = split_once(content_range, b' ')?;
    let (range, complete) = split_once(range, b'/')?;
    let (first, last) = split_once(range, b'-')?;
    let (first, last) = (decimal(first)?, decimal(last)?);
    let inside = complete == b"*" || decimal(complete)? > last;
    (unit.eq_ignore_ascii_case(b"bytes") && inside).then_some(())?;
    last.checked_sub(first)?.checked_add(1)
}
