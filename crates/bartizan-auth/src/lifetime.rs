//! How long a token is used. Pure.

use std::time::Duration;

/// When a token is used, counted from before the request was sent that brought it: whatever it took to come is gone already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    /// From then on the first who uses it has a newer one fetched meanwhile.
    pub(crate) refresh: Duration,
    /// From then on it is not used any more.
    pub(crate) end: Duration,
}

/// A newer one is fetched a minute before the end, but not in the last quarter alone of one that lives for less than four.
const EARLY: Duration = Duration::from_secs(60);
/// Clocks differ, and requests take a while: the last five seconds are not used, of short lives the last tenth.
const SPARE: Duration = Duration::from_secs(5);

impl Lifetime {
    /// Of a token that lives so long. `chance` is between 0 and 1, and makes those that were fetched at once be refreshed one after the other.
    pub(crate) fn new(life: Duration, chance: f64) -> Self {
        let early = (life / 4).min(EARLY);
        let thousandths = (100.0 * chance.clamp(0.0, 1.0)) as u32;
        let refresh = (life - early) - (life - early) / 1000 * thousandths;
        Self { refresh, end: life - (life / 10).min(SPARE) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_refreshed_a_minute_or_a_quarter_early_and_ends_five_seconds_or_a_tenth_early() {
        for (life, refresh, end) in [
            (3600.0, 3540.0, 3595.0),
            (240.0, 180.0, 235.0),
            (100.0, 75.0, 95.0),
            (20.0, 15.0, 18.0),
            (2.0, 1.5, 1.8),
            (0.0, 0.0, 0.0),
        ] {
            let life = Lifetime::new(Duration::from_secs_f64(life), 0.0);
            assert_eq!((life.refresh.as_secs_f64(), life.end.as_secs_f64()), (refresh, end));
        }
    }

    #[test]
    fn chance_makes_it_up_to_a_tenth_earlier() {
        let hour = Duration::from_secs(3600);
        for (chance, refresh) in [(0.0, 3540), (0.5, 3363), (1.0, 3186), (7.0, 3186), (-1.0, 3540)] {
            assert_eq!(Lifetime::new(hour, chance).refresh, Duration::from_secs(refresh), "{chance}");
        }
    }

    #[test]
    fn no_life_is_too_long() {
        let lifetime = Lifetime::new(Duration::MAX, 0.0);
        assert!(lifetime.refresh < lifetime.end && lifetime.end < Duration::MAX);
    }
}
