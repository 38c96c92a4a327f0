use std::fmt;

/// Why a call that failed was not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// The method does not promise that a request may be sent twice, and neither did the caller.
    Method,
    /// The caller asked for no retry of this call.
    Off,
    /// All attempts are made.
    Attempts,
    /// The request's body cannot be sent again.
    Body,
    /// The wait would not end before the call's deadline.
    Deadline,
    /// The origin asked to wait for more than 300 s.
    RetryAfter,
    /// The origin's budget of retries is empty.
    Budget,
    /// A tier below has made its own attempts already, and gave up.
    Spent,
    /// A layer below refused locally, and there is nothing more to wait for.
    Refused,
}

impl Stop {
    /// One word, for metrics and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Off => "off",
            Self::Attempts => "attempts",
            Self::Body => "body",
            Self::Deadline => "deadline",
            Self::RetryAfter => "retry_after",
            Self::Budget => "budget",
            Self::Spent => "spent",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
