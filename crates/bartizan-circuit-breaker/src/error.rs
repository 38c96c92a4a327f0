use std::error::Error;
use std::fmt;
use std::time::Duration;

use bartizan_core::{Origin, Refusal, Rejection, Subject};
use http::StatusCode;

use crate::State;

/// A circuit lets no call through, and nothing was sent.
#[derive(Clone, Debug)]
pub struct CircuitOpen {
    pub(crate) subject: Subject,
    pub(crate) state: State,
    pub(crate) rejection: Rejection,
}

impl CircuitOpen {
    /// Whose circuit it is.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The origin whose circuit it is; `None` for one that goes by other things, or serves all.
    pub fn origin(&self) -> Option<&Origin> {
        self.subject.origin()
    }

    /// What the circuit is: open, half-open while somebody else probes, or forced open.
    pub fn state(&self) -> State {
        self.state
    }

    /// How long until a call may be let through, if that is known.
    pub fn retry_in(&self) -> Option<Duration> {
        self.rejection.retry_in()
    }
}

impl fmt::Display for CircuitOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("circuit")?;
        if !self.subject.is_all() {
            write!(f, " of {}", self.subject)?;
        }
        f.write_str(match self.state {
            State::HalfOpen => " is half-open and lets others try first",
            State::ForcedOpen => " was opened by hand",
            _ => " is open",
        })?;
        match self.retry_in() {
            Some(wait) => write!(f, ", nothing was sent; may be tried again in {wait:?}"),
            None => f.write_str(", nothing was sent"),
        }
    }
}

impl Error for CircuitOpen {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.rejection)
    }
}

impl Refusal for CircuitOpen {
    fn status(&self) -> StatusCode {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
