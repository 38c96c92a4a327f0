use std::error::Error;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// How long to wait before the next attempt: exponential and capped, or always the same, with jitter.
///
/// With full jitter, the default, the wait before retry `n` (from 0) is `U[0, 1) * min(cap, base * 2^n)`: the cap comes
/// before the jitter, so that waits at the cap are still spread over all of it ("Exponential Backoff And Jitter", AWS
/// Architecture Blog, 2015).
///
/// ```
/// use std::time::Duration;
/// use bartizan_retry::{Backoff, Jitter};
///
/// let backoff = Backoff::exponential(Duration::from_millis(50), Duration::from_secs(20))?;
/// assert_eq!(backoff.delay(3, None, 0.5), Duration::from_millis(200));
/// assert_eq!(backoff.jitter(Jitter::None).delay(3, None, 0.5), Duration::from_millis(400));
///
/// let error = Backoff::exponential(Duration::from_secs(5), Duration::from_secs(1)).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the backoff's cap of 1s lies below its base of 5s; raise the cap to the base at least, or swap the two"
/// );
/// # Ok::<(), bartizan_retry::InvalidBackoff>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    jitter: Jitter,
}

/// How waits are spread, so that callers who failed together do not come back together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Jitter {
    /// Not at all: `min(cap, base * 2^n)`. For porting code that did so; callers stay in step.
    None,
    /// Over all of it: `U[0, 1) * min(cap, base * 2^n)`. The default: it ends contention with the least work.
    #[default]
    Full,
    /// Over its upper half: `U[0.5, 1) * min(cap, base * 2^n)`. Never nearly nothing.
    Equal,
    /// From the base to three times the last wait: `U[base, min(cap, 3 * last))`. It grows by chance and not by count.
    Decorrelated,
}

impl Backoff {
    /// For failures: 50 ms, doubled up to 20 s. Short enough for a lost packet, and soon long enough for a restart.
    pub const TRANSIENT: Self =
        Self { base: Duration::from_millis(50), cap: Duration::from_secs(20), jitter: Jitter::Full };

    /// For an origin that asks for less: 1 s, doubled up to 20 s, since most quotas are refilled by the second.
    pub const THROTTLED: Self =
        Self { base: Duration::from_secs(1), cap: Duration::from_secs(20), jitter: Jitter::Full };

    /// 1 s, 2 s, 4 s: of [`RetryLayer::classic`](crate::RetryLayer::classic).
    pub(crate) const CLASSIC: Self =
        Self { base: Duration::from_secs(1), cap: Duration::from_secs(4), jitter: Jitter::None };

    /// Up to `base` before the first retry, twice as much before each later one, and never more than `cap`.
    ///
    /// # Errors
    /// When `base` is zero or above `cap`.
    pub const fn exponential(base: Duration, cap: Duration) -> Result<Self, InvalidBackoff> {
        if base.is_zero() || base.as_nanos() > cap.as_nanos() {
            Err(InvalidBackoff { base, cap })
        } else {
            Ok(Self { base, cap, jitter: Jitter::Full })
        }
    }

    /// The same wait before each retry, without jitter until [`jitter`](Self::jitter) adds some. Zero does not wait.
    pub const fn fixed(wait: Duration) -> Self {
        Self { base: wait, cap: wait, jitter: Jitter::None }
    }

    /// Spreads the waits in another way. By default [`exponential`](Self::exponential) ones have [`Jitter::Full`], and fixed ones none.
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// The wait before retry number `retry`, counted from 0, for a draw `unit` from `[0, 1)`. `last` is the wait before the retry
    /// that was made last, if there was one.
    ///
    /// # Panics
    /// When `unit` is negative, or so large that the product is no [`Duration`].
    pub fn delay(&self, retry: u32, last: Option<Duration>, unit: f64) -> Duration {
        let window = || self.window(retry);
        match self.jitter {
            Jitter::None => window(),
            Jitter::Full => window().mul_f64(unit),
            Jitter::Equal => window().mul_f64(0.5 + unit / 2.0),
            Jitter::Decorrelated => {
                let upper = last.unwrap_or(self.base).max(self.base).saturating_mul(3).min(self.cap);
                self.base + (upper - self.base).mul_f64(unit)
            }
        }
    }

    fn window(&self, retry: u32) -> Duration {
        let doubled = 1_u32.checked_shl(retry).and_then(|factor| self.base.checked_mul(factor));
        doubled.map_or(self.cap, |window| window.min(self.cap))
    }
}

/// A backoff that cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidBackoff {
    base: Duration,
    cap: Duration,
}

impl fmt::Display for InvalidBackoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base, cap } = self;
        if base.is_zero() {
            write!(f, "the backoff's base of {base:?} doubles to nothing; use 1ms at least")
        } else {
            write!(
                f,
                "the backoff's cap of {cap:?} lies below its base of {base:?}; raise the cap to the base at least, or \
                 swap the two"
            )
        }
    }
}

impl Error for InvalidBackoff {}

/// How many times a request is sent at most, the first time included. 3 by default.
///
/// ```
/// use bartizan_retry::MaxAttempts;
///
/// let four = MaxAttempts::new(4)?;
/// assert_eq!(
///     MaxAttempts::new(0).unwrap_err().to_string(),
///     "0 attempts would send nothing at all; use 1 to send once and never again"
/// );
/// # Ok::<(), bartizan_retry::InvalidAttempts>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MaxAttempts(NonZeroU32);

impl MaxAttempts {
    /// 3: what AWS and Google use as the default of their SDKs' standard modes.
    pub const DEFAULT: Self = Self(NonZeroU32::new(3).unwrap());

    /// Three retries: of [`RetryLayer::classic`](crate::RetryLayer::classic).
    pub(crate) const CLASSIC: Self = Self(NonZeroU32::new(4).unwrap());

    /// At most `attempts`, the first one included.
    ///
    /// # Errors
    /// When it is zero.
    pub const fn new(attempts: u32) -> Result<Self, InvalidAttempts> {
        match NonZeroU32::new(attempts) {
            Some(attempts) => Ok(Self(attempts)),
            None => Err(InvalidAttempts { attempts }),
        }
    }

    /// The number.
    pub const fn get(self) -> NonZeroU32 {
        self.0
    }
}

impl Default for MaxAttempts {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl From<NonZeroU32> for MaxAttempts {
    fn from(attempts: NonZeroU32) -> Self {
        Self(attempts)
    }
}

/// A number of attempts that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidAttempts {
    attempts: u32,
}

impl fmt::Display for InvalidAttempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} attempts would send nothing at all; use 1 to send once and never again", self.attempts)
    }
}

impl Error for InvalidAttempts {}

#[cfg(test)]
mod tests {
    use bartizan_core::Chance;
    use proptest::prelude::*;

    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn doubles_up_to_the_cap() {
        let backoff = Backoff::exponential(ms(50), ms(1000)).unwrap();
        let windows: Vec<_> = [0, 1, 2, 3, 4, 5, 6, 31, 32, 33, u32::MAX].map(|n| backoff.window(n)).into();
        assert_eq!(windows[..5], [ms(50), ms(100), ms(200), ms(400), ms(800)]);
        assert!(windows[5..].iter().all(|&window| window == ms(1000)), "{windows:?}");
    }

    #[test]
    fn the_cap_comes_before_the_jitter() {
        // Were it the other way round, most waits at a late retry would be exactly the cap.
        let backoff = Backoff::exponential(ms(50), ms(1000)).unwrap();
        let chance = Chance::from_seed(11);
        let waits: Vec<f64> =
            (0..50_000).map(|_| backoff.delay(20, None, chance.unit()).as_secs_f64()).collect();
        let mean = waits.iter().sum::<f64>() / waits.len() as f64;
        let deviation = (waits.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / waits.len() as f64).sqrt();
        assert!((mean - 0.5).abs() < 0.01, "mean {mean}");
        assert!((deviation - 12.0_f64.sqrt().recip()).abs() < 0.01, "deviation {deviation}");
    }

    #[test]
    fn each_jitter_spreads_over_its_own_range() {
        let last = Some(ms(300));
        for (jitter, last, least, half, most) in [
            (Jitter::None, None, 400, 400, 400),
            (Jitter::Full, None, 0, 200, 400),
            (Jitter::Equal, None, 200, 300, 400),
            (Jitter::Decorrelated, None, 50, 100, 150),
            (Jitter::Decorrelated, last, 50, 475, 900),
            (Jitter::Decorrelated, Some(ms(999_999)), 50, 525, 1000),
            (Jitter::Decorrelated, Some(ms(1)), 50, 100, 150),
        ] {
            let backoff = Backoff::exponential(ms(50), ms(1000)).unwrap().jitter(jitter);
            let delays = [0.0, 0.5, 1.0].map(|unit| backoff.delay(3, last, unit));
            assert_eq!(delays, [ms(least), ms(half), ms(most)], "{jitter:?} after {last:?}");
        }
    }

    #[test]
    fn a_fixed_wait_is_the_same_each_time_and_may_be_none() {
        for wait in [ms(0), ms(70)] {
            let delays = [0, 1, 99].map(|retry| Backoff::fixed(wait).delay(retry, Some(ms(1)), 0.9));
            assert_eq!(delays, [wait; 3]);
        }
        assert_eq!(Backoff::fixed(ms(70)).jitter(Jitter::Full).delay(5, None, 0.5), ms(35));
    }

    #[test]
    fn bounds_that_are_inverted_or_zero_are_refused() {
        assert!(Backoff::exponential(ms(1), ms(1)).is_ok());
        for (base, cap, fix) in
            [(ms(2), ms(1), "raise the cap"), (ms(0), ms(1), "use 1ms"), (ms(0), ms(0), "use 1ms")]
        {
            let error = Backoff::exponential(base, cap).unwrap_err().to_string();
            assert!(error.contains(fix) && error.contains(&format!("{base:?}")), "{error}");
        }
    }

    #[test]
    fn zero_attempts_are_refused() {
        assert!(MaxAttempts::new(0).is_err());
        assert_eq!(MaxAttempts::new(1).unwrap().get().get(), 1);
        assert_eq!(MaxAttempts::default().get().get(), 3);
        assert_eq!(MaxAttempts::from(NonZeroU32::MIN), MaxAttempts::new(1).unwrap());
    }

    proptest! {
        #[test]
        fn no_delay_panics_or_exceeds_the_cap(
            base in 1..=u64::MAX,
            more in any::<u64>(),
            retry: u32,
            last: Option<u64>,
            unit in 0.0..1.0,
        ) {
            let base = Duration::from_nanos(base);
            let cap = base.saturating_add(Duration::from_secs(more));
            let last = last.map(Duration::from_secs);
            for jitter in [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated] {
                let backoff = Backoff::exponential(base, cap).unwrap().jitter(jitter);
                prop_assert!(backoff.delay(retry, last, unit) <= cap, "{jitter:?}");
            }
        }
    }
}
