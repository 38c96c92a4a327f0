//! What a circuit breaker does for an origin in trouble, and for those who call it: trip rules beside each other.

mod report;

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use bartizan_circuit_breaker::{CircuitBreakerLayer, Settings, Trip};
use bartizan_core::Chance;
use bartizan_retry::RetryLayer;
use bartizan_timeout::{AttemptTimeoutLayer, DeadlineLayer};
use tower::util::BoxCloneService;
use tower::{ServiceBuilder, ServiceExt};

pub use report::document;

use crate::budget::{ATTEMPT, CALL};
use crate::load::{self, Client, Figures, Server, Summary, Trouble};

/// A few busy clients, and many that call every five seconds.
const CLIENTS: [usize; 2] = [20, 10_000];
const TROUBLES: [Trouble; 5] =
    [Trouble::Outage, Trouble::LongOutage, Trouble::ColdStart, Trouble::CheapFailures, Trouble::DearFailures];

/// The breaker of a client. All else is the standard stack: deadline, retry with its budget, attempt timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// None.
    None,
    /// `Settings::new()`: half of at least 10 calls in 30 s.
    Default,
    /// The same, without the ramp.
    WithoutRamp,
    /// The same as the default, but open for up to a minute.
    UpTo60,
    /// For up to five minutes.
    UpTo300,
    /// A fifth of at least 10 calls in 30 s.
    Nervous,
    /// Half of the last 20 calls.
    Last,
    /// 5 failures in a row.
    Consecutive,
    /// `Settings::classic()`.
    Classic,
}

impl Guard {
    /// What the document compares.
    pub const ALL: [Self; 9] = [
        Self::None,
        Self::Default,
        Self::WithoutRamp,
        Self::UpTo60,
        Self::UpTo300,
        Self::Nervous,
        Self::Last,
        Self::Consecutive,
        Self::Classic,
    ];

    /// There only the time matters for which a circuit stays open.
    fn is_of_long_outage(self) -> bool {
        matches!(self, Self::None | Self::Default | Self::UpTo60 | Self::UpTo300)
    }

    fn layer(self, chance: &Chance) -> CircuitBreakerLayer {
        let settings = Settings::new();
        let five = NonZeroU32::MIN.saturating_add(4);
        let settings = match self {
            Self::None => return CircuitBreakerLayer::disabled(),
            Self::Default => settings,
            Self::WithoutRamp => settings.without_ramp(),
            Self::UpTo60 => settings.at_most(Duration::from_secs(60)),
            Self::UpTo300 => settings.at_most(Duration::from_secs(300)),
            Self::Nervous => settings.trip(Trip::rate(0.2, 10, Duration::from_secs(30)).expect("a fifth")),
            Self::Last => settings.trip(Trip::last(0.5, 20).expect("half of twenty")),
            Self::Consecutive => settings.trip(Trip::consecutive(five)),
            Self::Classic => Settings::classic(),
        };
        CircuitBreakerLayer::with_settings(settings.chance(chance.clone()))
    }

    fn client(self, server: Server, chance: &Chance) -> Client {
        let stack = ServiceBuilder::new()
            .layer(DeadlineLayer::new(CALL))
            .layer(RetryLayer::new().chance(chance.clone()))
            .layer(self.layer(chance))
            .layer(AttemptTimeoutLayer::new(ATTEMPT))
            .service(server);
        BoxCloneService::new(stack.map_response(|response| response.status()))
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no breaker",
            Self::Default => "`Settings::new()`",
            Self::WithoutRamp => "without the ramp",
            Self::UpTo60 => "open for at most 60 s",
            Self::UpTo300 => "open for at most 300 s",
            Self::Nervous => "a fifth of at least 10 in 30 s",
            Self::Last => "half of the last 20",
            Self::Consecutive => "5 in a row",
            Self::Classic => "`Settings::classic()`",
        })
    }
}

/// One run.
pub fn run(trouble: Trouble, clients: usize, guard: Guard, seed: u64) -> Figures {
    load::play(trouble, clients, seed, |server, chance| guard.client(server, chance))
}

/// All that the document shows.
pub fn all(seeds: u64) -> Vec<Summary> {
    let cases = TROUBLES.into_iter().flat_map(|trouble| CLIENTS.map(|clients| (trouble, clients)));
    let cases = cases.flat_map(|(trouble, clients)| Guard::ALL.map(|guard| (trouble, clients, guard)));
    cases
        .filter(|(trouble, _, guard)| *trouble != Trouble::LongOutage || guard.is_of_long_outage())
        .map(|(trouble, clients, guard)| {
            let run = |seed| run(trouble, clients, guard, seed);
            Summary::of(guard.to_string(), clients, trouble, seeds, run)
        })
        .collect()
}
