use std::error::Error;
use std::fmt;
use std::time::Duration;

use bartizan_core::{Refusal, Rejection};
use http::StatusCode;

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
    /// There if nothing was sent.
    pub(crate) rejection: Option<Rejection>,
}

impl DeadlineExceeded {
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
        self.rejection.is_none()
    }

    /// Host and port of the request, cut to 63 bytes; `None` if it named none.
    pub fn host(&self) -> Option<&str> {
        self.target.as_str()
    }
}

impl fmt::Display for DeadlineExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { total, elapsed, target, .. } = self;
        if self.was_sent() {
            write!(f, "call{target} exceeded its deadline of {total:?}, given up after {elapsed:?}")
        } else {
            write!(
                f,
                "deadline of {total:?} for the call{target} was over after {elapsed:?}, so nothing was sent"
            )
        }
    }
}

impl Error for DeadlineExceeded {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.rejection.as_ref().map(|rejection| rejection as _)
    }
}

impl Refusal for DeadlineExceeded {
    fn status(&self) -> StatusCode {
        StatusCode::GATEWAY_TIMEOUT
    }
}
