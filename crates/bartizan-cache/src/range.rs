//! Parts of a stored 200 (RFC 9110 section 14), and whether a 206 is what it says.
//!
//! One range of bytes is answered. For several, and for other units, the whole is the answer, as section 14.2 allows.

#[cfg_attr(not(test), expect(dead_code, reason = "a part is not stored yet"))]
mod content_range;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::time::SystemTime;

use http::header::{
    CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, HeaderName,
    HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE,
};
use http::{HeaderMap, Method};

#[cfg(test)]
pub(crate) use self::content_range::is_complete_206;
use crate::etag::EntityTag;
use crate::singleton;

/// How much of a stored 200 a request gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Portion {
    /// All of it, as a 200.
    Whole,
    /// A 206.
    Part(Part),
    /// A 416, with this `Content-Range`.
    Unsatisfiable(HeaderValue),
}

/// A range that lies inside the body and is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    bytes: Range<usize>,
    length: usize,
    by_if_range: bool,
}

impl Part {
    /// For slicing the body.
    pub(crate) fn bytes(&self) -> Range<usize> {
        self.bytes.clone()
    }

    /// What a 206 says that the stored 200 does not.
    pub(crate) fn fields(&self) -> [(HeaderName, HeaderValue); 2] {
        let Range { start, end } = self.bytes;
        let content_range = field(format!("bytes {start}-{}/{}", end - 1, self.length));
        [(CONTENT_RANGE, content_range), (CONTENT_LENGTH, HeaderValue::from(end - start))]
    }

    /// What the stored 200 says and the 206 need not: a client that sent `If-Range` has it (section 15.3.7).
    pub(crate) fn omitted(&self) -> &'static [HeaderName] {
        const OMITTED: &[HeaderName] = &[CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, LAST_MODIFIED];
        if self.by_if_range { OMITTED } else { &[] }
    }
}

/// Holds `Range` and `If-Range` against a stored 200 with `length` bytes. The conditions come before
/// ([`evaluate`](crate::conditions::evaluate)).
///
/// What is malformed is ignored, and so is a range of an empty body.
pub(crate) fn portion(
    method: &Method,
    request: &HeaderMap,
    stored: &HeaderMap,
    length: usize,
    now: SystemTime,
) -> Portion {
    if method != Method::GET || length == 0 {
        return Portion::Whole;
    }
    let Some(spec) = singleton::value(request, RANGE).and_then(single_spec) else { return Portion::Whole };
    let by_if_range = request.contains_key(IF_RANGE);
    if by_if_range && !unchanged(request, stored, now) {
        return Portion::Whole;
    }
    let bytes = spec.within(length);
    if bytes.is_empty() {
        return Portion::Unsatisfiable(field(format!("bytes */{length}")));
    }
    Portion::Part(Part { bytes, length, by_if_range })
}

/// One byte range as it was asked for.
#[derive(Clone, Copy)]
enum Spec {
    /// `first-` or `first-last`, inclusive.
    From(usize, Option<usize>),
    /// `-length`.
    Suffix(usize),
}

impl Spec {
    fn within(self, length: usize) -> Range<usize> {
        match self {
            Self::From(first, last) => first..last.map_or(length, |last| last.saturating_add(1).min(length)),
            Self::Suffix(suffix) => length.saturating_sub(suffix)..length,
        }
    }
}

fn single_spec(range: &[u8]) -> Option<Spec> {
    let (unit, set) = split_once(range, b'=')?;
    if !unit.eq_ignore_ascii_case(b"bytes") {
        return None;
    }
    // A list may have empty members (section 5.6.1).
    let mut specs = set.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|spec| !spec.is_empty());
    let spec = specs.next()?;
    if specs.next().is_some() {
        return None;
    }
    match split_once(spec, b'-')? {
        (b"", suffix) => Some(Spec::Suffix(decimal(suffix)?)),
        (first, b"") => Some(Spec::From(decimal(first)?, None)),
        (first, last) => {
            let (first, last) = (decimal(first)?, decimal(last)?);
            (first <= last).then_some(Spec::From(first, Some(last)))
        }
    }
}

/// Whether `If-Range` names the stored response by a strong validator (section 13.1.5).
fn unchanged(request: &HeaderMap, stored: &HeaderMap, now: SystemTime) -> bool {
    let Some(validator) = singleton::value(request, IF_RANGE) else { return false };
    if let Some(tag) = EntityTag::parse(validator) {
        return EntityTag::of(stored).is_some_and(|its| its.matches_strongly(tag));
    }
    let (Some(last_modified), Some(sent)) =
        (singleton::date(stored, LAST_MODIFIED, now), singleton::date(stored, DATE, now))
    else {
        return false;
    };
    // In the second that it was sent in it may have changed again (section 8.8.2.2).
    last_modified < sent && singleton::date(request, IF_RANGE, now) == Some(last_modified)
}

/// Digits and nothing else. What is too large is the largest there is, which no body reaches.
pub(crate) fn decimal(text: &[u8]) -> Option<usize> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_usize, |sum, byte| {
        byte.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(usize::from(byte - b'0')))
    })
}

fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&byte| byte == separator)?;
    Some((&text[..at], &text[at + 1..]))
}

fn field(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("digits and ASCII signs are a field value")
}
