//! The outage itself: which calls come when, and what becomes of a request. All of it is a function of the seed.

use std::time::Duration;

use bartizan_core::Chance;

/// Calls that arrive in a second, on average. They do not wait for each other's answers.
pub(crate) const RATE: f64 = 100.0;

/// What is read: each item a little more than once a second, on average.
pub(crate) const ITEMS: usize = 50;

/// How long a caller waits for a complete answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// Requests that the server works on at once.
pub(crate) const WORKERS: usize = 16;

/// Requests that may wait for a worker. One more is refused with a 503.
pub(crate) const QUEUE: usize = 48;

/// By how much a request that a server refuses while it is down puts off its return: a handshake and a line in a log take time
/// from its start.
pub(crate) const START_PUT_OFF: Duration = Duration::from_millis(2);

/// What the work for one request takes at least, and on average.
const WORK: (Duration, Duration) = (Duration::from_millis(40), Duration::from_millis(100));

#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) phases: Vec<Phase>,
    pub(crate) calls: Vec<Call>,
    /// When the instance that serves most requests is down, while errors are the weather.
    bursts: Vec<(Duration, Duration)>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Phase {
    pub(crate) weather: Weather,
    pub(crate) from: Duration,
    pub(crate) until: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Healthy,
    /// Bursts of 200 to 600 ms in which nine of ten requests get a 500 or a 503.
    Errors,
    /// In every other second the quota is used up: 429 with `Retry-After: 1`.
    Throttled,
    /// One connection in four is reset: before the work, after it, or in the middle of the answer's body.
    Resets,
    /// One request in six is worked on and never answered.
    Hangs,
    /// Nothing is left but the front, which answers every request with a 503 at once. What was in line before gets done.
    Down,
    /// Half recovered: nothing fails, but all work takes 2.5 times as long, and so there is capacity for 64 requests a
    /// second.
    Cold,
}

impl Weather {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Errors => "500 and 503",
            Self::Throttled => "429",
            Self::Resets => "resets",
            Self::Hangs => "hangs",
            Self::Down => "down",
            Self::Cold => "cold caches",
        }
    }

    /// How many requests a second all workers together can do.
    pub(crate) fn capacity(self) -> f64 {
        if self == Self::Down { 0.0 } else { WORKERS as f64 / WORK.1.as_secs_f64() / self.slowness() }
    }

    /// How much longer work takes than it should.
    fn slowness(self) -> f64 {
        if self == Self::Cold { 2.5 } else { 1.0 }
    }
}

/// What somebody wants from the server, however many requests it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) id: usize,
    pub(crate) at: Duration,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Get,
    Post,
    PostWithKey,
}

/// What becomes of a request, apart from what the load does to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered,
    /// A 500 once the work is done; its effects are rolled back.
    Failed,
    /// A 503 at once.
    Unavailable,
    /// A 429 at once.
    Throttled,
    ResetBeforeWork,
    ResetAfterWork,
    ResetInBody,
    /// Worked on, never answered.
    Hung,
}

impl Scenario {
    /// The outage of this seed, with each phase `pace` times as long as it is meant to be.
    pub(crate) fn new(seed: u64, pace: f64) -> Self {
        let mut end = Duration::ZERO;
        let phases = [
            (Weather::Healthy, 3.0),
            (Weather::Errors, 6.0),
            (Weather::Throttled, 6.0),
            (Weather::Resets, 4.0),
            (Weather::Hangs, 4.0),
            (Weather::Down, 8.0),
            (Weather::Cold, 5.0),
            (Weather::Healthy, 5.0),
        ]
        .map(|(weather, seconds)| {
            let from = end;
            end += Duration::from_secs_f64(seconds * pace);
            Phase { weather, from, until: end }
        });
        let chance = Chance::from_seed(seed);
        let bursts = bursts(&chance, end);
        Self { seed, phases: phases.into(), calls: calls(&chance, end), bursts }
    }

    pub(crate) fn lasts(&self) -> Duration {
        self.phases.last().map_or(Duration::ZERO, |phase| phase.until)
    }

    /// How long this weather lasts in all.
    pub(crate) fn lasts_for(&self, weather: Weather) -> Duration {
        let phases = self.phases.iter().filter(|phase| phase.weather == weather);
        phases.map(|phase| phase.until - phase.from).sum()
    }

    pub(crate) fn weather(&self, at: Duration) -> Weather {
        self.phases.iter().find(|phase| at < phase.until).map_or(Weather::Healthy, |phase| phase.weather)
    }

    /// What becomes of the request that comes at `at` as the `nth` of its call, from 1.
    pub(crate) fn fate(&self, at: Duration, call: usize, nth: u32) -> Fate {
        let draw = self.draws(call, nth).unit();
        match self.weather(at) {
            Weather::Errors if self.is_burst(at) && draw < 0.45 => Fate::Failed,
            Weather::Errors if self.is_burst(at) && draw < 0.9 => Fate::Unavailable,
            Weather::Throttled if at.as_secs() % 2 == 1 => Fate::Throttled,
            Weather::Resets if draw < 0.08 => Fate::ResetBeforeWork,
            Weather::Resets if draw < 0.16 => Fate::ResetAfterWork,
            Weather::Resets if draw < 0.25 => Fate::ResetInBody,
            Weather::Hangs if draw < 1.0 / 6.0 => Fate::Hung,
            Weather::Down => Fate::Unavailable,
            _ => Fate::Answered,
        }
    }

    /// How long the work for a request takes that is begun at `at`.
    pub(crate) fn work(&self, at: Duration, call: usize, nth: u32) -> Duration {
        let draws = self.draws(call, nth);
        draws.next_u64();
        let (least, mean) = WORK;
        (least + exponential(&draws, mean - least)).mul_f64(self.weather(at).slowness())
    }

    fn is_burst(&self, at: Duration) -> bool {
        self.bursts.iter().any(|&(from, until)| (from..until).contains(&at))
    }

    /// The same for the same request of each client, so that all meet the same luck.
    fn draws(&self, call: usize, nth: u32) -> Chance {
        let request = (call as u64) << 8 | u64::from(nth);
        Chance::from_seed(Chance::from_seed(self.seed ^ request).next_u64())
    }
}

fn calls(chance: &Chance, end: Duration) -> Vec<Call> {
    let mean_gap = Duration::from_secs_f64(1.0 / RATE);
    let mut at = Duration::ZERO;
    let mut calls = Vec::new();
    loop {
        at += exponential(chance, mean_gap);
        if at >= end {
            return calls;
        }
        let kind = match chance.unit() {
            draw if draw < 0.6 => Kind::Get,
            draw if draw < 0.9 => Kind::Post,
            _ => Kind::PostWithKey,
        };
        calls.push(Call { id: calls.len(), at, kind });
    }
}

fn bursts(chance: &Chance, end: Duration) -> Vec<(Duration, Duration)> {
    let length = || Duration::from_secs_f64(0.2 + 0.4 * chance.unit());
    let mut until = Duration::ZERO;
    let mut bursts = Vec::new();
    while until < end {
        let from = until + length();
        until = from + length();
        bursts.push((from, until));
    }
    bursts
}

fn exponential(chance: &Chance, mean: Duration) -> Duration {
    mean.mul_f64(-(1.0 - chance.unit()).ln())
}
