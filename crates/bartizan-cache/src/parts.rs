//! Parts of a representation: which ones are kept, how they become one, and what is asked for when the end is missing (RFC 9111 sections 3.3
//! and 3.4, RFC 9110 section 15.3.7). Pure.
//!
//! Only a strong entity tag tells that two of them are of the same representation.

mod joined;
mod rest;
#[cfg(test)]
mod tests;

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

pub(crate) use self::joined::{Joined, joined};
pub(crate) use self::rest::{Rest, is_no_answer};
use crate::etag::EntityTag;
use crate::range::{ContentRange, decimal, sums_of_the_content};
use crate::singleton;

/// What a 206 has, if it is one part of so many bytes as it says. Several are none that this cache understands.
pub(crate) fn content(headers: &HeaderMap) -> Option<ContentRange> {
    const SEVERAL: &[u8] = b"multipart/byteranges";
    let content = ContentRange::of(headers)?;
    let are_several = headers.get_all(CONTENT_TYPE).iter().any(|value| {
        let value = value.as_bytes().trim_ascii_start();
        value.get(..SEVERAL.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(SEVERAL))
    });
    let is_so_long = !headers.contains_key(CONTENT_LENGTH)
        || singleton::value(headers, CONTENT_LENGTH).and_then(decimal) == Some(content.bytes.len());
    (!are_several && is_so_long).then_some(content)
}

/// Makes it the head of what has these bytes: of a 200, if they are all.
pub(crate) fn say(headers: &mut HeaderMap, content: &ContentRange) -> StatusCode {
    for name in sums_of_the_content() {
        headers.remove(name);
    }
    headers.insert(CONTENT_LENGTH, HeaderValue::from(content.bytes.len()));
    if content.is_whole() {
        headers.remove(CONTENT_RANGE);
        return StatusCode::OK;
    }
    headers.insert(CONTENT_RANGE, content.value());
    StatusCode::PARTIAL_CONTENT
}

/// Whether both are of one representation (RFC 9110 section 8.8.1).
pub(crate) fn share_a_strong_tag(one: &HeaderMap, other: &HeaderMap) -> bool {
    EntityTag::of(one).zip(EntityTag::of(other)).is_some_and(|(one, other)| one.matches_strongly(other))
}
