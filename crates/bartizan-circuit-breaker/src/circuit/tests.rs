mod boundaries;
mod lock;
mod model;
mod random;
mod stories;

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use bartizan_core::Outcome;

use super::{Circuit, Ended, Kind, Refused, Ticket, nanos};
use crate::{Settings, Snapshot, State, Transition, Trip};

/// When all tests begin.
fn start() -> Instant {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *START.get_or_init(|| tokio::time::Instant::now().into_std())
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("not zero")
}

const NANOSECOND: Duration = Duration::from_nanos(1);

/// A circuit and its clock.
struct Bench {
    circuit: Circuit,
    now: Instant,
}

impl Bench {
    fn new(settings: Settings) -> Self {
        Self { circuit: Circuit::new(settings, start()), now: start() }
    }

    fn wait(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        self
    }

    fn admit(&self) -> Ticket {
        self.circuit.admit(self.now).0.expect("lets it in")
    }

    fn refused(&self) -> Refused {
        self.circuit.admit(self.now).0.expect_err("refuses it")
    }

    fn end(&self, ticket: Ticket, outcome: Outcome) -> Option<Transition> {
        self.end_after(Duration::ZERO, ticket, outcome, None)
    }

    fn end_after(
        &self,
        took: Duration,
        ticket: Ticket,
        outcome: Outcome,
        retry_after: Option<Duration>,
    ) -> Option<Transition> {
        self.circuit.ended(ticket, Ended { outcome, took, retry_after }, self.now)
    }

    /// A call that is over at once.
    fn call(&self, outcome: Outcome) -> Option<Transition> {
        self.end(self.admit(), outcome)
    }

    /// So many, that change nothing.
    fn calls(&self, count: u32, outcome: Outcome) -> &Self {
        for _ in 0..count {
            assert_eq!(self.call(outcome), None);
        }
        self
    }

    fn state(&self) -> State {
        self.circuit.state()
    }

    fn snapshot(&self) -> Snapshot {
        self.circuit.snapshot(self.now)
    }

    /// Opens by `failures` and waits until it is due.
    fn open_until_due(&mut self, failures: u32) -> Duration {
        self.calls(failures - 1, Outcome::Failure);
        let open_for = self.call(Outcome::Failure).and_then(|opened| opened.open_for).expect("opens");
        self.wait(open_for);
        open_for
    }

    /// Closed, opened, and through its three probes.
    fn ramping() -> Self {
        let mut bench = Self::new(Settings::new());
        bench.open_until_due(10);
        bench.calls(3, Outcome::Success);
        assert_eq!(bench.state(), State::HalfOpen);
        bench
    }

    /// Calls all at this moment: which of so many are let in.
    fn let_in(&self, count: usize) -> Vec<usize> {
        (0..count).filter(|_| self.circuit.admit(self.now).0.is_ok()).collect()
    }
}

/// Opens at the second failure in a row.
fn two_failures() -> Settings {
    Settings::new().trip(Trip::consecutive(number(2)))
}
