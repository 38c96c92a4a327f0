use std::error::Error;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use bartizan_core::{Origin, Refusal, Rejection, Subject};
use http::StatusCode;

use crate::{Quota, Standing};

/// A call was not let through, and nothing was sent.
#[derive(Clone, Debug)]
pub struct RateLimited {
    subject: Subject,
    why: Why,
    rejection: Rejection,
    standing: Option<Standing>,
}

/// Why a call was not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// There is no token now, and waiting was not asked for.
    Quota,
    /// The server has asked to be left alone, for longer than the call may wait.
    Paused,
    /// Its turn would come later than the call may wait.
    MaxWait,
    /// Its turn would come after the deadline of the call.
    Deadline,
    /// It costs more than a full bucket has; waiting does not help.
    Cost,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Why {
    Quota { quota: Option<Quota> },
    Paused,
    MaxWait { most: Duration },
    Deadline { left: Duration },
    Cost { cost: NonZeroU32, quota: Quota },
}

impl Reason {
    /// In one word: `quota`, `paused`, `max_wait`, `deadline`, `cost`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quota => "quota",
            Self::Paused => "paused",
            Self::MaxWait => "max_wait",
            Self::Deadline => "deadline",
            Self::Cost => "cost",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl RateLimited {
    pub(crate) fn new(subject: &Subject, why: Why, retry_in: Option<Duration>) -> Self {
        Self { subject: subject.clone(), why, rejection: Rejection::new(retry_in), standing: None }
    }

    /// For those who are to be told how it stands.
    pub(crate) fn with_standing(mut self, standing: Standing) -> Self {
        self.standing = Some(standing);
        self
    }

    pub(crate) fn standing(&self) -> Option<Standing> {
        self.standing
    }

    /// Whose limit it is.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The origin whose limit it is; `None` for one that goes by other things, or serves all.
    pub fn origin(&self) -> Option<&Origin> {
        self.subject.origin()
    }

    /// Why it was not let through.
    pub fn reason(&self) -> Reason {
        match self.why {
            Why::Quota { .. } => Reason::Quota,
            Why::Paused => Reason::Paused,
            Why::MaxWait { .. } => Reason::MaxWait,
            Why::Deadline { .. } => Reason::Deadline,
            Why::Cost { .. } => Reason::Cost,
        }
    }

    /// How long it would have had to wait, from the refusal on; `None` if waiting does not help.
    pub fn retry_in(&self) -> Option<Duration> {
        self.rejection.retry_in()
    }
}

impl fmt::Display for RateLimited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rate limit")?;
        if !self.subject.is_all() {
            write!(f, " of {}", self.subject)?;
        }
        match self.why {
            Why::Quota { quota: Some(quota) } => write!(f, " is used up ({quota})")?,
            Why::Quota { quota: None } => f.write_str(" is used up")?,
            Why::Paused => f.write_str(" is paused by the server")?,
            Why::MaxWait { most } => {
                write!(f, " is used up for longer than the {most:?} that a call may wait")?;
            }
            Why::Deadline { left } => {
                write!(f, " is used up for longer than the {left:?} that the call's deadline leaves")?;
            }
            Why::Cost { cost, quota } => {
                write!(f, " never lets through a cost of {cost} ({quota})")?;
            }
        }
        match self.retry_in() {
            Some(wait) => write!(f, ", nothing was sent; may be tried again in {wait:?}"),
            None => f.write_str(", nothing was sent"),
        }
    }
}

impl Error for RateLimited {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.rejection)
    }
}

impl Refusal for RateLimited {
    fn status(&self) -> StatusCode {
        StatusCode::TOO_MANY_REQUESTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_word() {
        for (reason, word) in [
            (Reason::Quota, "quota"),
            (Reason::Paused, "paused"),
            (Reason::MaxWait, "max_wait"),
            (Reason::Deadline, "deadline"),
            (Reason::Cost, "cost"),
        ] {
            assert_eq!((reason.as_str(), reason.to_string().as_str()), (word, word));
        }
    }
}
