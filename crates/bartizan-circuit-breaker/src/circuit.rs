//! One circuit: a state machine that is told the time.

use std::time::{Duration, Instant};

use bartizan_core::Outcome;

use crate::half_open::{HalfOpen, Verdict};
use crate::recent::Recent;
use crate::sync::{AtomicU64, Mutex, Ordering};
use crate::trip::Rule;
use crate::window::{BUCKETS, Mark, Window};
use crate::{Settings, Snapshot, State, Transition};

/// What was admitted, and what its result may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// Of the circuit, when it was admitted. A result of an older one changes nothing.
    pub(crate) generation: u64,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counted,
    /// The lease under which it probes.
    Probe(u64),
    /// Let in after the probes, when not all are yet.
    Ramp,
    /// Changes nothing: the circuit is switched off, or it would have been refused.
    Free,
}

/// No.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) state: State,
    pub(crate) retry_in: Option<Duration>,
}

/// The result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
    /// What the origin asks for.
    pub(crate) retry_after: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct Circuit {
    settings: Settings,
    /// Of the window, in nanoseconds. A window has 10 ms at least.
    bucket: u64,
    /// Times are counted from here, in nanoseconds.
    began: Instant,
    /// The generation, above, and the state. It changes under the lock alone, and closed circuits are read here.
    word: AtomicU64,
    /// Until when an open circuit refuses without asking anybody.
    due: AtomicU64,
    window: Window,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    generation: u64,
    state: State,
    /// How often in a row a half-open circuit has opened again.
    failed_probes: u32,
    closed_at: Instant,
    half_open: HalfOpen,
    recent: Recent,
}

/// What an origin that asks for more than this gets: nobody is kept away for longer by one answer.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// As in the word.
const STATES: [State; 5] = [State::Closed, State::Open, State::HalfOpen, State::ForcedOpen, State::Disabled];
const STATE_BITS: u32 = 3;

impl Circuit {
    pub(crate) fn new(settings: Settings, now: Instant) -> Self {
        let inner = Inner {
            generation: 0,
            state: State::Closed,
            failed_probes: 0,
            closed_at: now,
            half_open: HalfOpen::default(),
            recent: Recent::default(),
        };
        let bucket = nanos(settings.trip.within) / BUCKETS as u64;
        Self {
            settings,
            bucket,
            began: now,
            word: AtomicU64::new(0),
            due: AtomicU64::new(0),
            window: Window::default(),
            inner: Mutex::new(inner),
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn state(&self) -> State {
        self.read().1
    }

    /// Whether a call may be made, and the change that this brought about.
    pub(crate) fn admit(&self, now: Instant) -> (Result<Ticket, Refused>, Option<Transition>) {
        let (generation, state) = self.read();
        let free = Ticket { generation, kind: Kind::Free };
        let (answer, transition) = match state {
            State::Closed => (Ok(Ticket { generation, kind: Kind::Counted }), None),
            State::Disabled => (Ok(free), None),
            State::ForcedOpen => (Err(Refused { state, retry_in: None }), None),
            State::Open if self.is_due_later(now) => (Err(self.refused_until_due(state, now)), None),
            State::Open | State::HalfOpen => self.admit_half_open(now),
        };
        if self.settings.refuses { (answer, transition) } else { (answer.or(Ok(free)), transition) }
    }

    /// Whether a call would be refused for sure. Changes nothing.
    pub(crate) fn look(&self, now: Instant) -> Option<Refused> {
        if !self.settings.refuses {
            return None;
        }
        match self.read().1 {
            State::ForcedOpen => Some(Refused { state: State::ForcedOpen, retry_in: None }),
            State::Open if self.is_due_later(now) => Some(self.refused_until_due(State::Open, now)),
            _ => None,
        }
    }

    /// Takes the result of a call, at most once a ticket.
    pub(crate) fn ended(&self, ticket: Ticket, ended: Ended, now: Instant) -> Option<Transition> {
        match ticket.kind {
            Kind::Free => None,
            Kind::Counted => self.count(ticket.generation, ended, now),
            Kind::Probe(_) | Kind::Ramp => self.judge(ticket, ended, now),
        }
    }

    /// From outside.
    pub(crate) fn force(&self, state: State, now: Instant) -> Option<Transition> {
        let mut inner = self.lock();
        inner.failed_probes = 0;
        // Closing a closed circuit forgets what it has counted.
        if inner.state == state && state != State::Closed {
            return None;
        }
        Some(self.change(&mut inner, state, now, None))
    }

    pub(crate) fn snapshot(&self, now: Instant) -> Snapshot {
        let (generation, state) = self.read();
        let tally = self.window.tally(generation, self.tick(now));
        let retry_in = match state {
            _ if !self.settings.refuses => None,
            State::Open => self.refused_until_due(state, now).retry_in.filter(|left| !left.is_zero()),
            State::HalfOpen => self.lock().half_open.leased_for(now, &self.settings),
            _ => None,
        };
        Snapshot { state, generation, calls: tally.calls(), failures: tally.bad, slow: tally.slow, retry_in }
    }

    fn read(&self) -> (u64, State) {
        let word = self.word.load(Ordering::Acquire);
        (word >> STATE_BITS, STATES[(word & ((1 << STATE_BITS) - 1)) as usize % STATES.len()])
    }

    fn lock(&self) -> impl std::ops::DerefMut<Target = Inner> + '_ {
        // Only arithmetic happens under it.
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn nanos(&self, at: Instant) -> u64 {
        nanos(at.saturating_duration_since(self.began))
    }

    fn is_due_later(&self, now: Instant) -> bool {
        self.nanos(now) < self.due.load(Ordering::Acquire)
    }

    fn refused_until_due(&self, state: State, now: Instant) -> Refused {
        let left = self.due.load(Ordering::Acquire).saturating_sub(self.nanos(now));
        Refused { state, retry_in: Some(Duration::from_nanos(left)) }
    }

    fn tick(&self, now: Instant) -> u64 {
        self.nanos(now) / self.bucket
    }

    fn admit_half_open(&self, now: Instant) -> (Result<Ticket, Refused>, Option<Transition>) {
        let mut inner = self.lock();
        let mut transition = None;
        // Somebody may have been here since the word was read.
        if inner.state == State::Open && !self.is_due_later(now) {
            transition = Some(self.change(&mut inner, State::HalfOpen, now, None));
        }
        let generation = inner.generation;
        let answer = match inner.state {
            State::HalfOpen => {
                inner.half_open.admit(now, &self.settings).map(|kind| Ticket { generation, kind })
            }
            State::Closed => Ok(Ticket { generation, kind: Kind::Counted }),
            State::Disabled => Ok(Ticket { generation, kind: Kind::Free }),
            State::Open => Err(self.refused_until_due(State::Open, now)),
            State::ForcedOpen => Err(Refused { state: State::ForcedOpen, retry_in: None }),
        };
        (answer, transition)
    }

    fn count(&self, generation: u64, ended: Ended, now: Instant) -> Option<Transition> {
        if self.read().0 != generation {
            return None;
        }
        let is_failure = match ended.outcome {
            Outcome::Success | Outcome::Throttled => false,
            Outcome::Failure => true,
            // Neutral.
            _ => return None,
        };
        let tick = self.tick(now);
        self.window.count(generation, tick, if is_failure { Mark::Bad } else { Mark::Good });
        let trip = self.settings.trip;
        let slow = trip.slow.filter(|_| ended.took >= self.settings.slow_after);
        if slow.is_some() {
            self.window.count(generation, tick, Mark::Slow);
        }
        let trips = match trip.rule {
            Rule::Rate(rate) => {
                is_failure && {
                    let tally = self.window.tally(generation, tick);
                    tally.calls() >= trip.least && is_reached(tally.bad, tally.calls(), rate)
                }
            }
            Rule::Last { rate, calls } => {
                let mut inner = self.lock();
                inner.generation == generation && inner.recent.last(is_failure, calls, rate)
            }
            Rule::Consecutive { failures, over } => {
                let mut inner = self.lock();
                inner.generation == generation && inner.recent.streak(is_failure, failures, over, now)
            }
        };
        let drags = slow.is_some_and(|share| {
            let tally = self.window.tally(generation, tick);
            tally.calls() >= trip.least && is_reached(tally.slow, tally.calls(), share)
        });
        if !trips && !drags {
            return None;
        }
        let mut inner = self.lock();
        if inner.generation != generation {
            return None;
        }
        if now.saturating_duration_since(inner.closed_at) >= trip.within {
            inner.failed_probes = 0;
        }
        Some(self.open(&mut inner, ended.retry_after, now))
    }

    fn judge(&self, ticket: Ticket, ended: Ended, now: Instant) -> Option<Transition> {
        let mut inner = self.lock();
        if inner.generation != ticket.generation {
            return None;
        }
        match inner.half_open.judge(ticket.kind, ended.outcome, now, &self.settings) {
            Verdict::Wait => None,
            Verdict::Close => {
                inner.closed_at = now;
                Some(self.change(&mut inner, State::Closed, now, None))
            }
            Verdict::Open => {
                inner.failed_probes = inner.failed_probes.saturating_add(1);
                Some(self.open(&mut inner, ended.retry_after, now))
            }
        }
    }

    fn open(&self, inner: &mut Inner, retry_after: Option<Duration>, now: Instant) -> Transition {
        let Settings { open_for, at_most, chance, .. } = &self.settings;
        let doubled = 1_u32.checked_shl(inner.failed_probes).and_then(|factor| open_for.checked_mul(factor));
        let time = doubled.map_or(*at_most, |time| time.min(*at_most));
        // Equal jitter.
        let time = time.mul_f64(0.5 + chance.unit() / 2.0);
        let time = time.max(retry_after.unwrap_or_default().min(LONGEST_ASKED));
        self.change(inner, State::Open, now, Some(time))
    }

    fn change(&self, inner: &mut Inner, to: State, now: Instant, open_for: Option<Duration>) -> Transition {
        let from = inner.state;
        inner.generation += 1;
        inner.state = to;
        inner.half_open = HalfOpen::default();
        inner.recent = Recent::default();
        let due = open_for.map_or(0, |time| self.nanos(now).saturating_add(nanos(time)));
        self.due.store(due, Ordering::Release);
        self.window.clear();
        let bits = STATES.iter().position(|state| *state == to).expect("all states are in the list");
        self.word.store(inner.generation << STATE_BITS | bits as u64, Ordering::Release);
        Transition { from, to, generation: inner.generation, open_for }
    }
}

/// Of 584 years, which is more than any clock shows.
fn nanos(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000_000).saturating_add(time.subsec_nanos().into())
}

fn is_reached(part: u32, whole: u32, rate: f64) -> bool {
    f64::from(part) >= rate * f64::from(whole)
}

#[cfg(test)]
#[cfg(not(bartizan_loom))]
mod tests;
