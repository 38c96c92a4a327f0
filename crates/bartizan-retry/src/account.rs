//! The state of one budget: deposits that expire, and a reserve. Atomics and arithmetic, with the time as an argument.

use std::ops::RangeInclusive;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::{Duration, Instant};

use crate::Budget;

/// What one retry costs. Fine enough for a ratio of 0.01 to be exact to a thousandth.
const RETRY: u32 = 100_000;

/// Deposits are kept by the second, and the oldest of so many seconds is the next to expire.
const SECONDS: usize = 10;

/// In which time the reserve gets one retry back.
const REFILL: Duration = Duration::from_secs(10);

/// The reserve is open while no more calls than this have failed one after the other.
const FAILED_IN_A_ROW: u32 = 2;

/// One origin's budget. Nothing in it ever waits, and each operation takes the same few steps after any idle time.
///
/// Two threads that withdraw at once may both be refused what only one of them could have had. They never get more than
/// there is.
#[derive(Debug)]
pub(crate) struct Account {
    deposit: u32,
    reserve_capacity: u64,
    opened: Instant,
    /// What was deposited in each of the last seconds and is still there.
    deposits: [Deposits; SECONDS],
    /// The reserve as a virtual schedule: when it is full again, in nanoseconds since the account was opened.
    reserve_full_at: AtomicU64,
    failed_in_a_row: AtomicU32,
}

/// Where a withdrawal came from, for the case that it is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Withdrawal {
    /// The newest second of those that it was taken from.
    Deposits(u32),
    Reserve,
}

impl Account {
    pub(crate) fn open(budget: Budget, now: Instant) -> Self {
        Self {
            deposit: (budget.ratio * f64::from(RETRY)).round() as u32,
            reserve_capacity: u64::from(budget.reserve) * nanos(REFILL),
            opened: now,
            deposits: std::array::from_fn(|_| Deposits::default()),
            reserve_full_at: AtomicU64::new(0),
            failed_in_a_row: AtomicU32::new(0),
        }
    }

    /// A call has succeeded.
    pub(crate) fn succeeded(&self, now: Instant) {
        // Reads first: a shared cache line that is only read stays in every core's cache.
        if self.failed_in_a_row.load(Relaxed) != 0 {
            self.failed_in_a_row.store(0, Relaxed);
        }
        let second = self.second(now);
        self.of(second).put(second, self.deposit);
    }

    /// A call has failed, with all its attempts.
    pub(crate) fn failed(&self) {
        // It stops where it is far above what matters, so that it cannot wrap.
        if self.failed_in_a_row.load(Relaxed) <= FAILED_IN_A_ROW {
            self.failed_in_a_row.fetch_add(1, Relaxed);
        }
    }

    /// Takes what one retry costs, from the oldest deposits first, then from the reserve.
    pub(crate) fn withdraw(&self, now: Instant) -> Option<Withdrawal> {
        self.withdraw_deposits(self.second(now)).or_else(|| self.withdraw_reserve(now))
    }

    /// How many withdrawals there are, if nobody deposits.
    pub(crate) fn left(&self, now: Instant) -> u32 {
        let retries = self.held(self.second(now)) / u64::from(RETRY) + self.reserve(now);
        u32::try_from(retries).unwrap_or(u32::MAX)
    }

    /// Undoes a withdrawal. What would have expired meanwhile is gone.
    pub(crate) fn give_back(&self, withdrawal: Withdrawal) {
        match withdrawal {
            Withdrawal::Deposits(second) => self.of(second).put_back(second, RETRY),
            Withdrawal::Reserve => {
                let earlier = |full_at: u64| Some(full_at.saturating_sub(nanos(REFILL)));
                let _ = self.reserve_full_at.fetch_update(Relaxed, Relaxed, earlier);
            }
        }
    }

    fn withdraw_deposits(&self, now: u32) -> Option<Withdrawal> {
        // Seen from afar first, so that a refusal disturbs nobody.
        if self.held(now) < RETRY.into() {
            return None;
        }
        self.draw(alive(now))
    }

    /// The deposits that are still there, in this second.
    fn held(&self, now: u32) -> u64 {
        alive(now).map(|second| u64::from(self.of(second).held(second))).sum()
    }

    /// Whole retries in the reserve.
    fn reserve(&self, now: Instant) -> u64 {
        if self.failed_in_a_row.load(Relaxed) > FAILED_IN_A_ROW {
            return 0;
        }
        let now = nanos(now.saturating_duration_since(self.opened));
        let taken = self.reserve_full_at.load(Relaxed).saturating_sub(now);
        self.reserve_capacity.saturating_sub(taken) / nanos(REFILL)
    }

    /// All that a retry costs, or nothing.
    fn draw(&self, seconds: RangeInclusive<u32>) -> Option<Withdrawal> {
        let (mut missing, mut taken) = (RETRY, [0; SECONDS]);
        for (second, taken) in seconds.clone().zip(&mut taken) {
            *taken = self.of(second).take(second, missing);
            missing -= *taken;
            if missing == 0 {
                return Some(Withdrawal::Deposits(second));
            }
        }
        // Somebody else was faster.
        for (second, taken) in seconds.zip(taken) {
            self.of(second).put_back(second, taken);
        }
        None
    }

    fn withdraw_reserve(&self, now: Instant) -> Option<Withdrawal> {
        if self.failed_in_a_row.load(Relaxed) > FAILED_IN_A_ROW {
            return None;
        }
        let now = nanos(now.saturating_duration_since(self.opened));
        let take = |full_at: u64| {
            let full_at = full_at.max(now) + nanos(REFILL);
            (full_at - now <= self.reserve_capacity).then_some(full_at)
        };
        self.reserve_full_at.fetch_update(Relaxed, Relaxed, take).ok()?;
        Some(Withdrawal::Reserve)
    }

    fn second(&self, now: Instant) -> u32 {
        // After 136 years it stops.
        u32::try_from(now.saturating_duration_since(self.opened).as_secs()).unwrap_or(u32::MAX)
    }

    fn of(&self, second: u32) -> &Deposits {
        &self.deposits[second as usize % SECONDS]
    }
}

/// The seconds whose deposits are still there.
fn alive(now: u32) -> RangeInclusive<u32> {
    now.saturating_sub(SECONDS as u32 - 1)..=now
}

/// The deposits of one second: which second it is, above, and how much there is of them, below. A second that has come
/// round again takes the place of the old one, with all that is still there.
#[derive(Debug, Default)]
struct Deposits(AtomicU64);

impl Deposits {
    fn held(&self, second: u32) -> u32 {
        let (of, amount) = parts(self.0.load(Relaxed));
        if of == second { amount } else { 0 }
    }

    fn put(&self, second: u32, amount: u32) {
        self.update(|of, held| match of.cmp(&second) {
            std::cmp::Ordering::Less => Some((second, amount)),
            // Later only if this thread was held up for ten seconds; then it counts as late.
            _ => Some((of, held.saturating_add(amount))),
        });
    }

    fn put_back(&self, second: u32, amount: u32) {
        self.update(|of, held| (of == second).then(|| (of, held.saturating_add(amount))));
    }

    /// At most so much, and how much it was.
    fn take(&self, second: u32, at_most: u32) -> u32 {
        let before =
            self.update(|of, held| (of == second && held > 0).then(|| (of, held - held.min(at_most))));
        before.map_or(0, |held| held.min(at_most))
    }

    /// What was held before, if it was changed.
    fn update(&self, change: impl Fn(u32, u32) -> Option<(u32, u32)>) -> Option<u32> {
        let update = |word| {
            let (of, held) = parts(word);
            change(of, held).map(|(of, held)| u64::from(of) << 32 | u64::from(held))
        };
        self.0.fetch_update(Relaxed, Relaxed, update).ok().map(|word| parts(word).1)
    }
}

fn parts(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

/// Of 584 years, which is more than any clock shows.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests;
