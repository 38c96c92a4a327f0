//! Parts of what is stored (RFC 9110 section 14): of a 200, and of a 206.
//!
//! One range of bytes is answered. For several, and for other units, the whole is the answer, as section 14.2 allows.

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

pub(crate) use self::content_range::ContentRange;
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

/// Beside what a 206 says otherwise.
static OMITTED: [HeaderName; 6] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_TYPE,
    LAST_MODIFIED,
];

/// They are about what one message has, and not about the representation.
pub(crate) fn sums_of_the_content() -> &'static [HeaderName] {
    &OMITTED[..2]
}

/// A range that lies inside of what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    content: ContentRange,
    by_if_range: bool,
}

impl Part {
    pub(crate) fn new(content: ContentRange, by_if_range: bool) -> Self {
        Self { content, by_if_range }
    }

    /// For slicing the representation.
    pub(crate) fn bytes(&self) -> Range<usize> {
        self.content.bytes.clone()
    }

    /// What a 206 says that what is stored does not.
    pub(crate) fn fields(&self) -> [(HeaderName, HeaderValue); 2] {
        let length = HeaderValue::from(self.content.bytes.len());
        [(CONTENT_RANGE, self.content.value()), (CONTENT_LENGTH, length)]
    }

    /// What is stored says them, and the 206 does not: sums of the whole content (RFC 9530 section 2), and what a client that sent `If-Range` has
    /// (section 15.3.7).
    pub(crate) fn omitted(&self) -> &'static [HeaderName] {
        if self.by_if_range { &OMITTED } else { sums_of_the_content() }
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
    let Some((spec, by_if_range)) = applied(request, stored, now) else { return Portion::Whole };
    let bytes = spec.within(length);
    if bytes.is_empty() {
        return Portion::Unsatisfiable(field(format!("bytes */{length}")));
    }
    Portion::Part(Part { content: ContentRange { bytes, complete: Some(length) }, by_if_range })
}

/// The range of a GET, if all of it lies within the `part` that a stored 206 is (RFC 9111 section 3.3).
pub(crate) fn within(
    request: &HeaderMap,
    stored: &HeaderMap,
    part: &ContentRange,
    now: SystemTime,
) -> Option<Part> {
    let (spec, by_if_range) = applied(request, stored, now)?;
    let bytes = match (part.complete, spec) {
        (Some(complete), _) => spec.within(complete),
        (None, Spec::From(first, Some(last))) => first..last.checked_add(1)?,
        (None, _) => return None,
    };
    let is_within = !bytes.is_empty() && part.holds(&bytes);
    let content = ContentRange { bytes, complete: part.complete };
    is_within.then_some(Part { content, by_if_range })
}

/// What a GET asks for of a representation that is so long: all of it, or the range that would be sent. `None` if that is for the origin to say.
pub(crate) fn wanted(
    request: &HeaderMap,
    stored: &HeaderMap,
    complete: usize,
    now: SystemTime,
) -> Option<Range<usize>> {
    if !request.contains_key(RANGE) {
        return Some(0..complete);
    }
    let (spec, _) = applied(request, stored, now)?;
    Some(spec.within(complete)).filter(|bytes| !bytes.is_empty())
}

/// Whether it asks for one range of bytes.
pub(crate) fn is_single(request: &HeaderMap) -> bool {
    singleton::value(request, RANGE).and_then(single_spec).is_some()
}

/// The range, if the request has one and its `If-Range` lets it, and whether it has one of those.
fn applied(request: &HeaderMap, stored: &HeaderMap, now: SystemTime) -> Option<(Spec, bool)> {
    let spec = single_spec(singleton::value(request, RANGE)?)?;
    let by_if_range = request.contains_key(IF_RANGE);
    (!by_if_range || unchanged(request, stored, now)).then_some((spec, by_if_range))
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
