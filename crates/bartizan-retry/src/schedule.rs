use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Chance, KeyBy, Rejection};

use crate::spending::Accounts;
use crate::{Backoff, Budget, MaxAttempts, Pace, Stop};

/// How many attempts, how far apart: the arithmetic of retry, without HTTP and without a clock.
///
/// It is what [`RetryLayer`](crate::RetryLayer) follows, and runs anything that can fail by itself: see [`run`](Self::run).
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    pub(crate) max_attempts: MaxAttempts,
    backoff: Backoffs,
    chance: Chance,
    pub(crate) accounts: Option<Arc<Accounts>>,
}

#[derive(Clone, Copy, Debug)]
struct Backoffs {
    transient: Backoff,
    throttled: Backoff,
}

impl Default for Backoffs {
    fn default() -> Self {
        Self { transient: Backoff::TRANSIENT, throttled: Backoff::THROTTLED }
    }
}

/// What an origin that names longer waits than this gets is its answer, at once: nobody's call waits for five minutes.
pub(crate) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

impl Schedule {
    /// 3 attempts, with [`Backoff::TRANSIENT`] and [`Backoff::THROTTLED`], and no budget.
    pub fn new() -> Self {
        Self::default()
    }

    /// At most so many attempts in all. 3 by default.
    #[must_use]
    pub fn max_attempts(mut self, attempts: MaxAttempts) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// The waits after failures. [`Backoff::TRANSIENT`] by default.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff.transient = backoff;
        self
    }

    /// The waits after an answer that asks for less, where it does not say how long. [`Backoff::THROTTLED`] by default.
    #[must_use]
    pub fn throttled_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff.throttled = backoff;
        self
    }

    /// Where jitter comes from. Seeded from the operating system by default.
    #[must_use]
    pub fn chance(mut self, chance: Chance) -> Self {
        self.chance = chance;
        self
    }

    /// A budget for [`run`](Self::run), which this schedule and its clones share: one for each thing that is called. None by
    /// default, since a schedule does not know what that is; a [`RetryLayer`](crate::RetryLayer) has one for each origin.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.accounts = Some(Accounts::new(budget, KeyBy::nothing()));
        self
    }

    /// After failures, one after the other.
    pub(crate) fn longest_waits(&self) -> impl Iterator<Item = Duration> {
        let backoff = self.backoff.transient;
        (0..self.max_attempts.get().get() - 1).scan(None, move |last, retry| {
            *last = Some(backoff.delay(retry, *last, 1.0));
            *last
        })
    }

    /// The wait after a failure, if it fits into what is `left` of the deadline.
    pub(crate) fn wait(&self, failure: Failure, left: Option<Duration>) -> Result<Duration, Stop> {
        let backoff = match failure.pace {
            Pace::Transient => self.backoff.transient,
            Pace::Throttled => self.backoff.throttled,
        };
        let own = backoff.delay(failure.made.saturating_sub(1), failure.last_wait, self.chance.unit());
        let wait = match failure.asked {
            None => own,
            Some(asked) if asked > LONGEST_RETRY_AFTER => return Err(Stop::RetryAfter),
            // Never earlier than asked, and not all at once either.
            Some(asked) => self.spread(asked).max(own),
        };
        fitting(wait, left)
    }

    /// The wait after a layer below refused.
    pub(crate) fn wait_for_refusal(
        &self,
        rejection: Rejection,
        left: Option<Duration>,
    ) -> Result<Duration, Stop> {
        if left.is_some_and(|left| left.is_zero()) {
            // What refuses then is the deadline, whoever says it.
            return Err(Stop::Deadline);
        }
        match rejection.retry_in() {
            Some(retry_in) if retry_in <= LONGEST_RETRY_AFTER => fitting(self.spread(retry_in), left),
            _ => Err(Stop::Refused),
        }
    }

    /// `wait * U[1, 1.5)`
    fn spread(&self, wait: Duration) -> Duration {
        wait + wait.mul_f64(self.chance.unit() / 2.0)
    }
}

/// An attempt that failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure {
    /// So many attempts were made.
    pub(crate) made: u32,
    pub(crate) pace: Pace,
    /// The answer's `Retry-After`.
    pub(crate) asked: Option<Duration>,
    /// Before this attempt.
    pub(crate) last_wait: Option<Duration>,
}

/// A wait that ends at the deadline leaves no time for the attempt.
fn fitting(wait: Duration, left: Option<Duration>) -> Result<Duration, Stop> {
    match left {
        Some(left) if wait >= left => Err(Stop::Deadline),
        _ => Ok(wait),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn schedule() -> Schedule {
        Schedule::new()
            .backoff(Backoff::exponential(SECOND, 8 * SECOND).unwrap())
            .throttled_backoff(Backoff::exponential(4 * SECOND, 8 * SECOND).unwrap())
            .chance(Chance::from_seed(5))
    }

    fn after(made: u32, pace: Pace, asked: Option<Duration>) -> Failure {
        Failure { made, pace, asked, last_wait: None }
    }

    /// The least and the greatest of many draws.
    fn range(draw: impl Fn(&Schedule) -> Duration) -> (f64, f64) {
        let schedule = schedule();
        let draws: Vec<f64> = (0..10_000).map(|_| draw(&schedule).as_secs_f64()).collect();
        (draws.iter().copied().fold(f64::MAX, f64::min), draws.iter().copied().fold(0.0, f64::max))
    }

    fn assert_range(draw: impl Fn(&Schedule) -> Duration, from: f64, to: f64) {
        let (least, greatest) = range(draw);
        let slack = (to - from) / 100.0;
        assert!(least >= from && least < from + slack, "least {least}, not {from}");
        assert!(greatest <= to && greatest > to - slack, "greatest {greatest}, not {to}");
    }

    #[test]
    fn the_first_retry_waits_up_to_the_base() {
        assert_range(|s| s.wait(after(1, Pace::Transient, None), None).unwrap(), 0.0, 1.0);
        assert_range(|s| s.wait(after(2, Pace::Transient, None), None).unwrap(), 0.0, 2.0);
        assert_range(|s| s.wait(after(1, Pace::Throttled, None), None).unwrap(), 0.0, 4.0);
        assert_range(|s| s.wait(after(99, Pace::Throttled, None), None).unwrap(), 0.0, 8.0);
    }

    #[test]
    fn the_defaults() {
        let range = |pace, made| {
            let schedule = Schedule::new();
            let waits = (0..10_000).map(|_| schedule.wait(after(made, pace, None), None).unwrap());
            waits.max().unwrap().as_secs_f64()
        };
        for (pace, made, most) in [
            (Pace::Transient, 1, 0.05),
            (Pace::Throttled, 1, 1.0),
            (Pace::Transient, 99, 20.0),
            (Pace::Throttled, 99, 20.0),
        ] {
            let greatest = range(pace, made);
            assert!(greatest <= most && greatest > 0.99 * most, "{greatest}, not {most}");
        }
    }

    #[test]
    fn clones_do_not_wait_in_step() {
        let schedule = Schedule::new().backoff(Backoff::exponential(SECOND, SECOND).unwrap());
        let waits = |schedule: &Schedule| {
            (0..5).map(|_| schedule.wait(after(1, Pace::Transient, None), None).unwrap()).collect::<Vec<_>>()
        };
        let (one, other) = (schedule.clone(), schedule);
        let (one, other) = (waits(&one), waits(&other));
        assert!(one.iter().all(|wait| !other.contains(wait)), "{one:?} {other:?}");
        assert!(one.iter().any(|wait| wait.subsec_nanos() % 1_000_000 != 0), "{one:?}");
    }

    #[test]
    fn retry_after_is_kept_and_spread() {
        assert_range(|s| s.wait(after(1, Pace::Throttled, Some(10 * SECOND)), None).unwrap(), 10.0, 15.0);
        assert_range(|s| s.wait(after(1, Pace::Transient, Some(300 * SECOND)), None).unwrap(), 300.0, 450.0);
    }

    #[test]
    fn retry_after_never_shortens_the_backoff() {
        assert_range(|s| s.wait(after(1, Pace::Transient, Some(Duration::ZERO)), None).unwrap(), 0.0, 1.0);
    }

    #[test]
    fn above_five_minutes_the_answer_is_returned() {
        let asked = Some(300 * SECOND + Duration::from_nanos(1));
        assert_eq!(schedule().wait(after(1, Pace::Throttled, asked), None), Err(Stop::RetryAfter));
    }

    #[test]
    fn a_wait_must_end_before_the_deadline() {
        assert_eq!(fitting(SECOND, Some(SECOND)), Err(Stop::Deadline));
        assert_eq!(fitting(SECOND, Some(SECOND + Duration::from_nanos(1))), Ok(SECOND));
        assert_eq!(fitting(Duration::ZERO, Some(Duration::ZERO)), Err(Stop::Deadline));
        assert_eq!(
            schedule().wait(after(1, Pace::Throttled, Some(10 * SECOND)), Some(10 * SECOND)),
            Err(Stop::Deadline)
        );
    }

    #[test]
    fn a_refusal_is_waited_for_as_long_as_it_says() {
        let refused = |retry_in, left| schedule().wait_for_refusal(Rejection::new(retry_in), left);
        assert_range(|s| s.wait_for_refusal(Rejection::new(Some(2 * SECOND)), None).unwrap(), 2.0, 3.0);
        assert_eq!(refused(None, None), Err(Stop::Refused));
        assert_eq!(refused(Some(Duration::MAX), None), Err(Stop::Refused));
        assert_eq!(refused(Some(301 * SECOND), None), Err(Stop::Refused));
        assert_eq!(refused(Some(2 * SECOND), Some(SECOND)), Err(Stop::Deadline));
        assert_eq!(refused(None, Some(SECOND)), Err(Stop::Refused));
        assert_eq!(refused(None, Some(Duration::ZERO)), Err(Stop::Deadline));
    }
}
