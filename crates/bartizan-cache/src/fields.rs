//! The fields that a cache decides by, read once.
//!
//! Pure reading: no clock, no state, no judgement on what follows from it. Where a field is malformed, or contradicts itself, one rule
//! decides all: *what restricts holds however it is written, what permits only as it is defined*, since a response that is fetched once
//! more harms nobody (RFC 9111 section 4.2.1).

mod delta;
mod directives;
mod groups;
mod members;
mod names;
mod normal;
mod preferences;
mod request;
mod times;
mod vary;

use std::time::SystemTime;

use http::{HeaderMap, HeaderName};

pub(crate) use self::delta::Delta;
pub(crate) use self::directives::Directives;
pub(crate) use self::groups::Groups;
pub(crate) use self::names::Names;
pub(crate) use self::request::{MaxStale, RequestDirectives};
pub(crate) use self::times::{Expires, age, date, last_modified};
pub(crate) use self::vary::{Variant, Vary};
use crate::structured;

/// What a response says about its storing and its freshness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) directives: Directives,
    pub(crate) expires: Expires,
}

impl Policy {
    /// Reads a response's head. Of the fields in `targets` the first that is present, valid and not empty stands for `Cache-Control` and
    /// for `Expires` (RFC 9213 section 2.2).
    pub(crate) fn read(response: &HeaderMap, targets: &[HeaderName], now: SystemTime) -> Self {
        match targets.iter().find_map(|target| structured::directives(response, target)) {
            Some(directives) => Self { directives, expires: Expires::Absent },
            None => Self { directives: Directives::read(response), expires: Expires::read(response, now) },
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
