use std::fmt;
use std::time::Duration;

/// What a circuit does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Lets all through, and counts.
    Closed,
    /// Lets none through.
    Open,
    /// Lets one through at a time to see what comes of it, or after that only a part of them.
    HalfOpen,
    /// Lets none through until it is told otherwise.
    ForcedOpen,
    /// Lets all through and counts nothing until it is told otherwise.
    Disabled,
}

impl State {
    /// One word, for metrics and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition {
    /// What it was.
    pub from: State,
    /// What it is.
    pub to: State,
    /// Rises with each change: hooks are called without a lock, so that two may overtake each other.
    pub generation: u64,
    /// How long it stays open, if it opened.
    pub open_for: Option<Duration>,
}

/// A circuit at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// What it does with calls.
    pub state: State,
    /// Rises with each change of state.
    pub generation: u64,
    /// Results within the window, of the present generation.
    pub calls: u32,
    /// How many of them were failures.
    pub failures: u32,
    /// How many of them were slow; 0 unless [`Trip::or_slow`](crate::Trip::or_slow) asks for it.
    pub slow: u32,
    /// How long until a call may be let through, if one would be refused now and that is known; never with
    /// [`Settings::metrics_only`](crate::Settings::metrics_only).
    pub retry_in: Option<Duration>,
}

impl Snapshot {
    /// The share of failures; `None` without calls.
    pub fn failure_rate(&self) -> Option<f64> {
        (self.calls > 0).then(|| f64::from(self.failures) / f64::from(self.calls))
    }
}
