use std::fmt;
use std::time::Duration;

/// What goes wrong at the server, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trouble {
    /// Everything takes four times as long, for 10 s.
    Slowdown,
    /// Everything is refused at once, for 60 s.
    Outage,
    /// The same for ten minutes.
    LongOutage,
    /// 30 % are refused at once and cost the server nothing, for 60 s.
    CheapFailures,
    /// 30 % fail after the server has done all the work for them, for 60 s.
    DearFailures,
    /// Everything is refused at once for 20 s; then all takes four times as long at first, and the usual time after 30 s.
    ColdStart,
}

/// The share of calls that fail in the partial failures.
pub(crate) const SHARE: f64 = 0.3;
/// By how much a slowdown lengthens the work.
pub(crate) const SLOWER: f64 = 4.0;
/// The same at the end of the outage before a cold start.
pub(crate) const COLD: f64 = 4.0;
/// How long that outage lasts.
pub(crate) const DOWN_BEFORE_COLD: Duration = Duration::from_secs(20);

impl Trouble {
    /// How long it lasts.
    pub fn lasts(self) -> Duration {
        Duration::from_secs(match self {
            Self::Slowdown => 10,
            Self::ColdStart => 50,
            Self::LongOutage => 600,
            _ => 60,
        })
    }

    /// One word, for file names.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Slowdown => "slowdown",
            Self::Outage => "outage",
            Self::LongOutage => "long-outage",
            Self::CheapFailures => "cheap-failures",
            Self::DearFailures => "dear-failures",
            Self::ColdStart => "cold-start",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slowdown => "four times slower for 10 s",
            Self::Outage => "down for 60 s",
            Self::LongOutage => "down for ten minutes",
            Self::CheapFailures => "30 % fail at once for 60 s",
            Self::DearFailures => "30 % fail after all the work for 60 s",
            Self::ColdStart => "down for 20 s, then cold for 30 s",
        })
    }
}
