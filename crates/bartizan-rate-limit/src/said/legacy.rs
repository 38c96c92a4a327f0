//! `RateLimit-Limit`, `-Remaining` and `-Reset` of the draft's first versions, and the `X-` fields they were made from.

use std::time::{Duration, SystemTime};

use super::{Clock, Window, Windows};

/// How many members of a list are looked at.
const MEMBERS: usize = 16;
/// A reset above it is a date in seconds, since a quota that resets in 30 years is none.
const DATES: u64 = 1_000_000_000;
/// And above this in milliseconds.
const MILLISECONDS: u64 = 1_000_000_000_000;

/// Three fields that belong together.
#[derive(Clone, Copy, Default)]
pub(super) struct Family<'h> {
    pub(super) limit: Option<&'h [u8]>,
    pub(super) remaining: Option<&'h [u8]>,
    pub(super) reset: Option<&'h [u8]>,
}

impl Family<'_> {
    /// Their window, if they say how much there is or how much is left.
    pub(super) fn read(&self, clock: &Clock<'_>) -> Windows {
        let (limit, lasts) = self.limit.and_then(limit).unzip();
        let remaining = self.remaining.and_then(Number::read).map(|number| number.whole);
        let mut windows = Windows::NONE;
        if limit.is_some() || remaining.is_some() {
            let resets_in = self.reset.and_then(Number::read).and_then(|reset| reset.is_in(clock));
            windows.offer(Window {
                policy: Window::UNNAMED,
                limit,
                lasts: lasts.flatten(),
                remaining,
                resets_in,
            });
        }
        windows
    }
}

/// `100`, or with its policies `100, 100;w=60, 5000;w=3600`: the limit is the first number, its period that of the first policy with
/// that very quota.
fn limit(list: &[u8]) -> Option<(u64, Option<Duration>)> {
    let mut members = list.split(|byte| *byte == b',').take(MEMBERS).map(|member| {
        let mut parts = member.split(|byte| *byte == b';');
        let quota = Number::read(parts.next()?)?.whole;
        let period = parts.find_map(|part| Number::read(part.trim_ascii().strip_prefix(b"w=")?));
        Some((quota, period.map(|period| period.whole).filter(|seconds| *seconds > 0)))
    });
    let (limit, own) = members.next()??;
    let mut others = members.flatten().filter(|(quota, _)| *quota == limit);
    let seconds = own.or_else(|| others.find_map(|(_, seconds)| seconds));
    Some((limit, seconds.map(Window::seconds)))
}

/// A number that may have a fraction, as some servers send.
#[derive(Clone, Copy)]
struct Number {
    whole: u64,
    /// The fraction, rounded up: at most a full second.
    nanos: u32,
}

impl Number {
    fn read(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        let point = text.iter().position(|byte| *byte == b'.');
        let (whole, fraction) = match point {
            Some(point) => (&text[..point], &text[point + 1..]),
            None => (text, &b"0"[..]),
        };
        let mut nanos = digits(&fraction[..fraction.len().min(9)])?;
        for _ in fraction.len()..9 {
            nanos *= 10;
        }
        let rest = fraction.get(9..).unwrap_or_default();
        if !rest.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let nanos = nanos + u64::from(rest.iter().any(|digit| *digit != b'0'));
        Some(Self { whole: digits(whole)?, nanos: u32::try_from(nanos).ok()? })
    }

    /// When a reset is, read as seconds or as a date.
    fn is_in(self, clock: &Clock<'_>) -> Option<Duration> {
        let Self { whole, nanos } = self;
        let fraction = Duration::from_nanos(nanos.into());
        if whole <= DATES {
            return Some((Window::seconds(whole) + fraction).min(Window::LONGEST));
        }
        let since_1970 = if whole <= MILLISECONDS {
            Duration::from_secs(whole) + fraction
        } else {
            Duration::from_millis(whole) + fraction / 1000
        };
        let reset = SystemTime::UNIX_EPOCH.checked_add(since_1970)?;
        Some(reset.duration_since(clock.now()).unwrap_or_default().min(Window::LONGEST))
    }
}

/// A number of digits alone; `None` above what 64 bits hold.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}
