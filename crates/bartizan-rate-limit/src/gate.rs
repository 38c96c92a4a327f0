//! The gate that a server closes: before it all wait who call it for one quota.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bartizan_core::{Entry, Subject};
use tokio::time::Instant;

use crate::line::{Line, Source, Who};
use crate::said::{PauseReason, Said, Window};
use crate::tokens::far;
use crate::told::{Heard, Told};
use crate::wait::Lined;

/// Open, until an answer says otherwise.
#[derive(Default)]
pub(crate) struct Gate {
    /// Whether there is something to heed. While there is not, nobody takes the lock.
    heeds: AtomicBool,
    /// Calls that went through and have no answer yet.
    in_flight: AtomicU32,
    /// The number of the calls that go now. It goes up whenever something is heard, so that of two calls it is known whether the one went
    /// after the other was answered.
    number: AtomicU32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queued: bool,
    pause: Option<Pause>,
    reopening: Option<Reopening>,
    told: Told,
}

/// Nobody goes through.
#[derive(Clone, Copy, Debug)]
struct Pause {
    until: Instant,
    /// Over how long those who waited are spread then.
    spread: Duration,
}

/// Those who waited go one after the other.
#[derive(Clone, Copy, Debug)]
struct Reopening {
    next: Instant,
    step: Duration,
    left: usize,
}

impl Reopening {
    /// When all of them could have gone.
    fn ends(&self) -> Instant {
        far(self.next, self.step.saturating_mul(u32::try_from(self.left).unwrap_or(u32::MAX)))
    }
}

/// Timers are no better than a millisecond, so less is not spread.
const LEAST_SPREAD: Duration = Duration::from_millis(100);

impl Gate {
    /// An answer that says something has come to a call that went through. Whether the gate was closed, for everyone.
    pub(crate) fn answered(&self, said: &Said, went: u32) -> bool {
        let before = self.in_flight.fetch_sub(1, Ordering::AcqRel);
        let in_flight = u64::from(before.saturating_sub(1));
        let now = Instant::now();
        let mut state = self.lock();
        let number = self.number.load(Ordering::Acquire).wrapping_add(1);
        self.number.store(number, Ordering::Release);
        let call = Heard { went, now: number, in_flight };
        // `Retry-After` goes before what else is said.
        let asked = said.pause.filter(|pause| pause.why == PauseReason::RetryAfter).map(|pause| pause.lasts);
        for window in said.windows.iter() {
            let resets_in = window.resets_in.map(|wait| asked.map_or(wait, |asked| wait.min(asked)));
            state.told.hear(&Window { resets_in, ..*window }, call, now);
        }
        let mut is_closed = false;
        if let Some(pause) = said.pause {
            is_closed = state.pause(pause.lasts, now);
        }
        self.heeds.store(true, Ordering::Release);
        is_closed
    }

    /// A call that went through came to no answer, or to one that says nothing.
    pub(crate) fn given_up(&self) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
    }

    /// Until when nobody goes through.
    pub(crate) fn paused_until(&self) -> Option<Instant> {
        self.lock().pause.map(|pause| pause.until).filter(|until| *until > Instant::now())
    }

    /// As good as a new one.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) == 0
            && (!self.heeds.load(Ordering::Acquire) || {
                let mut state = self.lock();
                !state.queued && {
                    state.roll(0, 0, Instant::now());
                    state.is_open()
                }
            })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Arithmetic alone is done under it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Gate {
    const CAN_BE_PUT_OFF: bool = true;

    fn take(&self, who: Who, _: NonZeroU32) -> bool {
        let goes = !self.heeds.load(Ordering::Acquire) || {
            let in_flight = u64::from(self.in_flight.load(Ordering::Acquire));
            let mut state = self.lock();
            let waiting = match who {
                // What becomes of those who wait when a pause ends is for them to find.
                Who::Newcomer if state.queued => return false,
                Who::Newcomer => 0,
                Who::First(waiting) => waiting,
            };
            let now = Instant::now();
            state.roll(waiting, in_flight, now);
            let goes = state.take(now);
            if state.is_open() && !state.queued {
                self.heeds.store(false, Ordering::Release);
            }
            goes
        };
        if goes {
            self.in_flight.fetch_add(1, Ordering::AcqRel);
        }
        goes
    }

    fn due(&self, nth: u64) -> Option<Instant> {
        Some(self.lock().due(nth, Instant::now()))
    }

    /// It was not sent after all.
    fn give_back(&self, _: NonZeroU32) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
        if self.heeds.load(Ordering::Acquire) {
            self.lock().told.give_back();
        }
    }

    fn set_queued(&self, queued: bool) {
        self.lock().queued = queued;
    }

    fn is_queued(&self) -> bool {
        self.heeds.load(Ordering::Acquire) && self.lock().queued
    }
}

impl State {
    /// Whether it was put off. A pause is never shortened.
    fn pause(&mut self, lasts: Duration, now: Instant) -> bool {
        let until = far(now, lasts);
        if lasts.is_zero() || self.pause.is_some_and(|pause| pause.until >= until) {
            return false;
        }
        self.pause = Some(Pause { until, spread: (lasts / 10).max(LEAST_SPREAD) });
        true
    }

    fn roll(&mut self, waiting: usize, in_flight: u64, now: Instant) {
        if let Some(pause) = self.pause.filter(|pause| pause.until <= now) {
            self.pause = None;
            let step = pause.spread / u32::try_from(waiting).unwrap_or(u32::MAX).max(1);
            // Who is alone has nobody to be kept apart from.
            self.reopening = (waiting > 1).then_some(Reopening { next: pause.until, step, left: waiting });
        }
        // Some may have left, and nobody comes in their place.
        self.reopening = self.reopening.filter(|reopening| reopening.ends() > now);
        self.told.roll(in_flight, now);
    }

    fn take(&mut self, now: Instant) -> bool {
        if self.pause.is_some()
            || self.reopening.is_some_and(|reopening| reopening.next > now)
            || !self.told.has_room()
        {
            return false;
        }
        self.told.take();
        if let Some(reopening) = &mut self.reopening {
            reopening.next += reopening.step;
            reopening.left -= 1;
            if reopening.left == 0 {
                self.reopening = None;
            }
        }
        true
    }

    fn due(&self, nth: u64, now: Instant) -> Instant {
        let before = u32::try_from(nth - 1).unwrap_or(u32::MAX);
        let by_pause = match (self.pause, self.reopening) {
            (Some(pause), _) => {
                let part = f64::from(before) / (f64::from(before) + 1.0);
                far(pause.until, pause.spread.mul_f64(part))
            }
            (None, Some(reopening)) => {
                let left = u32::try_from(reopening.left).unwrap_or(u32::MAX);
                far(reopening.next, reopening.step.saturating_mul(before.min(left)))
            }
            (None, None) => now,
        };
        by_pause.max(self.told.due(nth, now))
    }

    fn is_open(&self) -> bool {
        self.pause.is_none() && self.reopening.is_none() && self.told.is_empty()
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("paused_until", &self.paused_until()).finish_non_exhaustive()
    }
}

/// The gate of one quota of a server, and those who wait before it.
pub(crate) type GateLine = Line<Gate>;

impl Lined for GateLine {
    type Source = Gate;

    fn line(&self) -> &Self {
        self
    }
}

/// Leave to send. Says in any case that the call is over.
#[derive(Debug)]
pub(crate) struct Passed {
    gate: Option<Arc<Entry<GateLine>>>,
    number: u32,
}

impl Passed {
    pub(crate) fn new(gate: Arc<Entry<GateLine>>) -> Self {
        let number = gate.value().source().number.load(Ordering::Acquire);
        Self { gate: Some(gate), number }
    }

    /// An answer came that says something. Gives back whose gate it closed, if it did.
    pub(crate) fn answered(mut self, said: &Said) -> Option<Subject> {
        let gate = self.gate.take()?;
        let line = gate.value();
        if line.source().answered(said, self.number) {
            line.look_anew();
            return Some(gate.subject().clone());
        }
        line.look();
        None
    }

    /// It was not sent.
    pub(crate) fn give_back(mut self) -> Option<Arc<Entry<GateLine>>> {
        let gate = self.gate.take()?;
        gate.value().give_back(NonZeroU32::MIN);
        Some(gate)
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.gate.as_ref().is_some_and(|gate| gate.value().source().paused_until().is_some())
    }
}

impl Drop for Passed {
    fn drop(&mut self) {
        if let Some(gate) = &self.gate {
            gate.value().source().given_up();
        }
    }
}

#[cfg(test)]
mod tests;
