//! A response as it is kept.

use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::time::Instant;

use crate::fields::Variant;
use crate::range::ContentRange;
use crate::reuse::{Born, Candidate};
use crate::status::CacheStatus;
use crate::storing::Policy;

/// A complete response, or a 206 that is one part of one, and what it says of its reuse.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) policy: Policy,
    pub(crate) born: Born,
    /// Which requests it answers.
    pub(crate) vary: Variant,
    /// By its `Date`, or when it came.
    pub(crate) generated: SystemTime,
    /// The groups that it belongs to.
    pub(crate) groups: Box<[u128]>,
    /// When its request went, in the order of [`Changes`](crate::changes::Changes).
    pub(crate) asked: u64,
    /// When it came, by the wall clock.
    pub(crate) received: SystemTime,
}

impl Stored {
    pub(crate) fn candidate(&self, now: Instant) -> Candidate<'_> {
        Candidate { policy: &self.policy, age: self.born.age(now) }
    }

    /// Which bytes it has, if it is a part.
    pub(crate) fn part(&self) -> Option<ContentRange> {
        if self.status == StatusCode::PARTIAL_CONTENT { ContentRange::of(&self.headers) } else { None }
    }

    pub(crate) fn hit(&self, now: Instant) -> CacheStatus {
        let candidate = self.candidate(now);
        let seconds = |time: std::time::Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let ttl =
            seconds(candidate.lifetime()) - seconds(candidate.age) - seconds(candidate.expired_before());
        CacheStatus::Hit { ttl }
    }

    /// With a memory of its own: what came over a connection may hold on to the buffer that it was read into.
    pub(crate) fn complete(mut self, body: Bytes, trailers: Option<HeaderMap>) -> Self {
        self.headers = owned(&self.headers);
        self.trailers = trailers.as_ref().map(owned);
        self.body = body;
        self
    }

    /// Bytes on the heap.
    pub(crate) fn weight(&self) -> usize {
        // Of a field its place in the map, that in the index, and its value; names that are not standard have their own text.
        let fields = |headers: &HeaderMap| {
            let texts = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD);
            texts.sum::<usize>() + 2 * HEAP
        };
        size_of::<Self>()
            + self.body.len()
            + 2 * HEAP
            + fields(&self.headers)
            + self.trailers.as_ref().map_or(0, fields)
            + self.vary.weight()
            + size_of_val(&*self.groups)
    }
}

/// What a field takes in a [`HeaderMap`] beside its text.
const FIELD: usize = 128;
/// What an allocation takes beside what is in it: counters of owners.
const HEAP: usize = 32;

/// The same fields, of which the values are in one piece.
fn owned(headers: &HeaderMap) -> HeaderMap {
    let length = headers.values().map(HeaderValue::len).sum();
    let mut values = BytesMut::with_capacity(length);
    headers.values().for_each(|value| values.extend_from_slice(value.as_bytes()));
    let mut values = values.freeze();
    let mut owned = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let mut copy =
            HeaderValue::from_maybe_shared(values.split_to(value.len())).expect("it was a value before");
        copy.set_sensitive(value.is_sensitive());
        owned.append(name, copy);
    }
    // A clone has no room to spare.
    owned.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_kept_as_they_are_and_hold_on_to_nothing_else() {
        let buffer = Bytes::from(vec![b'a'; 64 * 1024]);
        let mut headers = HeaderMap::new();
        for (name, range) in [("x-a", 0..3), ("set-cookie", 3..4), ("x-a", 7..9), ("x-none", 0..0)] {
            let value = HeaderValue::from_maybe_shared(buffer.slice(range)).unwrap();
            headers.append(name, value);
        }
        headers.append("x-a", HeaderValue::from_bytes(b"\xff").unwrap());
        headers.get_mut("set-cookie").unwrap().set_sensitive(true);
        let kept = owned(&headers);
        assert_eq!(kept, headers);
        let lines = |headers: &HeaderMap| {
            headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>()
        };
        assert_eq!(lines(&kept), lines(&headers));
        assert!(kept["set-cookie"].is_sensitive());
        drop(headers);
        assert!(buffer.is_unique(), "nobody holds on to the buffer");
    }
}
