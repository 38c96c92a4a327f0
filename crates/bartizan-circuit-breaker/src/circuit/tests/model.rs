//! The rules of a circuit once more, word by word and slowly: every state, call and result is kept with its time, and each
//! question is answered by going through them. Nothing of the circuit is used but its words.

use std::time::{Duration, Instant};

use bartizan_core::{Chance, Outcome};

use crate::State;

/// What a circuit was told, in plain numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) opens: Opens,
    pub(super) slow: Option<f64>,
    pub(super) within: Duration,
    pub(super) least: usize,
    pub(super) open_for: Duration,
    pub(super) at_most: Duration,
    pub(super) probes: usize,
    pub(super) probe_timeout: Duration,
    pub(super) slow_after: Duration,
    pub(super) ramps: bool,
    pub(super) refuses: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Opens {
    Rate(f64),
    Last(f64, usize),
    InARow(usize, Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Counted,
    Probe,
    Ramp,
    Free,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) from: State,
    pub(super) to: State,
    pub(super) generation: u64,
    pub(super) open_for: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) state: State,
    pub(super) generation: u64,
    pub(super) calls: usize,
    pub(super) failures: usize,
    pub(super) slow: usize,
    pub(super) retry_in: Option<Duration>,
}

/// Why not: the state, and when to come again.
pub(super) type No = (State, Option<Duration>);

#[derive(Debug)]
pub(super) struct Model {
    plan: Plan,
    chance: Chance,
    /// All there were. The place of the last is the generation.
    spells: Vec<Spell>,
    /// All that were let in.
    calls: Vec<Call>,
    /// All that counted, in the order in which they came.
    results: Vec<Done>,
    /// All that asked while the ramp lasted, and whether they were let in.
    asked: Vec<(u64, Instant, bool)>,
}

#[derive(Clone, Copy, Debug)]
struct Spell {
    state: State,
    since: Instant,
    open_for: Option<Duration>,
    is_forced: bool,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    generation: u64,
    at: Instant,
    role: Role,
}

#[derive(Clone, Copy, Debug)]
struct Done {
    call: usize,
    generation: u64,
    at: Instant,
    role: Role,
    outcome: Outcome,
    is_slow: bool,
}

const APART: Duration = Duration::from_millis(200);

impl Model {
    pub(super) fn new(plan: Plan, chance: Chance, now: Instant) -> Self {
        let first = Spell { state: State::Closed, since: now, open_for: None, is_forced: false };
        Self { plan, chance, spells: vec![first], calls: vec![], results: vec![], asked: vec![] }
    }

    /// The number of the call, and its role.
    pub(super) fn admit(&mut self, now: Instant) -> (Result<(usize, Role), No>, Option<Change>) {
        let is_due = self.left_open(now).is_some_and(|left| left.is_zero());
        let change = is_due.then(|| self.change(State::HalfOpen, now, None, false));
        let state = self.state();
        let mut answer = match state {
            State::Closed => Ok(Role::Counted),
            State::Open => Err((state, self.left_open(now))),
            State::HalfOpen if self.is_ramping() => self.ask(now),
            State::HalfOpen => self.lease_left(now).map_or(Ok(Role::Probe), |left| Err((state, Some(left)))),
            State::ForcedOpen => Err((state, None)),
            State::Disabled => Ok(Role::Free),
        };
        if !self.plan.refuses {
            answer = answer.or(Ok(Role::Free));
        }
        let answer = answer.map(|role| {
            self.calls.push(Call { generation: self.generation(), at: now, role });
            (self.calls.len() - 1, role)
        });
        (answer, change)
    }

    pub(super) fn ended(
        &mut self,
        call: usize,
        outcome: Outcome,
        retry_after: Option<Duration>,
        now: Instant,
    ) -> Option<Change> {
        let Call { generation, at, role } = self.calls[call];
        let took = now - at;
        if generation != self.generation() || role == Role::Free {
            return None;
        }
        if role == Role::Probe && took >= self.plan.probe_timeout {
            return None;
        }
        let is_slow = self.plan.slow.is_some() && took >= self.plan.slow_after;
        let done = Done { call, generation, at: now, role, outcome, is_slow };
        self.results.push(done);
        let (passed, failed) = self.in_ramp();
        match (role, outcome) {
            (Role::Counted, _) if self.trips(done) => Some(self.open(retry_after, now)),
            (Role::Probe, Outcome::Failure) => Some(self.open(retry_after, now)),
            (Role::Probe, Outcome::Success) if !self.plan.ramps && self.passed() >= self.plan.probes => {
                Some(self.change(State::Closed, now, None, false))
            }
            (Role::Ramp, _) if failed >= 3 && 2 * failed >= passed + failed => {
                Some(self.open(retry_after, now))
            }
            (Role::Ramp, _) if passed >= 13 => Some(self.change(State::Closed, now, None, false)),
            _ => None,
        }
    }

    pub(super) fn force(&mut self, state: State, now: Instant) -> Option<Change> {
        let is_nothing = state == self.state() && state != State::Closed;
        (!is_nothing).then(|| self.change(state, now, None, true))
    }

    pub(super) fn look(&self, now: Instant) -> Option<No> {
        let no = match self.state() {
            State::ForcedOpen => Some((State::ForcedOpen, None)),
            State::Open => {
                self.left_open(now).filter(|left| !left.is_zero()).map(|left| (State::Open, Some(left)))
            }
            _ => None,
        };
        no.filter(|_| self.plan.refuses)
    }

    pub(super) fn picture(&self, now: Instant) -> Picture {
        let seen = self.in_window(now);
        Picture {
            state: self.state(),
            generation: self.generation(),
            calls: seen.len(),
            failures: seen.iter().filter(|done| done.outcome == Outcome::Failure).count(),
            slow: seen.iter().filter(|done| done.is_slow).count(),
            retry_in: self.retry_in(now),
        }
    }

    fn retry_in(&self, now: Instant) -> Option<Duration> {
        let left = self.left_open(now).filter(|left| !left.is_zero()).or_else(|| self.lease_left(now));
        left.filter(|_| self.plan.refuses)
    }

    pub(super) fn state(&self) -> State {
        self.spell().state
    }

    pub(super) fn generation(&self) -> u64 {
        self.spells.len() as u64 - 1
    }

    /// How long it stays open from now on, if it is open.
    pub(super) fn left_open(&self, now: Instant) -> Option<Duration> {
        let Spell { state, since, open_for, .. } = self.spell();
        let open_for = open_for.filter(|_| state == State::Open)?;
        Some((since + open_for).saturating_duration_since(now))
    }

    /// How long the probe under way has, if there is one.
    pub(super) fn lease_left(&self, now: Instant) -> Option<Duration> {
        let mut all =
            self.calls.iter().enumerate().rev().take_while(|(_, call)| self.is_present(call.generation));
        let (number, last) = all.find(|(_, call)| call.role == Role::Probe)?;
        let has_ended = self.present().any(|done| done.call == number);
        let left = self.plan.probe_timeout.saturating_sub(now - last.at);
        (!has_ended && !left.is_zero()).then_some(left)
    }

    /// Which tenth of a window it is, counted from the beginning. A window is the present one and the nine before.
    pub(super) fn tenth(&self, at: Instant) -> u128 {
        (at - self.spells[0].since).as_nanos() / (self.plan.within.as_nanos() / 10)
    }

    fn spell(&self) -> Spell {
        *self.spells.last().expect("the first is there")
    }

    fn is_present(&self, generation: u64) -> bool {
        generation == self.generation()
    }

    /// The results of this generation, the newest first.
    fn present(&self) -> impl Iterator<Item = &Done> {
        self.results.iter().rev().take_while(|done| self.is_present(done.generation))
    }

    /// Those of them that count for a rule, the newest first.
    fn counted(&self) -> impl Iterator<Item = &Done> {
        self.present().filter(|done| done.role == Role::Counted && done.outcome != Outcome::Neutral)
    }

    fn in_window(&self, now: Instant) -> Vec<Done> {
        let tenth = self.tenth(now);
        self.counted().take_while(|done| self.tenth(done.at) + 10 > tenth).copied().collect()
    }

    /// How many probes have succeeded.
    fn passed(&self) -> usize {
        self.present().filter(|done| done.role == Role::Probe && done.outcome == Outcome::Success).count()
    }

    fn is_ramping(&self) -> bool {
        self.state() == State::HalfOpen && self.plan.ramps && self.passed() >= self.plan.probes
    }

    /// Successes and failures of the ramp.
    fn in_ramp(&self) -> (usize, usize) {
        let outcomes = || self.present().filter(|done| done.role == Role::Ramp).map(|done| done.outcome);
        let failed = outcomes().filter(|outcome| *outcome == Outcome::Failure).count();
        let neutral = outcomes().filter(|outcome| *outcome == Outcome::Neutral).count();
        (outcomes().count() - failed - neutral, failed)
    }

    fn ask(&mut self, now: Instant) -> Result<Role, No> {
        let generation = self.generation();
        let before: Vec<_> = self.asked.iter().filter(|(of, ..)| *of == generation).collect();
        let last_in = before.iter().rev().find(|(.., let_in)| *let_in).map(|(_, at, _)| *at);
        let since = last_in.map(|at| now - at);
        let one_in = if self.in_ramp().0 < 3 { 10 } else { 2 };
        let let_in = before.len() % one_in == 0 || since.is_none_or(|since| since >= APART);
        self.asked.push((generation, now, let_in));
        let retry_in = since.map(|since| APART.saturating_sub(since));
        if let_in { Ok(Role::Ramp) } else { Err((State::HalfOpen, retry_in)) }
    }

    /// Whether this result opens a closed circuit. A success does so only by being slow.
    fn trips(&self, done: Done) -> bool {
        let is_failure = done.outcome == Outcome::Failure;
        let count = |done: &[Done]| done.iter().filter(|done| done.outcome == Outcome::Failure).count();
        let is_share = |part: usize, whole: usize, share: f64| part as f64 >= share * whole as f64;
        if done.outcome == Outcome::Neutral {
            return false;
        }
        let seen = self.in_window(done.at);
        let fails = match self.plan.opens {
            Opens::Rate(rate) => seen.len() >= self.plan.least && is_share(count(&seen), seen.len(), rate),
            Opens::Last(rate, calls) => {
                let last: Vec<Done> = self.counted().take(calls).copied().collect();
                last.len() == calls && is_share(count(&last), calls, rate)
            }
            Opens::InARow(failures, over) => {
                let row: Vec<&Done> =
                    self.counted().take_while(|done| done.outcome == Outcome::Failure).collect();
                row.len() >= failures && row.last().is_some_and(|first| done.at - first.at >= over)
            }
        };
        let slow = seen.iter().filter(|done| done.is_slow).count();
        let drags = self
            .plan
            .slow
            .is_some_and(|share| seen.len() >= self.plan.least && is_share(slow, seen.len(), share));
        is_failure && fails || done.is_slow && drags
    }

    fn open(&mut self, retry_after: Option<Duration>, now: Instant) -> Change {
        let mut time = self.plan.open_for.min(self.plan.at_most);
        for _ in 0..self.doublings(now) {
            time = (time * 2).min(self.plan.at_most);
        }
        let jittered = time.mul_f64(0.5 + self.chance.unit() * 0.5);
        let asked = retry_after.unwrap_or_default().min(Duration::from_secs(300));
        self.change(State::Open, now, Some(jittered.max(asked)), false)
    }

    /// How often it has opened out of a half-open state, since somebody forced it or it had been closed for a window.
    fn doublings(&self, now: Instant) -> u32 {
        let ends = self.spells.iter().skip(1).map(|next| (next.since, next.state, next.is_forced));
        let ends = ends.chain([(now, State::Open, false)]);
        self.spells.iter().zip(ends).fold(0, |doublings, (spell, (end, next, is_forced))| {
            let had_a_window = spell.state == State::Closed && end - spell.since >= self.plan.within;
            match (spell.state, next) {
                _ if is_forced || had_a_window => 0,
                (State::HalfOpen, State::Open) => doublings + 1,
                _ => doublings,
            }
        })
    }

    fn change(&mut self, to: State, now: Instant, open_for: Option<Duration>, is_forced: bool) -> Change {
        let from = self.state();
        self.spells.push(Spell { state: to, since: now, open_for, is_forced });
        Change { from, to, generation: self.generation(), open_for }
    }
}
