use std::error::Error;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// So many tokens for each period, and how many may be saved up.
///
/// ```
/// use std::time::Duration;
/// use bartizan_rate_limit::Quota;
///
/// let api = Quota::new(5_000, Duration::from_secs(3_600))?.burst(100)?;
/// assert_eq!(api.to_string(), "5000 per 3600s, at most 100 at once");
/// assert_eq!(
///     Quota::new(0, Duration::from_secs(1)).unwrap_err().to_string(),
///     "a quota of 0 per 1s lets nothing through; use at least 1"
/// );
/// # Ok::<(), bartizan_rate_limit::InvalidQuota>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    tokens: NonZeroU32,
    period: Duration,
    burst: NonZeroU32,
}

/// What a full bucket may take to fill.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

impl Quota {
    /// `tokens` for each `period`, and as many saved up at most.
    ///
    /// A token is back after `period / tokens`, rounded up to whole nanoseconds, so that no more than the quota is ever let through; above a
    /// million a second that is some tenths of a percent less.
    ///
    /// # Errors
    /// When it lets nothing through, or more than one a nanosecond, or when filling the bucket takes longer than 400 days.
    pub fn new(tokens: u32, period: Duration) -> Result<Self, InvalidQuota> {
        let invalid = |fault| InvalidQuota { tokens, period, burst: tokens, fault };
        let Some(tokens) = NonZeroU32::new(tokens) else { return Err(invalid(Fault::Nothing)) };
        if period.as_nanos() < u128::from(tokens.get()) {
            return Err(invalid(Fault::TooFast));
        }
        Self { tokens, period, burst: tokens }.checked()
    }

    /// `tokens` a second.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn per_second(tokens: u32) -> Result<Self, InvalidQuota> {
        Self::new(tokens, Duration::from_secs(1))
    }

    /// `tokens` a minute.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn per_minute(tokens: u32) -> Result<Self, InvalidQuota> {
        Self::new(tokens, Duration::from_secs(60))
    }

    /// 60 tokens, of which one comes back each second: what many have written by hand.
    pub const fn classic() -> Self {
        const SIXTY: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);
        Self { tokens: NonZeroU32::MIN, period: Duration::from_secs(1), burst: SIXTY }
    }

    /// At most so many at once, and the most that one request may cost. By default as many as a period has.
    ///
    /// tokio's timers have a resolution of a millisecond: a bucket that fills within one is not used to the full.
    ///
    /// # Errors
    /// When it is zero, or filling the bucket takes longer than 400 days.
    pub fn burst(mut self, tokens: u32) -> Result<Self, InvalidQuota> {
        let Some(burst) = NonZeroU32::new(tokens) else {
            let Self { tokens, period, .. } = self;
            return Err(InvalidQuota { tokens: tokens.get(), period, burst: 0, fault: Fault::Nothing });
        };
        self.burst = burst;
        self.checked()
    }

    /// Tokens for each period.
    pub fn tokens(&self) -> NonZeroU32 {
        self.tokens
    }

    /// The period.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// How many tokens a full bucket has.
    pub fn most_at_once(&self) -> NonZeroU32 {
        self.burst
    }

    /// After how long a token is back.
    pub fn interval(&self) -> Duration {
        let nanos = self.period.as_nanos().div_ceil(u128::from(self.tokens.get()));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn checked(self) -> Result<Self, InvalidQuota> {
        let Self { tokens, period, burst } = self;
        let nanos =
            period.as_nanos().div_ceil(u128::from(tokens.get())).saturating_mul(u128::from(burst.get()));
        if nanos > LONGEST.as_nanos() {
            return Err(InvalidQuota {
                tokens: tokens.get(),
                period,
                burst: burst.get(),
                fault: Fault::TooSlow,
            });
        }
        Ok(self)
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per {:?}, at most {} at once", self.tokens, self.period, self.burst)
    }
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quota({self})")
    }
}

/// Numbers that make no quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidQuota {
    tokens: u32,
    period: Duration,
    burst: u32,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Nothing,
    TooFast,
    TooSlow,
}

impl fmt::Display for InvalidQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tokens, period, burst, fault } = self;
        match fault {
            Fault::Nothing if *tokens > 0 => {
                write!(f, "a bucket of {burst} lets nothing through; use at least 1")
            }
            Fault::Nothing => {
                write!(f, "a quota of {tokens} per {period:?} lets nothing through; use at least 1")
            }
            Fault::TooFast => {
                write!(
                    f,
                    "a quota of {tokens} per {period:?} is more than one a nanosecond; use a longer period"
                )
            }
            Fault::TooSlow => write!(
                f,
                "a bucket of {burst} that gets {tokens} per {period:?} takes longer than 400 days to fill; use a \
                 smaller burst, or a shorter period"
            ),
        }
    }
}

impl Error for InvalidQuota {}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn quotas_that_are_none_are_refused() {
        let day = 86_400 * SECOND;
        for (quota, complaint) in [
            (Quota::new(0, SECOND), "a quota of 0 per 1s lets nothing through; use at least 1"),
            (
                Quota::new(1, Duration::ZERO),
                "a quota of 1 per 0ns is more than one a nanosecond; use a longer period",
            ),
            (
                Quota::new(3, Duration::from_nanos(2)),
                "a quota of 3 per 2ns is more than one a nanosecond; use a longer period",
            ),
            (Quota::classic().burst(0), "a bucket of 0 lets nothing through; use at least 1"),
            (
                Quota::new(1, 401 * day),
                "a bucket of 1 that gets 1 per 34646400s takes longer than 400 days to fill; use a smaller burst, or a \
                 shorter period",
            ),
            (
                Quota::new(1, day).unwrap().burst(401),
                "a bucket of 401 that gets 1 per 86400s takes longer than 400 days to fill; use a smaller burst, or a \
                 shorter period",
            ),
            (
                Quota::new(u32::MAX, Duration::MAX),
                "a bucket of 4294967295 that gets 4294967295 per 18446744073709551615.999999999s takes longer than 400 \
                 days to fill; use a smaller burst, or a shorter period",
            ),
        ] {
            assert_eq!(quota.unwrap_err().to_string(), complaint);
        }
        assert!(Quota::new(1, 400 * day).is_ok() && Quota::new(400, day).unwrap().burst(160_000).is_ok());
        assert!(Quota::new(2, Duration::from_nanos(2)).is_ok());
    }

    #[test]
    fn a_token_is_back_after_its_part_of_the_period_and_never_before() {
        for (tokens, period, nanos) in [
            (1, SECOND, 1_000_000_000),
            (3, SECOND, 333_333_334),
            (5_000, 3_600 * SECOND, 720_000_000),
            (7, Duration::from_nanos(10), 2),
        ] {
            assert_eq!(
                Quota::new(tokens, period).unwrap().interval(),
                Duration::from_nanos(nanos),
                "{tokens}"
            );
        }
    }

    #[test]
    fn classic_is_60_refilled_at_one_a_second() {
        let classic = Quota::classic();
        assert_eq!((classic.interval(), classic.most_at_once().get()), (SECOND, 60));
        assert_eq!(Quota::per_minute(60).unwrap().most_at_once().get(), 60);
        assert_eq!(Quota::per_second(50).unwrap().interval(), Duration::from_millis(20));
    }
}
