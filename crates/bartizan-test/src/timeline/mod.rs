//! The attempts of a call as one line of text, to compare with what a policy should have done.
//!
//! ```
//! use std::time::Duration;
//! use bartizan_test::timeline::Timeline;
//! use http::Method;
//!
//! let mut timeline = Timeline::new();
//! timeline.push(Duration::ZERO, Method::GET, "/a", 503);
//! timeline.push(Duration::from_millis(104), Method::GET, "/a", 200);
//! assert_eq!(timeline.to_string(), "0ms GET /a -> 503; +104ms GET /a -> 200");
//! ```
//!
//! Times are whole milliseconds: the first attempt stands at 0, each later one at its distance from the one before. They
//! are counted from the first attempt and cut off there, so that distances add up.

mod recorder;

use std::{borrow::Cow, fmt, time::Duration};

use http::{Method, StatusCode};

pub use self::recorder::{Recorded, Recorder, RecorderLayer, ResponseFuture};
use crate::server::{Log, Seen};

/// A list of attempts; its `Display` is the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    attempts: Vec<Attempt>,
}

/// One attempt of a [`Timeline`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// When it began, on a clock that all attempts of the timeline share.
    pub at: Duration,
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub path: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// An answer with this status.
    Status(StatusCode),
    /// Anything else, in a word.
    Word(Cow<'static, str>),
}

impl Timeline {
    /// No attempts yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// All requests of a server's log.
    ///
    /// The outcome is the status of a whole answer, and of everything else the name of the act: `reset`, `hang`.
    pub fn from_log(log: &Log) -> Self {
        log.requests().iter().collect()
    }

    /// The requests of a server's log that carried this `x-request-id`.
    pub fn of_id(log: &Log, id: &str) -> Self {
        log.by_id(id).iter().collect()
    }

    /// Adds an attempt that began at `at`. The order of calls does not matter unless times are equal.
    pub fn push(
        &mut self,
        at: Duration,
        method: Method,
        path: impl Into<String>,
        outcome: impl Into<Outcome>,
    ) {
        let attempt = Attempt { at, method, path: path.into(), outcome: outcome.into() };
        let later = self.attempts.partition_point(|other| other.at <= at);
        self.attempts.insert(later, attempt);
    }

    /// The attempts in the order they began.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// How many attempts there are.
    pub fn len(&self) -> usize {
        self.attempts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.attempts.is_empty()
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.attempts.first() else {
            return Ok(());
        };
        let mut before = None;
        for attempt in &self.attempts {
            let now = (attempt.at - first.at).as_millis();
            match before.replace(now) {
                None => write!(f, "{now}ms")?,
                Some(before) => write!(f, "; +{}ms", now - before)?,
            }
            write!(f, " {} {} -> {}", attempt.method, attempt.path, attempt.outcome)?;
        }
        Ok(())
    }
}

impl<'a> FromIterator<&'a Seen> for Timeline {
    fn from_iter<I: IntoIterator<Item = &'a Seen>>(requests: I) -> Self {
        let mut timeline = Self::new();
        for seen in requests {
            let outcome = match seen.status {
                Some(status) if seen.act == "reply" => Outcome::Status(status),
                _ => Outcome::from(seen.act),
            };
            timeline.push(seen.arrived, seen.method.clone(), seen.path.clone(), outcome);
        }
        timeline
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => f.write_str(status.as_str()),
            Self::Word(word) => f.write_str(word),
        }
    }
}

impl From<StatusCode> for Outcome {
    fn from(status: StatusCode) -> Self {
        Self::Status(status)
    }
}

impl From<u16> for Outcome {
    /// A number that is no status becomes a word.
    fn from(status: u16) -> Self {
        StatusCode::from_u16(status).map_or_else(|_| Self::from(status.to_string()), Self::Status)
    }
}

impl From<&'static str> for Outcome {
    fn from(word: &'static str) -> Self {
        Self::Word(word.into())
    }
}

impl From<String> for Outcome {
    fn from(word: String) -> Self {
        Self::Word(word.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_attempts_are_no_text() {
        assert_eq!(Timeline::new().to_string(), "");
    }

    #[test]
    fn attempts_are_sorted_and_counted_from_the_first() {
        let mut timeline = Timeline::new();
        timeline.push(Duration::from_millis(1250), Method::GET, "/b?c=d", StatusCode::OK);
        timeline.push(Duration::from_millis(1000), Method::POST, "/a", "reset");
        timeline.push(Duration::from_millis(1250), Method::GET, "/b", 42);
        assert_eq!(timeline.to_string(), "0ms POST /a -> reset; +250ms GET /b?c=d -> 200; +0ms GET /b -> 42");
    }

    #[test]
    fn parts_of_milliseconds_add_up() {
        let mut timeline = Timeline::new();
        for at in [500, 1400, 2400, 3600] {
            timeline.push(Duration::from_micros(at), Method::GET, "/", 200);
        }
        let text = timeline.to_string();
        assert_eq!(text, "0ms GET / -> 200; +0ms GET / -> 200; +1ms GET / -> 200; +2ms GET / -> 200");
    }
}
