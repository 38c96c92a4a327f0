use std::error::Error;
use std::fmt;
use std::time::Duration;

use bartizan_core::{Deadline, Refusal, Rejection};
use http::StatusCode;
use tokio::time::Instant;

use crate::MinThroughput;
use crate::target::Target;

/// One attempt got no answer within its limit. The request may have been processed.
#[derive(Clone, Debug)]
pub struct AttemptTimedOut {
    pub(crate) limit: Duration,
    pub(crate) elapsed: Duration,
    pub(crate) target: Target,
}

impl AttemptTimedOut {
    /// What the attempt was given.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// How long it was waited for, by the clock.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Host and port of the request, cut to 63 bytes; `None` if it named none.
    pub fn host(&self) -> Option<&str> {
        self.target.as_str()
    }
}

impl fmt::Display for AttemptTimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt{} timed out after {:?} (limit {:?})", self.target, self.elapsed, self.limit)
    }
}

impl Error for AttemptTimedOut {}

impl Refusal for AttemptTimedOut {
    fn status(&self) -> StatusCode {
        StatusCode::GATEWAY_TIMEOUT
    }
}

/// The time for the whole call is over.
#[derive(Clone, Debug)]
pub struct DeadlineExceeded {
    pub(crate) total: Duration,
    pub(crate) elapsed: Duration,
    pub(crate) target: Target,
    pub(crate) progress: Progress,
}

/// How far a call had come when its time was over.
#[derive(Clone, Debug)]
pub(crate) enum Progress {
    NothingSent(Rejection),
    Sent,
    /// The head was there, and so many bytes of the body.
    Body(u64),
}

impl DeadlineExceeded {
    pub(crate) fn of(deadline: Deadline, now: Instant, target: Target, progress: Progress) -> Self {
        let elapsed = now.into_std().saturating_duration_since(deadline.started);
        Self { total: deadline.total(), elapsed, target, progress }
    }

    /// What the call was given.
    pub fn total(&self) -> Duration {
        self.total
    }

    /// How long it took until it was given up, by the clock.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Whether this layer had sent the request when time ran out. If not, nothing of this attempt was sent.
    pub fn was_sent(&self) -> bool {
        !matches!(self.progress, Progress::NothingSent(_))
    }

    /// How many bytes of the response's body had come; `None` if not even the head had.
    pub fn body_bytes(&self) -> Option<u64> {
        match self.progress {
            Progress::Body(bytes) => Some(bytes),
            Progress::NothingSent(_) | Progress::Sent => None,
        }
    }

    /// Host and port of the request, cut to 63 bytes; `None` if it named none.
    pub fn host(&self) -> Option<&str> {
        self.target.as_str()
    }
}

impl fmt::Display for DeadlineExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { total, elapsed, target, progress } = self;
        match progress {
            Progress::NothingSent(_) => write!(
                f,
                "deadline of {total:?} for the call{target} was over after {elapsed:?}, so nothing was sent"
            ),
            Progress::Sent => {
                write!(f, "call{target} exceeded its deadline of {total:?}, given up after {elapsed:?}")
            }
            Progress::Body(bytes) => write!(
                f,
                "call{target} exceeded its deadline of {total:?}, given up after {elapsed:?} and {bytes} bytes of the body"
            ),
        }
    }
}

impl Error for DeadlineExceeded {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.progress {
            Progress::NothingSent(rejection) => Some(rejection),
            Progress::Sent | Progress::Body(_) => None,
        }
    }
}

impl Refusal for DeadlineExceeded {
    fn status(&self) -> StatusCode {
        StatusCode::GATEWAY_TIMEOUT
    }
}

/// The next frame of a response's body did not come within its limit.
#[derive(Clone, Debug)]
pub struct BodyStalled {
    pub(crate) limit: Duration,
    pub(crate) elapsed: Duration,
    pub(crate) bytes: u64,
    pub(crate) target: Target,
}

impl BodyStalled {
    /// What the next frame was given.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// How long it was waited for, by the clock.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// How many bytes of the body had come.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Host and port of the request, cut to 63 bytes; `None` if it named none.
    pub fn host(&self) -> Option<&str> {
        self.target.as_str()
    }
}

impl fmt::Display for BodyStalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, elapsed, bytes, target } = self;
        write!(
            f,
            "response body{target} stalled: nothing came for {elapsed:?} (limit {limit:?}), after {bytes} bytes"
        )
    }
}

impl Error for BodyStalled {}

/// Less of a response's body came than was asked for.
#[derive(Clone, Debug)]
pub struct BodyTooSlow {
    pub(crate) floor: MinThroughput,
    pub(crate) elapsed: Duration,
    pub(crate) window_bytes: u64,
    pub(crate) bytes: u64,
    pub(crate) target: Target,
}

impl BodyTooSlow {
    /// What was asked for.
    pub fn limit(&self) -> MinThroughput {
        self.floor
    }

    /// How long was waited for it within the window.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// How many bytes came within the window.
    pub fn window_bytes(&self) -> u64 {
        self.window_bytes
    }

    /// How many bytes of the body had come in all.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Host and port of the request, cut to 63 bytes; `None` if it named none.
    pub fn host(&self) -> Option<&str> {
        self.target.as_str()
    }
}

impl fmt::Display for BodyTooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { floor, elapsed, window_bytes, bytes, target } = self;
        write!(
            f,
            "response body{target} is too slow: {window_bytes} bytes in {elapsed:?} of waiting (at least {} asked for), \
             {bytes} in all",
            floor.bytes()
        )
    }
}

impl Error for BodyTooSlow {}
