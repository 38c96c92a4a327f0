//! What a half-open circuit lets through: probes, one at a time, then a growing part of all calls.

use std::time::{Duration, Instant};

use bartizan_core::Outcome;

use crate::circuit::{Kind, Refused};
use crate::{Settings, State};

/// Probing, and what comes after it.
#[derive(Debug, Default)]
pub(crate) struct HalfOpen {
    /// Of all leases so far.
    leases: u64,
    lease: Option<Lease>,
    /// Successful probes in a row.
    passed: u32,
    ramp: Option<Ramp>,
}

#[derive(Clone, Copy, Debug)]
struct Lease {
    number: u64,
    since: Instant,
}

#[derive(Debug, Default)]
struct Ramp {
    asked: u64,
    let_in_at: Option<Instant>,
    succeeded: u32,
    failed: u32,
}

/// What follows from a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Wait,
    Close,
    Open,
}

/// Until so many have succeeded, one in ten is let in.
const FIRST: u32 = 3;
/// Until so many more have, one in two is.
const SECOND: u32 = 10;
/// Calls that come no closer together than this, five a second, are all let in.
const APART: Duration = Duration::from_millis(200);
/// So many failures open it again, if they are half of the results.
const FAILURES: u32 = 3;

impl HalfOpen {
    pub(crate) fn admit(&mut self, now: Instant, settings: &Settings) -> Result<Kind, Refused> {
        let state = State::HalfOpen;
        if let Some(ramp) = &mut self.ramp {
            return ramp.admit(now).map(|()| Kind::Ramp).map_err(|retry_in| Refused { state, retry_in });
        }
        if let Some(left) = self.leased_for(now, settings) {
            return Err(Refused { state, retry_in: Some(left) });
        }
        self.leases += 1;
        self.lease = Some(Lease { number: self.leases, since: now });
        Ok(Kind::Probe(self.leases))
    }

    /// How long the probe that is under way has, if there is one.
    pub(crate) fn leased_for(&self, now: Instant, settings: &Settings) -> Option<Duration> {
        let lasted = now.saturating_duration_since(self.lease?.since);
        settings.probe_timeout.checked_sub(lasted).filter(|left| !left.is_zero())
    }

    pub(crate) fn judge(
        &mut self,
        kind: Kind,
        outcome: Outcome,
        now: Instant,
        settings: &Settings,
    ) -> Verdict {
        match (kind, &mut self.ramp) {
            (Kind::Ramp, Some(ramp)) => ramp.judge(outcome),
            (Kind::Probe(number), _) => self.judge_probe(number, outcome, now, settings),
            // Nobody else is judged while it is half-open.
            _ => Verdict::Wait,
        }
    }

    fn judge_probe(&mut self, number: u64, outcome: Outcome, now: Instant, settings: &Settings) -> Verdict {
        // A lease that has run out is none, whether or not somebody else has one by now.
        if self.leased_for(now, settings).is_none() || self.lease.is_none_or(|lease| lease.number != number) {
            return Verdict::Wait;
        }
        self.lease = None;
        match outcome {
            Outcome::Failure => Verdict::Open,
            Outcome::Success => {
                self.passed += 1;
                if self.passed < settings.probes.get() {
                    Verdict::Wait
                } else if settings.ramps {
                    self.ramp = Some(Ramp::default());
                    Verdict::Wait
                } else {
                    Verdict::Close
                }
            }
            // Throttled: it lives, and wants no calls. Neutral: it was not asked.
            _ => Verdict::Wait,
        }
    }
}

impl Ramp {
    fn admit(&mut self, now: Instant) -> Result<(), Option<Duration>> {
        let one_in = if self.succeeded < FIRST { 10 } else { 2 };
        let since = self.let_in_at.map(|at| now.saturating_duration_since(at));
        let is_turn = self.asked.is_multiple_of(one_in);
        self.asked += 1;
        if is_turn || since.is_none_or(|since| since >= APART) {
            self.let_in_at = Some(now);
            return Ok(());
        }
        Err(since.map(|since| APART.saturating_sub(since)))
    }

    fn judge(&mut self, outcome: Outcome) -> Verdict {
        match outcome {
            Outcome::Success | Outcome::Throttled => self.succeeded += 1,
            Outcome::Failure => self.failed += 1,
            _ => {}
        }
        if self.failed >= FAILURES && self.failed >= self.succeeded {
            Verdict::Open
        } else if self.succeeded >= FIRST + SECOND {
            Verdict::Close
        } else {
            Verdict::Wait
        }
    }
}
