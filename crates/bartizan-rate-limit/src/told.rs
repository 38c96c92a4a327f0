//! The server's quotas, as it last told them: so many calls until some moment. Pure: the time is an argument.

use std::time::Duration;

use tokio::time::Instant;

use crate::said::{Window, Windows};
use crate::tokens::far;

/// The call whose answer tells something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    /// The number that calls had when it went.
    pub(crate) went: u32,
    /// The number that calls have from now on.
    pub(crate) now: u32,
    /// How many others are under way, which the server may not have counted.
    pub(crate) in_flight: u64,
}

/// What may still be sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told([Option<Left>; Windows::MOST]);

#[derive(Clone, Copy, Debug)]
struct Left {
    policy: u64,
    /// How much there is in a full one: as it was told, or else the most that ever seemed to be left.
    limit: u64,
    lasts: Duration,
    /// What was told last. Answers overtake each other: of those to calls that overlapped the lowest counts.
    told: u64,
    /// When that was heard: as the calls that go from then on are numbered.
    heard: u32,
    /// That, less what was sent and is not told of yet.
    remaining: u64,
    until: Instant,
    /// It ended, and goes on as if the server had filled it, for one more time.
    is_renewed: bool,
}

impl Heard {
    fn went_before(self, heard: u32) -> bool {
        // Numbers come round.
        heard.wrapping_sub(self.went).cast_signed() > 0
    }
}

impl Told {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// The server has told so, in its answer to `call`.
    pub(crate) fn hear(&mut self, told: &Window, call: Heard, now: Instant) {
        let Some(lasts) = told.resets_in.or(told.lasts) else { return };
        let known = self.0.iter().flatten().find(|window| window.policy == told.policy).copied();
        let known = known.filter(|window| now < window.until);
        let Some(remaining) = told.remaining.or_else(|| told.limit?.checked_sub(1)) else { return };
        if told.remaining.is_none() && known.is_some() {
            // A policy without a state says nothing that is not known.
            return;
        }
        // A call that went before the last word was heard may have been counted before it.
        if known.is_some_and(|known| call.went_before(known.heard) && known.told <= remaining) {
            return;
        }
        self.put(Left {
            policy: told.policy,
            limit: told.limit.unwrap_or_else(|| {
                let known = known.map_or(0, |known| known.limit);
                known.max(remaining.saturating_add(1))
            }),
            lasts: told.lasts.unwrap_or(lasts),
            told: remaining,
            heard: call.now,
            remaining: remaining.saturating_sub(call.in_flight),
            until: far(now, lasts),
            is_renewed: false,
        });
    }

    /// Lets go of what has ended.
    pub(crate) fn roll(&mut self, in_flight: u64, now: Instant) {
        for place in &mut self.0 {
            let Some(window) = place else { continue };
            if now < window.until {
                continue;
            }
            let next = far(window.until, window.lasts);
            if window.is_renewed || now >= next {
                *place = None;
                continue;
            }
            window.told = window.limit;
            window.remaining = window.limit.saturating_sub(in_flight);
            window.until = next;
            window.is_renewed = true;
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.0.iter().flatten().all(|window| window.remaining > 0)
    }

    pub(crate) fn take(&mut self) {
        for window in self.0.iter_mut().flatten() {
            window.remaining = window.remaining.saturating_sub(1);
        }
    }

    pub(crate) fn give_back(&mut self) {
        for window in self.0.iter_mut().flatten() {
            window.remaining = window.remaining.saturating_add(1).min(window.told);
        }
    }

    /// When there is room for the `nth` from now.
    pub(crate) fn due(&self, nth: u64, now: Instant) -> Instant {
        let due = |window: &Left| {
            if nth <= window.remaining {
                return now;
            }
            let beyond = nth - window.remaining;
            // How many whole windows come before his.
            let windows = (beyond - 1) / window.limit.max(1);
            let windows = u32::try_from(windows).unwrap_or(u32::MAX);
            far(window.until, window.lasts.saturating_mul(windows))
        };
        self.0.iter().flatten().map(due).max().unwrap_or(now)
    }

    /// In the place of the same policy, of none, or of the one that ends first.
    fn put(&mut self, window: Left) {
        let same = self.0.iter().position(|known| known.is_some_and(|known| known.policy == window.policy));
        let place = same.or_else(|| {
            // Nothing is before all moments.
            let until = |place: &usize| self.0[*place].map(|known| known.until);
            (0..self.0.len()).min_by_key(until)
        });
        if let Some(place) = place {
            self.0[place] = Some(window);
        }
    }
}

#[cfg(test)]
mod tests;
