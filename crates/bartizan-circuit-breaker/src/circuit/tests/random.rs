//! The circuit beside the model, step by step, over a million steps of chance.

use std::time::{Duration, Instant};

use bartizan_core::{Chance, Outcome};

use super::model::{Change, Model, No, Opens, Picture, Plan, Role};
use super::{NANOSECOND, number, start};
use crate::circuit::{Circuit, Ended, Kind, Refused, Ticket};
use crate::{Settings, State, Transition, Trip};

/// Of each plan.
const STEPS: u32 = 150_000;
const STEPS_A_RUN: u32 = 1_500;

const DEFAULTS: Plan = Plan {
    opens: Opens::Rate(0.5),
    slow: None,
    within: Duration::from_secs(30),
    least: 10,
    open_for: Duration::from_secs(5),
    at_most: Duration::from_secs(30),
    probes: 3,
    probe_timeout: Duration::from_secs(10),
    slow_after: Duration::from_secs(5),
    ramps: true,
    refuses: true,
};

#[test]
fn the_defaults() {
    let settings = |chance| Settings::new().chance(chance);
    compare(DEFAULTS, settings);
}

#[test]
fn another_rate_and_one_probe() {
    let within = Duration::from_nanos(1_000_000_007);
    let plan = Plan { opens: Opens::Rate(0.3), least: 4, within, probes: 1, ..DEFAULTS };
    let trip = Trip::rate(0.3, 4, within).unwrap();
    compare(plan, |chance| Settings::new().trip(trip).probes(number(1)).chance(chance));
}

#[test]
fn the_last_calls_and_no_ramp() {
    let plan = Plan { opens: Opens::Last(0.5, 8), ramps: false, ..DEFAULTS };
    let trip = Trip::last(0.5, 8).unwrap();
    compare(plan, |chance| Settings::new().trip(trip).without_ramp().chance(chance));
}

#[test]
fn failures_in_a_row_and_another_lease() {
    let probe_timeout = Duration::from_millis(1_500);
    let plan = Plan { opens: Opens::InARow(3, Duration::ZERO), probe_timeout, ..DEFAULTS };
    let trip = Trip::consecutive(number(3));
    compare(plan, |chance| Settings::new().trip(trip).probe_timeout(probe_timeout).chance(chance));
}

#[test]
fn failures_in_a_row_over_some_time() {
    let over = Duration::from_secs(2);
    let plan = Plan { opens: Opens::InARow(3, over), ..DEFAULTS };
    let trip = Trip::consecutive(number(3)).spread_over(over);
    compare(plan, |chance| Settings::new().trip(trip).chance(chance));
}

#[test]
fn a_rate_or_slow_calls() {
    let slow_after = Duration::from_millis(1_000);
    let plan = Plan { slow: Some(0.6), slow_after, ..DEFAULTS };
    let trip = Trip::default().or_slow(0.6).unwrap();
    compare(plan, |chance| Settings::new().trip(trip).slow_after(slow_after).chance(chance));
}

#[test]
fn the_last_calls_or_slow_calls() {
    let plan = Plan { opens: Opens::Last(0.9, 20), slow: Some(0.4), ..DEFAULTS };
    let trip = Trip::last(0.9, 20).unwrap().or_slow(0.4).unwrap();
    compare(plan, |chance| Settings::new().trip(trip).chance(chance));
}

#[test]
fn metrics_only() {
    let plan = Plan { refuses: false, ..DEFAULTS };
    compare(plan, |chance| Settings::new().metrics_only().chance(chance));
}

#[test]
fn classic() {
    let minute = Duration::from_secs(60);
    let opens = Opens::InARow(5, Duration::ZERO);
    let plan = Plan { opens, open_for: minute, at_most: minute, ramps: false, ..DEFAULTS };
    compare(plan, |chance| Settings::classic().chance(chance));
}

/// What the steps came across: a comparison in which nothing happens would always hold.
#[derive(Debug, Default)]
struct Met {
    opened: u32,
    opened_again: u32,
    closed: u32,
    refused: u32,
    stale: u32,
    ramped: u32,
    lost_probes: u32,
    recovered: u32,
}

fn compare(plan: Plan, settings: impl Fn(Chance) -> Settings) {
    let mut met = Met::default();
    for seed in 0..u64::from(STEPS / STEPS_A_RUN) {
        let circuit = Circuit::new(settings(Chance::from_seed(seed)), start());
        let mut run = Run::new(plan, circuit, seed, met);
        for _ in 0..STEPS_A_RUN {
            run.step();
        }
        run.recovers();
        met = run.met;
    }
    println!("{met:?}");
    let Met { opened, opened_again, closed, refused, stale, ramped, lost_probes, recovered } = met;
    assert!([opened, opened_again, closed, stale, lost_probes].iter().all(|count| *count > 100), "{met:?}");
    assert_eq!((refused > 100, ramped > 100), (plan.refuses, plan.ramps), "{met:?}");
    assert_eq!(recovered, STEPS / STEPS_A_RUN);
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    ticket: Ticket,
    call: usize,
    at: Instant,
}

#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "read through Debug")]
enum Step {
    Start,
    End(Ticket, Outcome, Option<Duration>),
    Wait(Duration),
    Force(State),
}

struct Run {
    plan: Plan,
    seed: u64,
    circuit: Circuit,
    model: Model,
    /// Decides the steps.
    chance: Chance,
    now: Instant,
    in_flight: Vec<Flight>,
    /// How many in ten calls fail at present.
    failing: u64,
    steps: Vec<Step>,
    met: Met,
}

impl Run {
    fn new(plan: Plan, circuit: Circuit, seed: u64, met: Met) -> Self {
        Self {
            plan,
            seed,
            circuit,
            model: Model::new(plan, Chance::from_seed(seed), start()),
            chance: Chance::from_seed(!seed),
            now: start(),
            in_flight: Vec::new(),
            failing: 5,
            steps: Vec::new(),
            met,
        }
    }

    /// One of `0..to`.
    fn draw(&self, to: u64) -> u64 {
        self.chance.next_u64() % to
    }

    fn step(&mut self) {
        if self.draw(60) == 0 {
            let is_closed = self.model.state() == State::Closed;
            let weathers = if is_closed { [0, 5, 6, 8, 10] } else { [0, 0, 1, 3, 10] };
            self.failing = weathers[self.draw(5) as usize];
        }
        match self.draw(1_000) {
            ..380 => self.start(),
            380..760 => self.end_one(),
            760..997 => self.wait(self.some_time()),
            _ => self.force([State::ForcedOpen, State::Disabled, State::Closed][self.draw(3) as usize]),
        }
        if self.in_flight.len() > 15 {
            self.end_one();
        }
        // Else runs spend their time there.
        let is_switched = matches!(self.model.state(), State::ForcedOpen | State::Disabled);
        if is_switched && self.draw(10) == 0 {
            self.force(State::Closed);
        }
    }

    fn start(&mut self) {
        self.steps.push(Step::Start);
        let look = self.circuit.look(self.now).map(no);
        assert_eq!(look, self.model.look(self.now), "look: {}", self.story());
        let (answer, transition) = self.circuit.admit(self.now);
        let (expected, change) = self.model.admit(self.now);
        assert_eq!(transition.map(plain), change, "{}", self.story());
        assert_eq!(answer.map(role).map_err(no), expected.map(|(_, role)| role), "{}", self.story());
        let (Ok(ticket), Ok((call, _))) = (answer, expected) else {
            self.met.refused += 1;
            return self.check();
        };
        self.met.ramped += u32::from(ticket.kind == Kind::Ramp);
        if matches!(ticket.kind, Kind::Probe(_)) {
            let others = self.in_flight.iter().filter(|flight| self.is_probing(flight)).count();
            assert_eq!(others, 0, "two probes: {}", self.story());
        }
        self.in_flight.push(Flight { ticket, call, at: self.now });
        self.check();
    }

    fn is_probing(&self, flight: &Flight) -> bool {
        matches!(flight.ticket.kind, Kind::Probe(_))
            && flight.ticket.generation == self.model.generation()
            && self.now - flight.at < self.plan.probe_timeout
    }

    fn end_one(&mut self) {
        let count = self.in_flight.len() as u64;
        if count == 0 {
            return;
        }
        // The newest mostly, so that some stay for long.
        let which = if self.draw(4) == 0 { self.draw(count) } else { count - 1 };
        let flight = self.in_flight.remove(which as usize);
        let outcome = match self.draw(20) {
            0 => Outcome::Throttled,
            // A drop says the same.
            1 => Outcome::Neutral,
            _ if self.draw(10) < self.failing => Outcome::Failure,
            _ => Outcome::Success,
        };
        let retry_after = (self.draw(8) == 0).then(|| match self.draw(6) {
            0 => Duration::from_secs(300),
            1 => Duration::from_secs(301),
            2 => Duration::MAX,
            _ => Duration::from_millis(self.draw(400_000) / 10),
        });
        self.end(flight, outcome, retry_after);
        self.check();
    }

    fn end(&mut self, flight: Flight, outcome: Outcome, retry_after: Option<Duration>) {
        self.steps.push(Step::End(flight.ticket, outcome, retry_after));
        let before = self.circuit.snapshot(self.now);
        let took = self.now - flight.at;
        let transition = self.circuit.ended(flight.ticket, Ended { outcome, took, retry_after }, self.now);
        let change = self.model.ended(flight.call, outcome, retry_after, self.now);
        assert_eq!(transition.map(plain), change, "{}", self.story());
        let is_old = flight.ticket.generation != before.generation;
        let is_lost = matches!(flight.ticket.kind, Kind::Probe(_)) && took >= self.plan.probe_timeout;
        self.met.stale += u32::from(is_old);
        self.met.lost_probes += u32::from(is_lost && !is_old);
        if is_old || is_lost {
            assert_eq!((self.circuit.snapshot(self.now), transition), (before, None), "{}", self.story());
        }
        match transition.map(|transition| (transition.from, transition.to)) {
            Some((State::Closed, _)) => self.met.opened += 1,
            Some((_, State::Open)) => self.met.opened_again += 1,
            Some((_, State::Closed)) => self.met.closed += 1,
            _ => {}
        }
    }

    fn force(&mut self, state: State) {
        self.steps.push(Step::Force(state));
        let transition = self.circuit.force(state, self.now);
        assert_eq!(transition.map(plain), self.model.force(state, self.now), "{}", self.story());
        self.check();
    }

    fn wait(&mut self, time: Duration) {
        self.steps.push(Step::Wait(time));
        self.now += time;
        self.check();
    }

    fn some_time(&self) -> Duration {
        let tenth = self.plan.within / 10;
        let into_tenth = Duration::from_nanos(
            ((self.now - start()).as_nanos() % tenth.as_nanos()).try_into().expect("less than a day"),
        );
        let exact = match self.draw(16) {
            0..=4 => return Duration::from_millis(1 + self.draw(30)),
            5 => return Duration::from_millis(self.draw(1_000)),
            6 => return Duration::from_millis(self.draw(60_000)),
            7 if self.draw(20) == 0 => return Duration::from_secs(self.draw(40_000)),
            8 => Duration::from_millis(200),
            9 => tenth - into_tenth,
            10 => self.plan.within - into_tenth,
            11 => self.plan.slow_after,
            12 => self.plan.within,
            _ => {
                let left = self.model.left_open(self.now).or_else(|| self.model.lease_left(self.now));
                left.unwrap_or(Duration::from_millis(50))
            }
        };
        match self.draw(4) {
            0 => exact.saturating_sub(NANOSECOND),
            1 => exact + NANOSECOND,
            _ => exact,
        }
    }

    fn check(&self) {
        let snapshot = self.circuit.snapshot(self.now);
        let seen = Picture {
            state: snapshot.state,
            generation: snapshot.generation,
            calls: snapshot.calls as usize,
            failures: snapshot.failures as usize,
            slow: snapshot.slow as usize,
            retry_in: snapshot.retry_in,
        };
        assert_eq!(seen, self.model.picture(self.now), "{}", self.story());
        assert_eq!(self.circuit.state(), self.model.state());
    }

    /// The origin is well from now on, and what is in flight never ends: in the time that it may be open, a probe may take and the
    /// ramp lasts, all calls are let in again.
    fn recovers(&mut self) {
        if matches!(self.model.state(), State::ForcedOpen | State::Disabled) {
            self.force(State::Closed);
        }
        let answers_in =
            Duration::from_millis(self.draw(900).min(self.plan.slow_after.as_millis() as u64 - 1));
        let until = self.now + Duration::from_secs(300) + self.plan.probe_timeout + Duration::from_secs(30);
        let mut answered = 0;
        while self.now < until || answered < 50 {
            let before = self.in_flight.len();
            self.start();
            if self.in_flight.len() > before {
                let flight = self.in_flight.pop().expect("just put there");
                self.wait(answers_in);
                self.end(flight, Outcome::Success, None);
            } else {
                assert!(self.now < until, "refused for ever: {}", self.story());
            }
            self.wait(Duration::from_millis(100));
            if self.circuit.state() == State::Closed {
                answered += 1;
                if answered == 50 {
                    break;
                }
            }
        }
        self.met.recovered += 1;
    }

    fn story(&self) -> String {
        let last: Vec<String> =
            self.steps.iter().rev().take(30).rev().map(|step| format!("{step:?}")).collect();
        format!("seed {}, step {}, {:?}\n{}", self.seed, self.steps.len(), self.plan, last.join("\n"))
    }
}

fn role(ticket: Ticket) -> Role {
    match ticket.kind {
        Kind::Counted => Role::Counted,
        Kind::Probe(_) => Role::Probe,
        Kind::Ramp => Role::Ramp,
        Kind::Free => Role::Free,
    }
}

fn no(refused: Refused) -> No {
    (refused.state, refused.retry_in)
}

fn plain(transition: Transition) -> Change {
    let Transition { from, to, generation, open_for } = transition;
    Change { from, to, generation, open_for }
}
