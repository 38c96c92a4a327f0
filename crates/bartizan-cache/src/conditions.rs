//! What a request's conditions make of a stored response (RFC 9110 section 13, RFC 9111 section 4.3.2), and the
//! conditions by which the cache validates what it has ([`Validators`], RFC 9111 section 4.3.1).
//!
//! `If-Range` is with [`range`](crate::range).

mod not_modified;
#[cfg(test)]
mod tests;
mod validators;

use std::time::SystemTime;

use http::header::{DATE, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED};
use http::{HeaderMap, Method, StatusCode};

pub(crate) use self::not_modified::not_modified;
pub(crate) use self::validators::Validators;
use crate::etag::{self, EntityTag};
use crate::singleton;

/// What becomes of a request with conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The client has it already: a 304, with the fields of [`not_modified()`].
    Unmodified,
    /// The stored response is the answer, or a part of it.
    Continue,
    /// Only the origin can say. The request goes there as it is, since a cache evaluates none of its conditions.
    Forward,
}

/// A stored response that may be reused for the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) received: SystemTime,
}

/// Holds the conditions of `request` against what is stored.
///
/// A status that is no success stands whatever the conditions are (RFC 9110 section 13.2.1). `If-Match` and
/// `If-Unmodified-Since` are for the origin, and a client that sends them wants to hear of a mismatch.
pub(crate) fn evaluate(method: &Method, request: &HeaderMap, stored: Stored<'_>, now: SystemTime) -> Verdict {
    if method != Method::GET && method != Method::HEAD {
        return Verdict::Forward;
    }
    if !stored.status.is_success() {
        return Verdict::Continue;
    }
    // An invalid date is ignored by the origin too (section 13.1.4).
    if request.contains_key(IF_MATCH) || singleton::date(request, IF_UNMODIFIED_SINCE, now).is_some() {
        return Verdict::Forward;
    }
    let unmodified = if request.contains_key(IF_NONE_MATCH) {
        one_matches(request, stored.headers)
    } else {
        singleton::date(request, IF_MODIFIED_SINCE, now).is_some_and(|since| modified(stored, now) <= since)
    };
    if unmodified { Verdict::Unmodified } else { Verdict::Continue }
}

/// Whether `If-None-Match` names the stored response. An asterisk counts only alone (section 13.1.2).
fn one_matches(request: &HeaderMap, stored: &HeaderMap) -> bool {
    singleton::value(request, IF_NONE_MATCH) == Some(b"*")
        || EntityTag::of(stored)
            .is_some_and(|tag| etag::list(request, IF_NONE_MATCH).any(|listed| listed.matches_weakly(tag)))
}

/// When the stored response was modified at the latest (RFC 9111 section 4.3.2).
fn modified(stored: Stored<'_>, now: SystemTime) -> SystemTime {
    singleton::date(stored.headers, LAST_MODIFIED, now)
        .or_else(|| singleton::date(stored.headers, DATE, now))
        .unwrap_or(stored.received)
}
