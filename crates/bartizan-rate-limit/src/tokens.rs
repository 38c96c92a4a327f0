//! The bucket: governor's arithmetic over one word, without any waiting.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use tokio::time::Instant;

use crate::Quota;
use crate::line::{Source, Who};

/// The tokens of one quota. Times are nanoseconds since it was made.
pub(crate) struct Tokens {
    limiter: governor::RateLimiter<Who, Tat, SinceStart, NoOpMiddleware<Nanos>>,
    /// The word that `limiter` has, to look at and to give back.
    tat: Tat,
    quota: Quota,
    /// After how long a token is back.
    interval: u64,
    started: Instant,
}

/// What is left of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) tokens: u32,
    /// Until there is one more; `None` if it is full.
    pub(crate) next: Option<Duration>,
}

impl Tokens {
    /// A full bucket.
    pub(crate) fn new(quota: Quota) -> Self {
        let started = Instant::now();
        let tat = Tat::default();
        let burst =
            governor::Quota::with_period(quota.interval()).expect("an interval is a nanosecond at least");
        let burst = burst.allow_burst(quota.most_at_once());
        let limiter = governor::RateLimiter::new(burst, tat.clone(), SinceStart(started));
        Self { limiter, tat, quota, interval: nanos(quota.interval()), started }
    }

    pub(crate) fn quota(&self) -> Quota {
        self.quota
    }

    pub(crate) fn left(&self) -> Left {
        let burst = self.quota.most_at_once().get();
        // What has been used and is not back yet, in time.
        let used = self.tat.get().saturating_sub(nanos(self.started.elapsed()));
        let used_tokens = u32::try_from(used.div_ceil(self.interval)).unwrap_or(u32::MAX);
        let next = used.checked_sub(1).map(|used| Duration::from_nanos(used % self.interval + 1));
        Left { tokens: burst.saturating_sub(used_tokens), next }
    }
}

impl Source for Tokens {
    const CAN_BE_PUT_OFF: bool = false;

    fn take(&self, who: Who, cost: NonZeroU32) -> bool {
        // A bucket never holds more than this, and the product below stays small.
        cost <= self.quota.most_at_once() && matches!(self.limiter.check_key_n(&who, cost), Ok(Ok(())))
    }

    fn due(&self, cost: u64) -> Option<Instant> {
        let used_then = u128::from(self.tat.get()) + u128::from(self.interval) * u128::from(cost);
        let full = u128::from(self.interval) * u128::from(self.quota.most_at_once().get());
        let since_start = u64::try_from(used_then.saturating_sub(full)).unwrap_or(u64::MAX);
        Some(far(self.started, Duration::from_nanos(since_start)))
    }

    fn give_back(&self, cost: NonZeroU32) {
        let time = self.interval.saturating_mul(u64::from(cost.get()));
        self.tat.change(|tat| tat.saturating_sub(time));
    }

    fn set_queued(&self, queued: bool) {
        self.tat.set_queued(queued);
    }

    fn is_queued(&self) -> bool {
        self.tat.is_queued()
    }
}

/// `after` a moment, or as far away as a clock can show.
pub(crate) fn far(moment: Instant, after: Duration) -> Instant {
    const DECADE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
    moment.checked_add(after).unwrap_or_else(|| moment + DECADE)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// tokio's clock.
#[derive(Clone, Copy, Debug)]
struct SinceStart(Instant);

impl Clock for SinceStart {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(nanos(self.0.elapsed()))
    }
}

/// When the bucket will be full: the theoretical arrival time of GCRA. The highest bit tells newcomers that others wait, in the same word,
/// so that none can take a token past them.
#[derive(Clone, Default)]
struct Tat(Arc<AtomicU64>);

const QUEUED: u64 = 1 << 63;

/// A bucket that is empty for longer than anybody lives.
const NEVER: u64 = 1 << 61;

impl Tat {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire) & !QUEUED
    }

    fn change(&self, change: impl Fn(u64) -> u64) {
        let changed = |word: u64| Some(word & QUEUED | change(word & !QUEUED));
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, changed);
    }

    fn is_queued(&self) -> bool {
        self.0.load(Ordering::Acquire) & QUEUED != 0
    }

    fn set_queued(&self, queued: bool) {
        if queued {
            self.0.fetch_or(QUEUED, Ordering::AcqRel);
        } else {
            self.0.fetch_and(!QUEUED, Ordering::AcqRel);
        }
    }
}

impl StateStore for Tat {
    type Key = Who;

    fn measure_and_replace<T, F, E>(&self, who: &Who, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            let queued = word & QUEUED;
            let tat = if queued != 0 && *who == Who::Newcomer { NEVER } else { word & !QUEUED };
            let (value, next) = decide(Some(Nanos::from(tat)))?;
            let next = queued | next.as_u64();
            match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(value),
                Err(now) => word = now,
            }
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("quota", &self.quota)
            .field("left", &self.left())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_moment_that_no_clock_shows_is_years_away() {
        let now = Instant::now();
        assert_eq!(far(now, Duration::from_secs(7)), now + Duration::from_secs(7));
        assert_eq!(far(now, Duration::MAX), now + Duration::from_secs(3650 * 86_400));
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_bucket_has_no_line() {
        let tokens = Tokens::new(Quota::classic());
        assert!(!tokens.is_queued(), "or each give-back would take the line's lock");
        assert!(
            format!("{tokens:?}").starts_with("Tokens { quota: Quota(1 per 1s, at most 60 at once), left: ")
        );
    }
}
