use std::error::Error;
use std::fmt;
use std::time::Duration;

use bartizan_core::{Origin, Refusal, Rejection};
use http::StatusCode;

use crate::State;

/// A circuit lets no call through, and nothing was sent.
#[derive(Clone, Debug)]
pub struct CircuitOpen {
    pub(crate) origin: Option<Origin>,
    pub(crate) state: State,
    pub(crate) rejection: Rejection,
}

impl CircuitOpen {
    /// Whose circuit it is; `None` for one that belongs to no origin, or to all.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
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
        if let Some(origin) = &self.origin {
            write!(f, " of {}", origin.as_str())?;
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
