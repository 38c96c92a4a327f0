use std::ops::Range;

use http::header::{CONTENT_RANGE, HeaderMap, HeaderValue};

use super::{decimal, field, split_once};
use crate::singleton;

/// Which bytes of a representation a message has, as its `Content-Range` says (RFC 9110 section 14.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContentRange {
    /// At least one.
    pub(crate) bytes: Range<usize>,
    /// How long the whole is.
    pub(crate) complete: Option<usize>,
}

impl ContentRange {
    /// `None` if it is invalid, of another unit, or not the only one.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        Self::parse(singleton::value(headers, CONTENT_RANGE)?)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let (unit, range) = split_once(text, b' ')?;
        let (range, complete) = split_once(range, b'/')?;
        let (first, last) = split_once(range, b'-')?;
        let (start, end) = (decimal(first)?, decimal(last)?.checked_add(1)?);
        let complete = if complete == b"*" { None } else { Some(decimal(complete)?) };
        // Such a length is not known, but for being larger.
        let complete = complete.filter(|complete| *complete < usize::MAX);
        let is_valid = start < end && complete.is_none_or(|complete| end <= complete);
        let range = Self { bytes: start..end, complete };
        (unit.eq_ignore_ascii_case(b"bytes") && is_valid).then_some(range)
    }

    pub(crate) fn value(&self) -> HeaderValue {
        let Range { start, end } = self.bytes;
        let last = end - 1;
        field(match self.complete {
            Some(complete) => format!("bytes {start}-{last}/{complete}"),
            None => format!("bytes {start}-{last}/*"),
        })
    }

    /// Whether these are all bytes that there are.
    pub(crate) fn is_whole(&self) -> bool {
        self.complete.is_some_and(|complete| self.bytes == (0..complete))
    }

    pub(crate) fn holds(&self, range: &Range<usize>) -> bool {
        self.bytes.start <= range.start && range.end <= self.bytes.end
    }
}
