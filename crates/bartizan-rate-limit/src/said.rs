//! What an answer says about how much more its caller may ask for, and when.
//!
//! Pure reading: no clock, no state. What is malformed is ignored, and what is beyond reason is cut to it, since a field may be wrong by
//! chance or on purpose (draft-ietf-httpapi-ratelimit-headers, "Denial of Service").

mod legacy;
mod windows;

use std::time::{Duration, SystemTime};

use bartizan_core::{Head, Outcome, http_date};
use http::header::DATE;
use http::{HeaderMap, HeaderName};

use self::legacy::Family;
pub(crate) use self::windows::{Window, Windows};
use crate::draft;

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Said {
    /// That nothing is to be sent for a while.
    pub(crate) pause: Option<Pause>,
    /// How much of which quota is left, and until when. They stand beside a pause, which decides where both speak of the same time.
    pub(crate) windows: Windows,
}

/// The time for which nothing is to be sent, counted from the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    /// At most [`Pause::LONGEST`]. Zero where `Retry-After` says so: that is a "now", and wins over every window.
    pub(crate) lasts: Duration,
    pub(crate) why: PauseReason,
}

/// Why nothing is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PauseReason {
    /// `Retry-After`.
    RetryAfter,
    /// A quota is used up, and the answer says when there will be more.
    Exhausted,
    /// Throttled, without a word on for how long.
    Throttled,
}

impl Pause {
    /// Five minutes. Who asks for more is asked again after them.
    pub(crate) const LONGEST: Duration = Duration::from_secs(300);
    /// For an answer that throttles and says nothing else.
    const UNSAID: Duration = Duration::from_secs(1);
}

impl Said {
    const NOTHING: Self = Self { pause: None, windows: Windows::NONE };
}

/// What [`read`] reads, if that is anything. Most answers say nothing, and are looked at no further than at the names of their fields.
pub(crate) fn hear(head: &Head<'_>, outcome: Outcome, now: impl Fn() -> SystemTime) -> Option<Said> {
    let may_pause = matches!(head.status.as_u16(), 403 | 429 | 503) || outcome == Outcome::Throttled;
    let is_quotas = |name: &HeaderName| {
        let name = name.as_str().as_bytes();
        name.starts_with(b"ratelimit") || name.starts_with(b"x-rate")
    };
    if !may_pause && !head.headers.keys().any(is_quotas) {
        return None;
    }
    Some(read(head, outcome, now)).filter(|said| *said != Said::NOTHING)
}

/// Reads the head of an answer, which came at `now` and is taken for `outcome`.
pub(crate) fn read(head: &Head<'_>, outcome: Outcome, now: impl Fn() -> SystemTime) -> Said {
    // A layer of ours answered in the server's place: the server said nothing.
    if outcome == Outcome::Neutral {
        return Said::NOTHING;
    }
    let windows = windows(head.headers, &now);
    Said { pause: pause(head, outcome, &windows, &now), windows }
}

fn pause(
    head: &Head<'_>,
    outcome: Outcome,
    windows: &Windows,
    now: &dyn Fn() -> SystemTime,
) -> Option<Pause> {
    let status = head.status.as_u16();
    // 425 (RFC 8470) asks for the handshake to end first, not for fewer requests.
    let throttled = status == 429 || (outcome == Outcome::Throttled && status != 425);
    // GitHub answers 403 in both of its ways to throttle, and others do after it.
    let may_throttle = throttled || status == 403;
    if !may_throttle && status != 503 {
        return None;
    }
    if let Some(asked) = head.retry_after(now()) {
        return Some(Pause { lasts: asked.min(Pause::LONGEST), why: PauseReason::RetryAfter });
    }
    if may_throttle && let Some(wait) = windows.exhausted_for() {
        return Some(Pause { lasts: wait.min(Pause::LONGEST), why: PauseReason::Exhausted });
    }
    throttled.then_some(Pause { lasts: Pause::UNSAID, why: PauseReason::Throttled })
}

/// The windows of the family of fields that says most: the draft's, then `RateLimit-*`, then `X-*`. One that says what remains goes before one that
/// does not.
fn windows(headers: &HeaderMap, now: &dyn Fn() -> SystemTime) -> Windows {
    let fields = Fields::of(headers);
    if fields.are_stored() {
        return Windows::NONE;
    }
    let clock = Clock { headers, now };
    let mut best = if fields.structured { draft::read(headers) } else { Windows::NONE };
    for family in &fields.families {
        if best.say_what_remains() {
            break;
        }
        let next = family.read(&clock);
        if best.are_none() || next.say_what_remains() {
            best = next;
        }
    }
    best
}

/// The fields that have to do with quotas, found in one pass: most answers have none.
#[derive(Default)]
struct Fields<'h> {
    age: Option<&'h [u8]>,
    structured: bool,
    families: [Family<'h>; 3],
}

impl<'h> Fields<'h> {
    fn of(headers: &'h HeaderMap) -> Self {
        let mut fields = Self::default();
        let [standard, common, hyphenated] = &mut fields.families;
        for (name, value) in headers {
            let field = match name.as_str() {
                "ratelimit" | "ratelimit-policy" => {
                    fields.structured = true;
                    continue;
                }
                "age" => &mut fields.age,
                "ratelimit-limit" => &mut standard.limit,
                "ratelimit-remaining" => &mut standard.remaining,
                "ratelimit-reset" => &mut standard.reset,
                "x-ratelimit-limit" => &mut common.limit,
                "x-ratelimit-remaining" => &mut common.remaining,
                "x-ratelimit-reset" => &mut common.reset,
                "x-rate-limit-limit" => &mut hyphenated.limit,
                "x-rate-limit-remaining" => &mut hyphenated.remaining,
                "x-rate-limit-reset" => &mut hyphenated.reset,
                _ => continue,
            };
            // Of several lines the first counts, as with `Retry-After`.
            field.get_or_insert(value.as_bytes());
        }
        fields
    }

    /// Whether they come from a cache: what they say of a quota is then of another time (draft, "Caching"; RFC 9111 section 5.1).
    fn are_stored(&self) -> bool {
        let age = self.age.unwrap_or_default().trim_ascii();
        age.iter().all(u8::is_ascii_digit) && age.iter().any(|digit| *digit != b'0')
    }
}

/// What dates are measured against.
struct Clock<'h> {
    headers: &'h HeaderMap,
    now: &'h dyn Fn() -> SystemTime,
}

impl Clock<'_> {
    /// The answer's own `Date`, so that clocks need not agree; without a valid one our date.
    fn now(&self) -> SystemTime {
        let now = (self.now)();
        let date = self.headers.get(DATE).and_then(|date| http_date(date.as_bytes(), now));
        date.unwrap_or(now)
    }
}

#[cfg(test)]
pub(crate) mod tests;
