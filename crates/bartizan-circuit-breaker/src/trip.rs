use std::error::Error;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// When a closed circuit opens.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use bartizan_circuit_breaker::Trip;
///
/// let rate = Trip::rate(0.5, 10, Duration::from_secs(30))?; // the default
/// let last = Trip::last(0.5, 20)?;
/// let streak = Trip::consecutive(NonZeroU32::new(5).unwrap()).spread_over(Duration::from_secs(2));
/// let slow = rate.or_slow(0.8)?;
/// assert_eq!(Trip::default(), rate);
/// # let _ = (last, streak, slow);
///
/// let error = Trip::rate(1.5, 10, Duration::from_secs(30)).unwrap_err();
/// assert_eq!(error.to_string(), "a failure rate of 1.5 can never be reached; use one above 0 and at most 1, such as 0.5");
/// # Ok::<(), bartizan_circuit_breaker::InvalidTrip>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trip {
    pub(crate) rule: Rule,
    /// The share of slow calls, in the same stretch of time.
    pub(crate) slow: Option<f64>,
    /// How far back rates are taken from.
    pub(crate) within: Duration,
    /// Of how many calls a rate is taken at least.
    pub(crate) least: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    /// So great a share of the calls in the window.
    Rate(f64),
    /// So great a share of the last calls, whenever they were.
    Last { rate: f64, calls: u32 },
    /// So many, one after the other, the first and the last so far apart at least.
    Consecutive { failures: u32, over: Duration },
}

/// The window where a rule names none.
const WITHIN: Duration = Duration::from_secs(30);
const LEAST: u32 = 10;

/// The most calls that [`Trip::last`] looks back at.
const MOST_LAST: u32 = 10_000;

impl Trip {
    /// When at least `rate` of at least `least` calls within the last `within` have failed.
    ///
    /// [`default`](Self::default) is half of at least 10 calls within 30 s: resilience4j's rate, Polly's window.
    ///
    /// # Errors
    /// When the rate is not above 0 and at most 1, `least` is 0, or `within` is shorter than 10 ms or longer than a day.
    pub fn rate(rate: f64, least: u32, within: Duration) -> Result<Self, InvalidTrip> {
        let trip = Self { rule: Rule::Rate(checked(rate)?), slow: None, within, least };
        if least == 0 {
            return Err(InvalidTrip(Fault::NoCalls));
        }
        if !(Duration::from_millis(10)..=Duration::from_secs(86_400)).contains(&within) {
            return Err(InvalidTrip(Fault::Window(within)));
        }
        Ok(trip)
    }

    /// When at least `rate` of the last `calls` calls have failed, whenever they were made. For origins that are called too seldom
    /// for a window of time. It takes a lock for each result.
    ///
    /// # Errors
    /// When the rate is not above 0 and at most 1, or `calls` is 0 or above 10,000.
    pub fn last(rate: f64, calls: u32) -> Result<Self, InvalidTrip> {
        if !(1..=MOST_LAST).contains(&calls) {
            return Err(InvalidTrip(Fault::Last(calls)));
        }
        Ok(Self {
            rule: Rule::Last { rate: checked(rate)?, calls },
            slow: None,
            within: WITHIN,
            least: LEAST,
        })
    }

    /// When so many calls have failed one after the other.
    pub const fn consecutive(failures: NonZeroU32) -> Self {
        let rule = Rule::Consecutive { failures: failures.get(), over: Duration::ZERO };
        Self { rule, slow: None, within: WITHIN, least: LEAST }
    }

    /// With [`consecutive`](Self::consecutive): only if the first of them began to be a failure so long ago, so that one burst of calls
    /// is no proof. By default at once. Other rules stay as they are.
    #[must_use]
    pub const fn spread_over(mut self, time: Duration) -> Self {
        if let Rule::Consecutive { failures, .. } = self.rule {
            self.rule = Rule::Consecutive { failures, over: time };
        }
        self
    }

    /// Also when so great a share of the calls in the window (that of [`rate`](Self::rate), else at least 10 calls in 30 s) was slow,
    /// whatever their answer. By default slowness counts for nothing.
    ///
    /// # Errors
    /// When it is not above 0 and at most 1.
    pub fn or_slow(mut self, rate: f64) -> Result<Self, InvalidTrip> {
        self.slow = Some(checked(rate)?);
        Ok(self)
    }
}

impl Default for Trip {
    fn default() -> Self {
        Self { rule: Rule::Rate(0.5), slow: None, within: WITHIN, least: LEAST }
    }
}

fn checked(rate: f64) -> Result<f64, InvalidTrip> {
    if rate > 0.0 && rate <= 1.0 { Ok(rate) } else { Err(InvalidTrip(Fault::Rate(rate))) }
}

/// A rule by which no circuit could open, or every one would.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvalidTrip(Fault);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Rate(f64),
    NoCalls,
    Window(Duration),
    Last(u32),
}

impl fmt::Display for InvalidTrip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Fault::Rate(rate) => {
                let why = if rate <= 0.0 { "would be reached by every call" } else { "can never be reached" };
                write!(f, "a failure rate of {rate} {why}; use one above 0 and at most 1, such as 0.5")
            }
            Fault::NoCalls => f.write_str("a rate of at least 0 calls is none; use 1 at least, such as 10"),
            Fault::Window(within) => {
                write!(f, "a window of {within:?} is not between 10ms and a day; use one such as 30s")
            }
            Fault::Last(calls) => {
                write!(f, "the last {calls} calls are not between 1 and {MOST_LAST}; use a number such as 20")
            }
        }
    }
}

impl Error for InvalidTrip {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_are_none_are_refused() {
        let window = Duration::from_secs(30);
        for rate in [0.0, -0.1, 1.000_001, f64::NAN, f64::INFINITY] {
            for error in [
                Trip::rate(rate, 10, window).unwrap_err(),
                Trip::last(rate, 10).unwrap_err(),
                Trip::default().or_slow(rate).unwrap_err(),
            ] {
                let text = error.to_string();
                assert!(text.contains(&rate.to_string()) && text.contains("such as 0.5"), "{text}");
            }
        }
        assert!(Trip::rate(0.5, 0, window).unwrap_err().to_string().contains("such as 10"));
        let (least, most) = (Duration::from_millis(10), Duration::from_secs(86_400));
        for within in [Duration::ZERO, least - Duration::from_nanos(1), most + Duration::from_nanos(1)] {
            assert!(Trip::rate(0.5, 1, within).unwrap_err().to_string().contains("such as 30s"));
        }
        for calls in [0, 10_001] {
            assert!(Trip::last(0.5, calls).unwrap_err().to_string().contains("such as 20"));
        }
        assert!(Trip::rate(1.0, 1, least).is_ok() && Trip::rate(f64::MIN_POSITIVE, 1, most).is_ok());
        assert!(Trip::last(1.0, 1).is_ok() && Trip::last(1.0, 10_000).is_ok());
    }

    #[test]
    fn a_refused_rate_says_why() {
        for (rate, why) in [
            (0.0, "would be reached by every call"),
            (-0.5, "would be reached by every call"),
            (1.5, "can never be reached"),
            (f64::NAN, "can never be reached"),
        ] {
            let text = Trip::last(rate, 10).unwrap_err().to_string();
            assert!(text.starts_with(&format!("a failure rate of {rate} {why}; use one")), "{text}");
        }
    }

    #[test]
    fn only_a_row_of_failures_is_spread_over_some_time() {
        let row = Trip::consecutive(NonZeroU32::MIN);
        assert_ne!(row.spread_over(Duration::from_secs(2)), row);
        for trip in [Trip::default(), Trip::last(0.5, 20).unwrap()] {
            assert_eq!(trip.spread_over(Duration::from_secs(2)), trip);
        }
    }
}
