//! What came of the calls of the last while: ten buckets, counted without a lock.

use crate::sync::AtomicU64;
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed};

/// How many buckets a window has; fewer orders to try where loom tries all.
pub(crate) const BUCKETS: usize = if cfg!(all(test, bartizan_loom)) { 2 } else { 10 };

/// Ten buckets that are reused in turn. A bucket that belongs to another time, or to another generation of the circuit, counts for
/// nothing, so reading is as good as rotating.
#[derive(Debug)]
pub(crate) struct Window {
    buckets: [Bucket; BUCKETS],
}

#[derive(Debug, Default)]
struct Bucket {
    good: Count,
    bad: Count,
    slow: Count,
}

/// What one result counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Good,
    Bad,
    /// Beside one of the others.
    Slow,
}

/// The sums of a window, of which each is below eleven million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) good: u32,
    pub(crate) bad: u32,
    pub(crate) slow: u32,
}

impl Tally {
    pub(crate) fn calls(&self) -> u32 {
        self.good + self.bad
    }
}

impl Default for Window {
    fn default() -> Self {
        Self { buckets: std::array::from_fn(|_| Bucket::default()) }
    }
}

impl Window {
    /// Counts a result of a call that belongs to `generation`, at `tick`, a tenth of the window's length.
    pub(crate) fn count(&self, generation: u64, tick: u64, mark: Mark) {
        self.at(tick, mark).add(Tag::new(generation, tick));
    }

    /// Forgets all. Who counts at the same moment comes before it or after it.
    pub(crate) fn clear(&self) {
        for count in self.buckets.iter().flat_map(|bucket| [&bucket.good, &bucket.bad, &bucket.slow]) {
            count.0.store(0, Relaxed);
        }
    }

    /// What was counted for `generation` in the ten ticks up to `tick`.
    pub(crate) fn tally(&self, generation: u64, tick: u64) -> Tally {
        let oldest = tick.saturating_sub(BUCKETS as u64 - 1);
        let sum = |mark| (oldest..=tick).map(|tick| self.at(tick, mark).of(Tag::new(generation, tick))).sum();
        // What shares are of comes last: others count meanwhile, and a share that never was must not open a circuit.
        let slow = sum(Mark::Slow);
        let bad = sum(Mark::Bad);
        Tally { good: sum(Mark::Good), bad, slow }
    }

    fn at(&self, tick: u64, mark: Mark) -> &Count {
        let bucket = &self.buckets[(tick % BUCKETS as u64) as usize];
        match mark {
            Mark::Good => &bucket.good,
            Mark::Bad => &bucket.bad,
            Mark::Slow => &bucket.slow,
        }
    }
}

/// Which generation (8 bits) and tick (36 bits: two years of 1 ms, the shortest) a count belongs to. Both come round again. A circuit
/// clears the window at each change, so that what is there is never old by many generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tag(u64);

const COUNT_BITS: u32 = 20;
const TICK_BITS: u32 = 36;
const MAX_COUNT: u64 = (1 << COUNT_BITS) - 1;

impl Tag {
    fn new(generation: u64, tick: u64) -> Self {
        Self((generation & 0xff) << TICK_BITS | tick & ((1 << TICK_BITS) - 1))
    }

    /// Whether this is of a later generation, or of a later tick of the same. Late is what is less than half of all ahead.
    fn is_after(self, other: Self) -> bool {
        let is_same_generation = self.0 >> TICK_BITS == other.0 >> TICK_BITS;
        let unused_bits = if is_same_generation { 64 - TICK_BITS } else { COUNT_BITS };
        (self.0.wrapping_sub(other.0) << unused_bits).cast_signed() > 0
    }
}

/// A tag and a number, in one word. Who sees what another thread has counted here sees all that it has counted before: of two calls
/// that are counted and then marked as slow, the last sees both marks and both calls.
#[derive(Debug, Default)]
struct Count(AtomicU64);

impl Count {
    fn of(&self, tag: Tag) -> u32 {
        let word = self.0.load(Acquire);
        if word >> COUNT_BITS == tag.0 { (word & MAX_COUNT) as u32 } else { 0 }
    }

    /// One more. What comes late, when the bucket already belongs to a later time or generation, is dropped.
    fn add(&self, tag: Tag) {
        let add = |word: u64| {
            let there = Tag(word >> COUNT_BITS);
            if there == tag {
                // Saturates at a million, which keeps the rate nearly what it was.
                Some((tag.0 << COUNT_BITS) | (word & MAX_COUNT).saturating_add(1).min(MAX_COUNT))
            } else {
                (word == 0 || tag.is_after(there)).then_some(tag.0 << COUNT_BITS | 1)
            }
        };
        let _ = self.0.fetch_update(AcqRel, Acquire, add);
    }
}

#[cfg(test)]
#[cfg(not(bartizan_loom))]
mod tests {
    use super::*;

    fn tally(good: u32, bad: u32, slow: u32) -> Tally {
        Tally { good, bad, slow }
    }

    #[test]
    fn a_window_has_ten_ticks() {
        let window = Window::default();
        for tick in 5..25 {
            window.count(1, tick, Mark::Good);
            window.count(1, tick, Mark::Bad);
        }
        assert_eq!(window.tally(1, 24), tally(10, 10, 0));
        assert_eq!(window.tally(1, 30), tally(4, 4, 0), "21 to 24 are left");
        assert_eq!(window.tally(1, 33), tally(1, 1, 0));
        assert_eq!(window.tally(1, 34), tally(0, 0, 0));
        assert_eq!(window.tally(1, 34 + (1 << 20)), tally(0, 0, 0));
    }

    #[test]
    fn marks_are_counted_apart() {
        let window = Window::default();
        for mark in [Mark::Good, Mark::Good, Mark::Bad, Mark::Slow, Mark::Slow, Mark::Slow] {
            window.count(0, 0, mark);
        }
        assert_eq!((window.tally(0, 0), window.tally(0, 0).calls()), (tally(2, 1, 3), 3));
    }

    #[test]
    fn a_window_that_is_cleared_has_counted_nothing() {
        let window = Window::default();
        for tick in 0..10 {
            for mark in [Mark::Good, Mark::Bad, Mark::Slow] {
                window.count(0, tick, mark);
            }
        }
        window.clear();
        assert_eq!(window.tally(0, 9), tally(0, 0, 0));
    }

    #[test]
    fn each_generation_has_its_own_and_late_results_of_an_older_one_are_dropped() {
        let window = Window::default();
        window.count(1, 7, Mark::Bad);
        assert_eq!(window.tally(2, 7), tally(0, 0, 0));
        window.count(2, 7, Mark::Good);
        window.count(1, 7, Mark::Good);
        assert_eq!((window.tally(1, 7).good, window.tally(2, 7).good), (0, 1));
        // In a bucket that the new generation has not touched, the old one counts for itself alone.
        window.count(1, 8, Mark::Bad);
        assert_eq!(window.tally(2, 8), tally(1, 0, 0));
        window.count(2, 8, Mark::Bad);
        assert_eq!(window.tally(2, 8), tally(1, 1, 0));
    }

    #[test]
    fn a_thread_that_was_held_up_for_a_window_drops_its_result() {
        let window = Window::default();
        window.count(1, 17, Mark::Good);
        window.count(1, 7, Mark::Good);
        assert_eq!(window.tally(1, 17), tally(1, 0, 0));
    }

    #[test]
    fn generations_come_round() {
        let window = Window::default();
        window.count(0xff, 3, Mark::Bad);
        window.count(0x100, 3, Mark::Good);
        window.count(0x100, 3, Mark::Bad);
        assert_eq!(window.tally(0x100, 3), tally(1, 1, 0));
        window.count(0xff, 3, Mark::Bad);
        assert_eq!(window.tally(0x100, 3), tally(1, 1, 0), "older, though its number is greater");
    }

    #[test]
    fn ticks_come_round() {
        let window = Window::default();
        let round = 1 << TICK_BITS;
        for tick in round - 15..round + 15 {
            window.count(1, tick, Mark::Bad);
        }
        assert_eq!(window.tally(1, round + 14), tally(0, 10, 0));
        window.count(1, round + 4, Mark::Bad);
        assert_eq!(window.tally(1, round + 14), tally(0, 10, 0), "older, by ten");
    }

    #[test]
    fn ticks_that_come_round_are_of_no_other_generation() {
        let window = Window::default();
        let round = 1 << TICK_BITS;
        window.count(0, round, Mark::Bad);
        assert_eq!((window.tally(0, round), window.tally(1, round)), (tally(0, 1, 0), tally(0, 0, 0)));
    }

    #[test]
    fn counts_saturate() {
        let count = Count::default();
        let tag = Tag::new(3, 5);
        count.0.store(tag.0 << COUNT_BITS | (MAX_COUNT - 1), Relaxed);
        for _ in 0..3 {
            count.add(tag);
        }
        assert_eq!(u64::from(count.of(tag)), MAX_COUNT);
        assert_eq!(count.of(Tag::new(3, 6)), 0, "and do not flow over into the tag");
    }
}
