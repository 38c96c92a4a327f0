//! `traceparent`, by W3C Trace Context level 1.

use std::fmt;

use bartizan_core::Chance;
use http::header::{HeaderMap, HeaderName, HeaderValue};

pub(crate) static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Where a request stands in a distributed trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceContext {
    trace: u128,
    /// Of the span that is the parent of whatever the receiver does.
    span: u64,
    flags: u8,
}

/// `version-trace-span-flags`, in hexadecimal digits.
const LENGTH: usize = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00".len();
const SAMPLED: u8 = 1;

impl TraceContext {
    /// What the one `traceparent` of a request says. `None` if there is none, or two, or one that the specification calls invalid.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(&TRACEPARENT).iter();
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        Self::parse(value.as_bytes())
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let (known, more) = value.split_at_checked(LENGTH)?;
        let [version, trace, span, flags] = fields(known)?;
        let context = Self {
            trace: number(trace)?,
            span: u64::try_from(number(span)?).ok()?,
            flags: u8::try_from(number(flags)?).ok()?,
        };
        // A later version may say more, behind one more dash; ff is none.
        let is_known = match number(version)? {
            0 => more.is_empty(),
            0xff => false,
            _ => more.first().is_none_or(|byte| *byte == b'-'),
        };
        (is_known && context.trace != 0 && context.span != 0).then_some(context)
    }

    /// The root of a new trace.
    pub(crate) fn start(chance: &Chance, is_sampled: bool) -> Self {
        let trace = u128::from(not_zero(chance)) << 64 | u128::from(chance.next_u64());
        Self { trace, span: not_zero(chance), flags: if is_sampled { SAMPLED } else { 0 } }
    }

    /// The next span of the same trace.
    pub(crate) fn child(self, chance: &Chance) -> Self {
        // Level 1 knows one flag, and the others are not passed on.
        Self { span: not_zero(chance), flags: self.flags & SAMPLED, ..self }
    }

    /// Puts it in the place of whatever is there.
    pub(crate) fn put(self, headers: &mut HeaderMap) {
        let value = HeaderValue::try_from(self.to_string()).expect("digits and dashes");
        headers.insert(&TRACEPARENT, value);
    }

    /// Puts it there as the start of a trace, to which no state of another belongs.
    pub(crate) fn put_first(self, headers: &mut HeaderMap) {
        headers.remove(&TRACESTATE);
        self.put(headers);
    }

    pub(crate) fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }

    pub(crate) fn span_id(self) -> String {
        format!("{:016x}", self.span)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

fn not_zero(chance: &Chance) -> u64 {
    std::iter::repeat_with(|| chance.next_u64()).find(|id| *id != 0).expect("chance does not end")
}

/// Lower-case digits alone, at most 32.
fn number(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| match digit {
        b'0'..=b'9' => Some(number << 4 | u128::from(digit - b'0')),
        b'a'..=b'f' => Some(number << 4 | u128::from(digit - b'a' + 10)),
        _ => None,
    })
}

/// Version, trace, span and flags, if they are as long as they have to be.
fn fields(value: &[u8]) -> Option<[&[u8]; 4]> {
    let mut parts = value.split(|byte| *byte == b'-');
    let fields = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    (fields.map(<[u8]>::len) == [2, 32, 16, 2]).then_some(fields)
}

#[cfg(test)]
mod tests;
