use std::num::NonZeroU32;
use std::time::Duration;

use bartizan_core::Chance;

use crate::Trip;

/// How a circuit behaves. The same for the engine and for the layer.
///
/// | | default | set with |
/// |---|---|---|
/// | opens | at half of at least 10 calls in 30 s | [`trip`](Self::trip) |
/// | stays open | 5 s, doubled for each failed probe up to 30 s, half of it by chance | [`open_for`](Self::open_for), [`at_most`](Self::at_most) |
/// | closes | after 3 successful probes in a row | [`probes`](Self::probes) |
/// | waits for a probe | 10 s, then another call may probe | [`probe_timeout`](Self::probe_timeout) |
/// | a call is slow | after 5 s | [`slow_after`](Self::slow_after) |
/// | lets calls back in | above 5 a second one in ten until 3 have succeeded, one in two until 10 more have | [`without_ramp`](Self::without_ramp) |
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) trip: Trip,
    pub(crate) open_for: Duration,
    pub(crate) at_most: Duration,
    pub(crate) probes: NonZeroU32,
    pub(crate) probe_timeout: Duration,
    pub(crate) slow_after: Duration,
    pub(crate) ramps: bool,
    pub(crate) refuses: bool,
    pub(crate) chance: Chance,
}

/// See [`Settings::probe_timeout`].
const SHORTEST_LEASE: Duration = Duration::from_secs(1);

/// See [`Settings::at_most`].
const LONGEST: Duration = Duration::from_secs(30);

impl Settings {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            trip: Trip::default(),
            open_for: Duration::from_secs(5),
            at_most: LONGEST,
            probes: NonZeroU32::MIN.saturating_add(2),
            probe_timeout: Duration::from_secs(10),
            slow_after: Duration::from_secs(5),
            ramps: true,
            refuses: true,
            chance: Chance::default(),
        }
    }

    /// As many write it by hand, for those who port such code: opens at 5 failures in a row, for 60 s each time, and closes after 3
    /// successes at once.
    pub fn classic() -> Self {
        let mut classic =
            Self::new().trip(Trip::consecutive(NonZeroU32::MIN.saturating_add(4))).without_ramp();
        (classic.open_for, classic.at_most) = (Duration::from_secs(60), Duration::from_secs(60));
        classic
    }

    /// When it opens. By default at half of at least 10 calls in 30 s: [`Trip::default`].
    #[must_use]
    pub fn trip(mut self, trip: Trip) -> Self {
        self.trip = trip;
        self
    }

    /// How long it stays open the first time: between half of this and all of it, by chance, so that clients do not come back
    /// together. 5 s by default. Each failed probe doubles it, up to [`at_most`](Self::at_most); one window without an opening
    /// brings it back. A `Retry-After` on a 503 that opens it raises it, up to 300 s.
    #[must_use]
    pub fn open_for(mut self, time: Duration) -> Self {
        (self.open_for, self.at_most) = (time, self.at_most.max(time));
        self
    }

    /// How long it stays open at most, however often probes fail. 30 s by default: with 300 s, as some have, clients notice
    /// minutes late that all is well again, and it spares the origin little (`docs/circuit-breaker.md` in the
    /// repository). Longer for an origin that has very many clients.
    #[must_use]
    pub fn at_most(mut self, time: Duration) -> Self {
        self.at_most = time;
        self
    }

    /// How many probes in a row must succeed. 3 by default: one may be luck.
    #[must_use]
    pub fn probes(mut self, successes: NonZeroU32) -> Self {
        self.probes = successes;
        self
    }

    /// How long a probe is waited for. Then the next call may probe, and the old one's result counts for nothing. 10 s by
    /// default, as an attempt has.
    ///
    /// Less than 1 s is taken as 1 s, zero too: a lease that ends before the origin can answer would leave a circuit that never
    /// closes. With [`Duration::MAX`] a probe is waited for without end.
    #[must_use]
    pub fn probe_timeout(mut self, time: Duration) -> Self {
        self.probe_timeout = time.max(SHORTEST_LEASE);
        self
    }

    /// When a call is slow: for [`Trip::or_slow`], and a call that is given up after this time has failed. 5 s by default, half of
    /// what an attempt has.
    #[must_use]
    pub fn slow_after(mut self, time: Duration) -> Self {
        self.slow_after = time;
        self
    }

    /// Lets all calls back in at once when the probes have succeeded. By default, above 5 calls a second, a part of them at first.
    #[must_use]
    pub fn without_ramp(mut self) -> Self {
        self.ramps = false;
        self
    }

    /// Refuses nothing, and does all else: to see what a circuit would do before it does it. By default it refuses.
    #[must_use]
    pub fn metrics_only(mut self) -> Self {
        self.refuses = false;
        self
    }

    /// Where jitter comes from. Seeded from the operating system by default.
    #[must_use]
    pub fn chance(mut self, chance: Chance) -> Self {
        self.chance = chance;
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}
