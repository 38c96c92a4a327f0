use std::error::Error;
use std::fmt;
use std::num::NonZeroUsize;

/// How many retries all calls to one origin may make together: the rule, without its state.
///
/// Attempts per call are no protection: when an origin is down, every call makes all of them, and an origin that could recover under
/// its usual load does not under three times as much. A budget ties retries to successes. Each success deposits a part of
/// a retry, each retry withdraws a whole one, and deposits expire after 10 s. While an origin answers, nearly every
/// failure finds a deposit; while it does not, there are none.
///
/// Beside that a small *reserve* lets a client without past retry its very first failure. It is full at the start, gets one
/// retry back every 10 s, and is open only while at most two calls in a row have failed since the start or the last success. A
/// command-line tool's first 503 is retried; a fleet in an outage hardly makes use of it.
///
/// | | ratio | reserve | for |
/// |---|---|---|---|
/// | [`Budget::new`] | 0.2 | 1 | most clients |
/// | [`Budget::fleet`] | 0.2 | 0 | tens of thousands of small clients of one origin, whose reserves would add up |
/// | [`Budget::none`] | | | no limit but the attempts of each call |
///
/// A ratio of 0.2 adds at most a fifth to the load of an origin that works, and pays for all retries while fewer than one attempt
/// in six fails. `docs/retry-budget.md` in the repository has the simulation behind these figures, and where they lose.
///
/// ```
/// use bartizan_retry::{Budget, RetryLayer};
///
/// let layer = RetryLayer::new().budget(Budget::new().ratio(0.1)?.reserve(2));
/// assert!(Budget::new().ratio(1.5).is_err());
/// # let _ = layer;
/// # Ok::<(), bartizan_retry::InvalidBudget>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    pub(crate) ratio: f64,
    pub(crate) reserve: u16,
    pub(crate) max_keys: NonZeroUsize,
    pub(crate) is_limited: bool,
}

const HUNDRED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(99);

impl Budget {
    /// A fifth of the successes, and a reserve of 1.
    pub const fn new() -> Self {
        Self { ratio: 0.2, reserve: 1, max_keys: HUNDRED, is_limited: true }
    }

    /// A fifth of the successes, and nothing else: before its first success such a client retries nothing.
    pub const fn fleet() -> Self {
        Self::new().reserve(0)
    }

    /// No limit for all calls together.
    pub const fn none() -> Self {
        Self { is_limited: false, ..Self::new() }
    }

    /// So many retries a success. 0.2 by default, as in Finagle's `RetryBudget`.
    ///
    /// # Errors
    /// When it is not between 0.01 and 1.
    pub fn ratio(mut self, ratio: f64) -> Result<Self, InvalidBudget> {
        if !(0.01..=1.0).contains(&ratio) {
            return Err(InvalidBudget { ratio });
        }
        self.ratio = ratio;
        Ok(self)
    }

    /// So many retries before the first success. 1 by default.
    #[must_use]
    pub const fn reserve(mut self, retries: u16) -> Self {
        self.reserve = retries;
        self
    }

    /// Budgets are kept for at most so many origins (or other keys) beside the first; what is idle makes room. 100 by default, about
    /// 20 KB.
    #[must_use]
    pub const fn max_keys(mut self, most: NonZeroUsize) -> Self {
        self.max_keys = most;
        self
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

/// A ratio that makes no budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvalidBudget {
    ratio: f64,
}

impl fmt::Display for InvalidBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a retry budget of {} retries a success is not between 0.01 and 1; use 0.2, or `Budget::none()` for no limit",
            self.ratio
        )
    }
}

impl Error for InvalidBudget {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_that_are_none_are_refused() {
        for ratio in [0.01, 0.2, 1.0] {
            assert_eq!(Budget::new().ratio(ratio).unwrap().ratio, ratio);
        }
        for ratio in [0.0, 0.009_999, -1.0, 1.000_001, f64::NAN, f64::INFINITY] {
            let error = Budget::new().ratio(ratio).unwrap_err().to_string();
            assert!(error.contains(&ratio.to_string()) && error.contains("use 0.2"), "{error}");
        }
    }

    #[test]
    fn the_presets_differ_in_their_reserve_and_in_whether_they_limit() {
        assert_eq!(Budget::new().reserve(0), Budget::fleet());
        assert_eq!((Budget::new().reserve, Budget::default()), (1, Budget::new()));
        assert!(Budget::fleet().is_limited && !Budget::none().is_limited);
    }
}
