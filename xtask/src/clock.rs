//! How long a step took. The only place of this package that reads the clock.

use std::{
    fmt,
    time::{Duration, Instant},
};

pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "it times child processes; nothing here runs under paused time"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    #[expect(clippy::disallowed_methods, reason = "see `start`")]
    pub(crate) fn read(&self) -> Took {
        Took(self.0.elapsed())
    }
}

/// A duration that prints as minutes and seconds.
#[derive(Clone, Copy)]
pub(crate) struct Took(Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        f.pad(&format!("{}:{:02}.{}", seconds / 60, seconds % 60, self.0.subsec_millis() / 100))
    }
}
