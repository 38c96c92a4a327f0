use std::ops::Range;
use std::time::SystemTime;

use http::header::{ETAG, HeaderValue, IF_RANGE, RANGE};
use http::{HeaderMap, StatusCode};

use super::{content, share_a_strong_tag};
use crate::etag::EntityTag;
use crate::range::{ContentRange, wanted};

/// The end of what is asked for, of which a stored part is the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    part: Range<usize>,
    wanted: Range<usize>,
    complete: usize,
    tag: HeaderValue,
}

impl Rest {
    /// `None` if a GET does not ask for what `part` begins, or if nobody could tell whether the rest belongs to it.
    pub(crate) fn of(request: &HeaderMap, part: &HeaderMap, now: SystemTime) -> Option<Self> {
        let ContentRange { bytes, complete } = ContentRange::of(part)?;
        let complete = complete?;
        let wanted = wanted(request, part, complete, now)?;
        let is_the_beginning = bytes.contains(&wanted.start) && bytes.end < wanted.end;
        let is_strong = EntityTag::of(part).is_some_and(EntityTag::is_strong);
        if !is_the_beginning || !is_strong {
            return None;
        }
        Some(Self { part: bytes, wanted, complete, tag: part.get(ETAG)?.clone() })
    }

    /// Asks for it, or for the whole if that has changed.
    pub(crate) fn ask(&self, request: &mut HeaderMap) {
        let first = self.part.end;
        let range = if self.wanted.end == self.complete {
            format!("bytes={first}-")
        } else {
            format!("bytes={first}-{}", self.wanted.end - 1)
        };
        let range = HeaderValue::try_from(range).expect("digits and ASCII signs are a field value");
        for (name, value) in [(IF_RANGE, self.tag.clone()), (RANGE, range)] {
            // A map that is full to the brim goes without, and whatever comes then is looked at.
            let _ = request.try_insert(name, value);
        }
    }

    /// Whether a 206 is the rest, all of it and nothing else.
    pub(crate) fn fits(&self, part: &HeaderMap, answer: &HeaderMap) -> bool {
        let expected = ContentRange { bytes: self.part.end..self.wanted.end, complete: Some(self.complete) };
        content(answer) == Some(expected) && share_a_strong_tag(part, answer)
    }

    /// How many bytes it has.
    pub(crate) fn length(&self) -> usize {
        self.wanted.end - self.part.end
    }

    /// Which bytes of the part's body the client gets first.
    pub(crate) fn beginning(&self) -> Range<usize> {
        self.wanted.start - self.part.start..self.part.len()
    }

    /// What the client gets.
    pub(crate) fn wanted(&self) -> ContentRange {
        ContentRange { bytes: self.wanted.clone(), complete: Some(self.complete) }
    }
}

/// Whether an answer to such a question says nothing of what the client asked for.
pub(crate) fn is_no_answer(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::RANGE_NOT_SATISFIABLE
    )
}
