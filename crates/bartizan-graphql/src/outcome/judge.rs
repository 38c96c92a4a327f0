//! What an answer means, by its media type, its status and its body.

use std::collections::BTreeMap;
use std::time::SystemTime;

use bartizan_core::{Head, Outcome, RetryHint, has_media_type, retry_after};
use http::header::CONTENT_ENCODING;
use http::{Extensions, HeaderMap, StatusCode};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::wait;
use crate::answer::Members;
use crate::{Codes, GraphqlError, Kind};

/// Whether the body is worth reading: it speaks for the GraphQL server, and its bytes are JSON as they are.
pub(super) fn is_readable(status: StatusCode, headers: &HeaderMap) -> bool {
    // GraphQL over HTTP, "application/json": any other status may be from somebody on the way.
    let is_trusted = has_media_type(headers, "application/graphql-response+json")
        || status == StatusCode::OK && has_media_type(headers, "application/json");
    is_trusted && headers.get(CONTENT_ENCODING).is_none_or(|coding| coding == "identity")
}

/// What is put into the extensions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Marks {
    /// `None` where the status says it.
    pub(super) outcome: Option<Outcome>,
    pub(super) hint: Option<RetryHint>,
}

impl Marks {
    /// The answer broke off, or is no JSON: the server, or the way to it, failed.
    pub(super) const BROKEN: Self = Self { outcome: Some(Outcome::Failure), hint: None };
    const NONE: Self = Self { outcome: None, hint: None };

    pub(super) fn leave_in(self, extensions: &mut Extensions) {
        if let Some(outcome) = self.outcome {
            extensions.insert(outcome);
        }
        if let Some(hint) = self.hint {
            extensions.insert(hint);
        }
    }
}

/// Judges an answer whose whole body is there.
pub(super) fn judge(codes: &Codes, head: &Head<'_>, body: &[u8], now: impl FnOnce() -> SystemTime) -> Marks {
    let members = match Members::read(body) {
        Ok(members) => members,
        // JSON of another kind: what it means is not ours to say.
        Err(error) if error.is_data() => return Marks::NONE,
        Err(_) => return Marks::BROKEN,
    };
    let errors = members.errors.as_deref().unwrap_or_default();
    let holds = || members.data.is_some_and(holds_something);
    if errors.is_empty() {
        let tells_more = !head.status.is_success() && holds();
        return Marks { outcome: tells_more.then_some(Outcome::Success), hint: None };
    }
    let kind = errors.iter().filter_map(|error| kind(codes, error)).max_by_key(|kind| weight(*kind));
    let outcome = match kind {
        Some(Kind::Throttled) => Some(Outcome::Throttled),
        _ if holds() => Some(Outcome::Success),
        Some(Kind::Overloaded | Kind::Transient) => Some(Outcome::Failure),
        Some(Kind::Auth | Kind::Invalid | Kind::Domain) => Some(Outcome::Success),
        None => None,
    };
    let hint = (kind == Some(Kind::Throttled)).then(|| hint(codes, head, &members, now)).flatten();
    Marks { outcome, hint }
}

fn kind(codes: &Codes, error: &GraphqlError) -> Option<Kind> {
    codes.kind(error.code()?)
}

/// Of several errors the one that says most about the server decides.
fn weight(kind: Kind) -> u8 {
    match kind {
        Kind::Throttled => 5,
        Kind::Overloaded => 4,
        Kind::Transient => 3,
        Kind::Auth => 2,
        Kind::Invalid => 1,
        Kind::Domain => 0,
    }
}

/// Whether there is a field with something in it: the caller got a part of what he asked for.
fn holds_something(data: &RawValue) -> bool {
    let fields: Option<BTreeMap<String, Option<IgnoredAny>>> =
        serde_json::from_str(data.get()).ok().flatten();
    fields.is_some_and(|fields| fields.iter().any(|(name, value)| value.is_some() && name != "__typename"))
}

fn hint(
    codes: &Codes,
    head: &Head<'_>,
    members: &Members<'_>,
    now: impl FnOnce() -> SystemTime,
) -> Option<RetryHint> {
    let mut errors = members.errors.iter().flatten();
    // Once the execution has begun there is a member `data`, and an error of a field has its path (GraphQL, "Response").
    let unprocessed = members.data.is_none()
        && errors.all(|error| error.path().is_empty() && kind(codes, error) == Some(Kind::Throttled));
    let now = now();
    let retry_in = match retry_after(head.headers, now) {
        // Everybody sees the field.
        Some(_) => None,
        None => {
            let restored = members.extensions.and_then(wait::until_restored);
            restored.or_else(|| wait::until_reset(head.headers, now))
        }
    };
    let says_something = unprocessed || retry_in.is_some();
    says_something.then_some(RetryHint { retry_in, unprocessed })
}
