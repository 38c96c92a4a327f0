//! All orders in which two threads may meet in one circuit:
//! `RUSTFLAGS="--cfg bartizan_loom" cargo test -p bartizan-circuit-breaker --lib --release loom`.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use bartizan_core::{Chance, Outcome};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, AtomicUsize};
use loom::thread;

use crate::circuit::{Circuit, Ended, Kind, Ticket};
use crate::sync::Ordering;
use crate::sync::explored::in_all_orders;
use crate::window::{BUCKETS, Mark, Window};
use crate::{Settings, State, Transition, Trip};
use Outcome::{Failure, Neutral, Success};

const NOW: Duration = Duration::ZERO;
const WINDOW: Duration = Duration::from_secs(30);
/// By then it is due.
const LATER: Duration = Duration::from_secs(5);

fn start() -> Instant {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *START.get_or_init(|| tokio::time::Instant::now().into_std())
}

fn circuit(trip: Trip) -> Arc<Circuit> {
    Arc::new(Circuit::new(Settings::new().trip(trip).chance(Chance::from_seed(1)), start()))
}

/// Two calls, both failed.
fn pair() -> Trip {
    Trip::rate(1.0, 2, WINDOW).expect("a rate")
}

fn row(failures: u32) -> Trip {
    Trip::consecutive(NonZeroU32::new(failures).expect("not zero"))
}

fn end(circuit: &Circuit, ticket: Ticket, outcome: Outcome, at: Duration) -> Option<Transition> {
    end_after(circuit, Duration::ZERO, ticket, outcome, at)
}

fn end_after(
    circuit: &Circuit,
    took: Duration,
    ticket: Ticket,
    outcome: Outcome,
    at: Duration,
) -> Option<Transition> {
    circuit.ended(ticket, Ended { outcome, took, retry_after: None }, start() + at)
}

fn admit(circuit: &Circuit, at: Duration) -> Option<Ticket> {
    circuit.admit(start() + at).0.ok()
}

/// Runs the two beside each other.
fn both<A: Send + 'static, B>(a: impl FnOnce() -> A + Send + 'static, b: impl FnOnce() -> B) -> (A, B) {
    let a = thread::spawn(a);
    let b = b();
    (a.join().expect("ends"), b)
}

fn failures_that_meet_open_it_once(trip: Trip) {
    in_all_orders(move || {
        let circuit = circuit(trip);
        let fail = |circuit: Arc<Circuit>| move || end(&circuit, admit(&circuit, NOW)?, Failure, NOW);
        let (a, b) = both(fail(circuit.clone()), fail(circuit.clone()));
        assert!(a.is_some() != b.is_some(), "{a:?}, {b:?}");
        let snapshot = circuit.snapshot(start());
        assert_eq!((snapshot.state, snapshot.generation, snapshot.calls), (State::Open, 1, 0));
    });
}

#[test]
fn failures_of_a_rate_that_meet_open_it_once() {
    failures_that_meet_open_it_once(pair());
}

#[test]
fn failures_in_a_row_that_meet_open_it_once() {
    failures_that_meet_open_it_once(row(2));
}

#[test]
fn the_last_failures_that_meet_open_it_once() {
    failures_that_meet_open_it_once(Trip::last(1.0, 2).expect("a rate"));
}

#[test]
fn slow_calls_that_meet_open_it_once() {
    in_all_orders(|| {
        let circuit = circuit(pair().or_slow(1.0).expect("a rate"));
        let slow = |circuit: Arc<Circuit>| {
            let ticket = admit(&circuit, NOW).expect("closed");
            move || end_after(&circuit, Duration::from_secs(5), ticket, Success, NOW)
        };
        let (a, b) = both(slow(circuit.clone()), slow(circuit.clone()));
        assert!(a.is_some() != b.is_some(), "{a:?}, {b:?}");
    });
}

#[test]
fn a_call_that_meets_the_opening_is_counted_or_refused_until_it_is_due() {
    in_all_orders(|| {
        let circuit = circuit(row(1));
        let ticket = admit(&circuit, NOW).expect("closed");
        let other = circuit.clone();
        let (opened, answer) = both(move || end(&other, ticket, Failure, NOW), || circuit.admit(start()).0);
        let open_for = opened.and_then(|opened| opened.open_for);
        match answer {
            Ok(ticket) => {
                assert_eq!(ticket, Ticket { generation: 0, kind: Kind::Counted });
                let before = circuit.snapshot(start());
                assert_eq!(end(&circuit, ticket, Failure, NOW), None);
                assert_eq!(circuit.snapshot(start()), before, "it is stale");
            }
            Err(refused) => assert_eq!((refused.state, refused.retry_in), (State::Open, open_for)),
        }
    });
}

/// Two calls that end so, when an open circuit is due.
fn probes_that_meet(ends: [Outcome; 2]) {
    in_all_orders(move || {
        let circuit = circuit(row(1));
        end(&circuit, admit(&circuit, NOW).expect("closed"), Failure, NOW);
        let probing = Arc::new(AtomicUsize::new(0));
        let call = |outcome| {
            let (circuit, probing) = (circuit.clone(), probing.clone());
            move || {
                let (answer, half_opened) = circuit.admit(start() + LATER);
                let opened = answer.ok().and_then(|ticket| {
                    assert!(matches!(ticket.kind, Kind::Probe(_)));
                    assert_eq!(probing.fetch_add(1, Ordering::SeqCst), 0, "two probes");
                    probing.fetch_sub(1, Ordering::SeqCst);
                    end(&circuit, ticket, outcome, LATER)
                });
                (half_opened.is_some(), answer.is_ok(), opened.is_some())
            }
        };
        let (a, b) = both(call(ends[0]), call(ends[1]));
        assert!(a.0 != b.0, "one of them half-opens it");
        assert!(a.1 || b.1, "one of them probes");
        let failed =
            [(a, ends[0]), (b, ends[1])].iter().any(|((_, is_in, _), end)| *is_in && *end == Failure);
        assert_eq!(a.2 || b.2, failed);
        assert!(!(a.2 && b.2), "it opens once");
        // No permit is lost.
        let next = admit(&circuit, LATER).map(|ticket| ticket.kind);
        assert_eq!(next.is_some(), !failed, "{next:?}");
    });
}

#[test]
fn probes_that_meet_have_one_lease() {
    let ends = [Success, Failure, Neutral];
    for (place, a) in ends.into_iter().enumerate() {
        for b in &ends[place..] {
            probes_that_meet([a, *b]);
        }
    }
}

#[test]
fn a_probe_that_meets_the_end_of_its_lease_ends_it_once() {
    let lease = Duration::from_secs(10);
    for outcome in [Success, Failure, Neutral] {
        in_all_orders(move || {
            let circuit = circuit(row(1));
            end(&circuit, admit(&circuit, NOW).expect("closed"), Failure, NOW);
            let first = admit(&circuit, LATER).expect("due");
            let other = circuit.clone();
            let just_in_time = LATER + lease - Duration::from_nanos(1);
            let (opened, next) =
                both(move || end(&other, first, outcome, just_in_time), || admit(&circuit, LATER + lease));
            // The one that comes later to the lock has no say.
            match next {
                Some(second) if opened.is_none() => {
                    let before = circuit.snapshot(start() + just_in_time);
                    assert_eq!(before.state, State::HalfOpen);
                    assert!(before.retry_in.is_some(), "the second has its lease: {second:?}");
                    assert_eq!(end(&circuit, first, Failure, just_in_time), None);
                    assert_eq!(circuit.snapshot(start() + just_in_time), before);
                }
                // It was refused, or let in as one of the next half-open state.
                _ => assert!(outcome == Failure && opened.is_some()),
            }
        });
    }
}

#[test]
fn a_result_that_meets_a_change_belongs_to_the_old_state_or_to_none() {
    for trip in [Trip::rate(1.0, 1, WINDOW).expect("a rate"), row(1), Trip::last(1.0, 1).expect("a rate")] {
        in_all_orders(move || {
            let circuit = circuit(trip);
            let old = admit(&circuit, NOW).expect("closed");
            let other = circuit.clone();
            let (opened, closed) = both(
                move || end(&other, old, Failure, NOW),
                || circuit.force(State::Closed, start()).expect("it forgets in any case"),
            );
            assert_eq!(closed.from == State::Open, opened.is_some());
            let snapshot = circuit.snapshot(start());
            assert_eq!((snapshot.state, snapshot.calls), (State::Closed, 0));
        });
    }
}

#[test]
fn results_of_two_generations_that_meet_count_once() {
    for trip in [pair(), row(2), Trip::last(1.0, 2).expect("a rate")] {
        in_all_orders(move || {
            let circuit = circuit(trip);
            let old = admit(&circuit, NOW).expect("closed");
            let other = circuit.clone();
            let ((), new) = both(
                move || assert_eq!(end(&other, old, Failure, NOW), None),
                || {
                    circuit.force(State::Closed, start());
                    end(&circuit, admit(&circuit, NOW).expect("closed"), Failure, NOW)
                },
            );
            let snapshot = circuit.snapshot(start());
            assert_eq!((new, snapshot.state, snapshot.failures), (None, State::Closed, 1));
            let next = end(&circuit, admit(&circuit, NOW).expect("closed"), Success, NOW);
            assert_eq!(next, None);
        });
    }
}

#[test]
fn a_window_that_is_read_while_it_is_written_shows_no_share_that_never_was() {
    let tally = |first, then| {
        in_all_orders(move || {
            let window = Arc::new(Window::default());
            let other = window.clone();
            // Loom begins with the second, so that it has old values to give to the first.
            let (tally, ()) = both(
                move || other.tally(0, 1),
                || {
                    window.count(0, 0, first);
                    window.count(0, 1, then);
                },
            );
            assert!(tally.bad <= tally.good, "{tally:?}");
            assert!(tally.slow <= tally.calls(), "{tally:?}");
        });
    };
    tally(Mark::Good, Mark::Bad);
    tally(Mark::Good, Mark::Slow);
}

#[test]
fn results_that_meet_in_a_bucket_that_rotates_are_all_counted() {
    in_all_orders(|| {
        let window = Arc::new(Window::default());
        let round = BUCKETS as u64;
        window.count(0, 0, Mark::Bad);
        let count = |window: Arc<Window>| move || window.count(0, round, Mark::Bad);
        both(count(window.clone()), count(window.clone()));
        assert_eq!((window.tally(0, round).bad, window.tally(0, 0).bad), (2, 0));
    });
}

#[test]
fn a_late_result_does_not_turn_a_bucket_back() {
    in_all_orders(|| {
        let window = Arc::new(Window::default());
        let round = BUCKETS as u64;
        let late = window.clone();
        both(move || late.count(0, 0, Mark::Bad), || window.count(0, round, Mark::Bad));
        assert_eq!(window.tally(0, round).bad, 1);
    });
}

#[test]
fn a_late_result_of_an_older_generation_does_not_take_a_bucket() {
    in_all_orders(|| {
        let window = Arc::new(Window::default());
        window.count(0, 0, Mark::Bad);
        let late = window.clone();
        both(move || late.count(0, 0, Mark::Bad), || window.count(1, 0, Mark::Bad));
        assert_eq!((window.tally(0, 0).bad, window.tally(1, 0).bad), (0, 1));
    });
}

/// What a window is about, with the order of its memory as an argument: of two calls that are counted here and marked there, the
/// one that comes last has to see both. Not so in the order that loom is asked to find wanting.
fn the_last_of_two_sees_both(order: Ordering, load: Ordering) {
    in_all_orders(move || {
        let counts = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let call = |counts: Arc<[AtomicU64; 2]>| {
            move || {
                for count in &*counts {
                    count.fetch_add(1, order);
                }
                counts[1].load(load) == 2 && counts[0].load(load) == 2
            }
        };
        let (a, b) = both(call(counts.clone()), call(counts.clone()));
        assert!(a || b, "nobody saw both");
    });
}

#[test]
fn counts_that_are_released_and_acquired_are_seen_by_the_last() {
    the_last_of_two_sees_both(Ordering::AcqRel, Ordering::Acquire);
}

#[test]
#[should_panic(expected = "nobody saw both")]
fn loom_finds_counts_that_are_only_relaxed() {
    the_last_of_two_sees_both(Ordering::Relaxed, Ordering::Relaxed);
}

#[test]
#[should_panic(expected = "a count is lost")]
fn loom_finds_a_count_that_is_read_and_then_written() {
    in_all_orders(|| {
        let count = Arc::new(AtomicU64::new(0));
        let add =
            |count: Arc<AtomicU64>| move || count.store(count.load(Ordering::SeqCst) + 1, Ordering::SeqCst);
        both(add(count.clone()), add(count.clone()));
        assert_eq!(count.load(Ordering::SeqCst), 2, "a count is lost");
    });
}
