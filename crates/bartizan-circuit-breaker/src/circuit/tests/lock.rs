//! Who needs the lock, and who comes to it late.

use std::sync::mpsc;
use std::thread;

use Outcome::{Failure, Success};

use super::*;

/// Whether this is done while somebody else has the lock.
fn is_done_without_lock(bench: &Bench, what: impl FnOnce(&Circuit, Instant) + Send) -> bool {
    let (circuit, now) = (&bench.circuit, bench.now);
    let held = circuit.lock();
    let (done, is_done) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            what(circuit, now);
            done.send(()).expect("somebody listens");
        });
        // What needs the lock waits until it is given back.
        let is_done = is_done.recv_timeout(secs(10)).is_ok();
        drop(held);
        is_done
    })
}

#[test]
fn a_closed_circuit_lets_in_and_counts_a_success_without_its_lock() {
    let bench = Bench::new(Settings::new());
    assert!(is_done_without_lock(&bench, |circuit, now| {
        let ticket = circuit.admit(now).0.expect("closed");
        circuit.ended(ticket, Ended { outcome: Success, took: ms(1), retry_after: None }, now);
    }));
    assert_eq!(bench.snapshot().calls, 1);
}

#[test]
fn an_open_circuit_refuses_without_its_lock() {
    let bench = Bench::new(two_failures());
    bench.calls(1, Failure).call(Failure);
    assert!(is_done_without_lock(&bench, |circuit, now| {
        circuit.admit(now).0.expect_err("open");
    }));
}

/// What a call is told that has seen an open circuit that is due, when somebody else had the lock first.
fn late(bench: &Bench) -> Result<Kind, Refused> {
    let (answer, transition) = bench.circuit.admit_half_open(bench.now);
    assert_eq!(transition, None);
    answer.map(|ticket| ticket.kind)
}

#[test]
fn who_comes_late_to_a_circuit_that_was_forced_finds_it_so() {
    for (state, found) in [
        (State::Closed, Ok(Kind::Counted)),
        (State::Disabled, Ok(Kind::Free)),
        (State::ForcedOpen, Err(Refused { state: State::ForcedOpen, retry_in: None })),
    ] {
        let bench = Bench::new(two_failures());
        bench.circuit.force(state, bench.now);
        assert_eq!(late(&bench), found);
    }
}

#[test]
fn who_comes_late_to_a_circuit_that_has_opened_again_waits_as_long_as_all() {
    let mut bench = Bench::new(two_failures());
    bench.open_until_due(2);
    let open_for = bench.call(Failure).unwrap().open_for;
    assert_eq!(late(&bench), Err(Refused { state: State::Open, retry_in: open_for }));
}
