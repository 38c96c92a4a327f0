//! The last results, for the rules that count calls and not time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// The last results, the oldest first; whether each was a failure.
    last: VecDeque<bool>,
    failed: u32,
    /// Failures in a row, and when the first of them was.
    streak: Option<(u32, Instant)>,
}

impl Recent {
    /// Whether at least `rate` of the last `calls` failed, now that there are so many.
    pub(crate) fn last(&mut self, is_failure: bool, calls: u32, rate: f64) -> bool {
        self.last.push_back(is_failure);
        self.failed += u32::from(is_failure);
        if self.last.len() > calls as usize {
            self.failed -= u32::from(self.last.pop_front().unwrap_or_default());
        }
        is_failure && self.last.len() == calls as usize && f64::from(self.failed) >= rate * f64::from(calls)
    }

    /// Whether so many failed one after the other, the first so long ago.
    pub(crate) fn streak(&mut self, is_failure: bool, failures: u32, over: Duration, now: Instant) -> bool {
        if !is_failure {
            self.streak = None;
            return false;
        }
        let (count, since) = self.streak.get_or_insert((0, now));
        *count = count.saturating_add(1);
        *count >= failures && now.saturating_duration_since(*since) >= over
    }
}

#[cfg(test)]
#[cfg(not(bartizan_loom))]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_too_long_to_be_counted_does_not_begin_anew() {
        let now = tokio::time::Instant::now().into_std();
        let mut recent = Recent { streak: Some((u32::MAX, now)), ..Recent::default() };
        assert!(recent.streak(true, u32::MAX, Duration::ZERO, now));
    }
}
