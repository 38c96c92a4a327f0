use std::error::Error;
use std::fmt;
use std::time::Duration;

use bartizan_core::Chance;

/// When a handler that failed is tried again: one wait for each attempt after the first.
///
/// By default 5 s, 30 s, 2 min, 10 min, 30 min, 2 h, 6 h, 12 h and 24 h, ten attempts over about 45 hours: a deployment that is taken back, a night
/// and a day. Each wait is spread by a fifth to either side, so that what failed together does not come back together.
///
/// ```
/// use std::time::Duration;
/// use bartizan_webhook::processor::Schedule;
///
/// let schedule = Schedule::new([1, 10, 100].map(Duration::from_secs))?.jitter(0.5)?;
/// assert_eq!(schedule.attempts(), 4);
/// # Ok::<(), bartizan_webhook::processor::InvalidSchedule>(())
/// ```
#[derive(Clone, Debug)]
pub struct Schedule {
    waits: Vec<Duration>,
    jitter: f64,
    chance: Chance,
}

/// Neither a schedule nor a handler makes an event wait for longer: seven days.
pub const LONGEST_WAIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

impl Schedule {
    /// One with those waits between the attempts. Without any there is one attempt.
    ///
    /// # Errors
    /// When a wait is longer than [`LONGEST_WAIT`].
    pub fn new(waits: impl IntoIterator<Item = Duration>) -> Result<Self, InvalidSchedule> {
        let waits: Vec<_> = waits.into_iter().collect();
        match waits.iter().find(|&&wait| wait > LONGEST_WAIT) {
            Some(&wait) => Err(InvalidSchedule(Why::Wait(wait))),
            None => Ok(Self { waits, jitter: 0.2, chance: Chance::from_os() }),
        }
    }

    /// By which part of itself a wait is longer or shorter at most, from 0 to 1. 0.2 by default.
    ///
    /// # Errors
    /// When it is not within 0 and 1.
    pub fn jitter(mut self, part: f64) -> Result<Self, InvalidSchedule> {
        if !(0.0..=1.0).contains(&part) {
            return Err(InvalidSchedule(Why::Jitter(part)));
        }
        self.jitter = part;
        Ok(self)
    }

    /// Where jitter comes from. Seeded from the operating system by default.
    #[must_use]
    pub fn chance(mut self, chance: Chance) -> Self {
        self.chance = chance;
        self
    }

    /// How many attempts there are, the first included.
    pub fn attempts(&self) -> u32 {
        u32::try_from(self.waits.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The wait after an attempt that failed, counted from 1, if there is another one. `asked` is the longest that a handler asked for.
    pub(super) fn wait(&self, attempt: u32, asked: Option<Duration>) -> Option<Duration> {
        let wait = self.waits.get(attempt.saturating_sub(1) as usize)?;
        let factor = 1.0 + self.jitter * (2.0 * self.chance.unit() - 1.0);
        Some(wait.mul_f64(factor).max(asked.unwrap_or_default()).min(LONGEST_WAIT))
    }
}

impl Default for Schedule {
    fn default() -> Self {
        let seconds = [5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR];
        Self::new(seconds.map(Duration::from_secs)).expect("none is above seven days")
    }
}

/// A schedule that cannot be built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvalidSchedule(Why);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Why {
    Wait(Duration),
    Jitter(f64),
}

impl fmt::Display for InvalidSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Why::Wait(wait) => {
                write!(f, "a wait of {wait:?} between two attempts is too long; use seven days at most")
            }
            Why::Jitter(part) => write!(f, "a jitter of {part} is no part of a wait; use 0 to 1"),
        }
    }
}

impl Error for InvalidSchedule {}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn exact(schedule: Schedule) -> Schedule {
        schedule.jitter(0.0).unwrap()
    }

    #[test]
    fn the_default_waits() {
        let schedule = exact(Schedule::default());
        let waits: Vec<_> =
            (1..=10).map(|attempt| schedule.wait(attempt, None).map(|wait| wait.as_secs())).collect();
        let expected = [5, 30, 120, 600, 1800, 7200, 21_600, 43_200, 86_400].map(Some);
        assert_eq!(waits[..9], expected);
        assert_eq!(waits[9], None);
        assert_eq!(schedule.attempts(), 10);
    }

    #[test]
    fn waits_are_spread_by_a_fifth_to_either_side() {
        let schedule = Schedule::default().chance(Chance::from_seed(3));
        let draws: Vec<_> = (0..10_000).map(|_| schedule.wait(1, None).unwrap().as_secs_f64()).collect();
        let (least, most) =
            (draws.iter().copied().fold(9.0, f64::min), draws.iter().copied().fold(0.0, f64::max));
        assert!((4.0..4.01).contains(&least) && (5.99..=6.0).contains(&most), "{least} to {most}");
    }

    #[test]
    fn what_a_handler_asks_for_is_the_least_wait_and_seven_days_the_longest() {
        let schedule = exact(Schedule::new([10 * SECOND, LONGEST_WAIT]).unwrap());
        assert_eq!(schedule.wait(1, Some(9 * SECOND)), Some(10 * SECOND));
        assert_eq!(schedule.wait(1, Some(11 * SECOND)), Some(11 * SECOND));
        assert_eq!(schedule.wait(1, Some(Duration::MAX)), Some(LONGEST_WAIT));
        assert_eq!(schedule.wait(3, Some(SECOND)), None);
        let spread = schedule.jitter(1.0).unwrap();
        assert!((0..100).all(|_| spread.wait(2, None) <= Some(LONGEST_WAIT)));
    }

    #[test]
    fn schedules_that_are_none_are_refused() {
        let too_long = LONGEST_WAIT + Duration::from_nanos(1);
        assert_eq!(Schedule::new([SECOND, too_long]).unwrap_err(), InvalidSchedule(Why::Wait(too_long)));
        for part in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            let error = Schedule::default().jitter(part).unwrap_err();
            assert_eq!(error.to_string(), format!("a jitter of {part} is no part of a wait; use 0 to 1"));
        }
        assert_eq!(Schedule::new([]).unwrap().attempts(), 1);
    }
}
