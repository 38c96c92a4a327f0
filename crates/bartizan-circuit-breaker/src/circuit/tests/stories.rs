//! What circuits are blamed for, one story a test.

use Outcome::{Failure, Neutral, Success, Throttled};
use bartizan_core::{ByStatus, Classify, Head};

use super::*;

#[test]
fn a_million_successes_do_not_outweigh_half_a_window_of_failures() {
    let mut bench = Bench::new(Settings::new());
    for _ in 0..1_000_000 {
        assert_eq!(bench.call(Success), None);
        bench.wait(ms(1));
    }
    // To where a bucket begins.
    while !(bench.now - start()).as_nanos().is_multiple_of(secs(3).as_nanos()) {
        bench.call(Success);
        bench.wait(ms(1));
    }
    let failures = (1..=30_000).find(|_| {
        let opened = bench.call(Failure).is_some();
        bench.wait(ms(1));
        opened
    });
    assert_eq!(failures, Some(15_000));
}

#[test]
fn a_success_opens_nothing_whatever_the_share_of_failures() {
    let bench = Bench::new(Settings::new());
    bench.calls(5, Failure).calls(5, Success);
    assert_eq!(bench.call(Failure).unwrap().to, State::Open, "six of eleven");
}

#[test]
fn a_fast_call_opens_nothing_whatever_the_share_of_slow_ones() {
    let bench = Bench::new(Settings::new().trip(Trip::default().or_slow(0.5).unwrap()));
    for took in [secs(5), ms(1)] {
        for _ in 0..5 {
            assert_eq!(bench.end_after(took, bench.admit(), Success, None), None);
        }
    }
    assert_eq!((bench.snapshot().slow, bench.snapshot().calls), (5, 10));
}

#[test]
fn slow_calls_are_not_counted_when_no_rule_asks_for_them() {
    let bench = Bench::new(Settings::new());
    assert_eq!(bench.end_after(secs(5), bench.admit(), Success, None), None);
    assert_eq!((bench.snapshot().slow, bench.snapshot().calls), (0, 1));
}

#[test]
fn a_success_from_before_it_opened_does_not_help_a_half_open_circuit() {
    let mut bench = Bench::new(Settings::new().without_ramp());
    let stragglers = [bench.admit(), bench.admit(), bench.admit()];
    bench.open_until_due(10);
    let probe = bench.admit();
    let before = bench.snapshot();
    for straggler in stragglers {
        assert_eq!(bench.end(straggler, Success), None);
    }
    assert_eq!(bench.snapshot(), before);
    assert_eq!(bench.end(probe, Success), None, "the first of three");
    assert_eq!(bench.state(), State::HalfOpen);
}

#[test]
fn a_failure_from_before_it_opened_does_not_harm_a_half_open_circuit() {
    let mut bench = Bench::new(Settings::new());
    let straggler = bench.admit();
    bench.open_until_due(10);
    let probe = bench.admit();
    assert_eq!(bench.end(straggler, Failure), None);
    assert_eq!(bench.refused().state, State::HalfOpen, "the probe has its lease");
    bench.end(probe, Success);
    assert_eq!(bench.state(), State::HalfOpen);
}

#[test]
fn a_failure_from_before_it_opened_does_not_count_once_it_has_closed() {
    let mut bench = Bench::new(Settings::new().without_ramp());
    let stragglers: Vec<Ticket> = (0..20).map(|_| bench.admit()).collect();
    bench.open_until_due(10);
    bench.calls(2, Success);
    assert_eq!(bench.call(Success).unwrap().to, State::Closed);
    for straggler in stragglers {
        assert_eq!(bench.end(straggler, Failure), None);
    }
    assert_eq!((bench.snapshot().calls, bench.state()), (0, State::Closed));
}

#[test]
fn a_probe_of_the_last_half_open_state_does_not_count_in_the_next() {
    let mut bench = Bench::new(two_failures().without_ramp().probes(number(1)));
    bench.open_until_due(2);
    let lost = bench.admit();
    bench.wait(secs(10));
    let opened = bench.call(Failure).unwrap();
    bench.wait(opened.open_for.unwrap());
    let probe = bench.admit();
    assert_eq!(bench.end(lost, Success), None);
    assert_eq!(bench.end(probe, Success).unwrap().to, State::Closed);
}

#[test]
fn successes_of_the_last_half_open_state_do_not_count_in_the_next() {
    let mut bench = Bench::new(two_failures().without_ramp());
    bench.open_until_due(2);
    bench.calls(2, Success);
    let opened = bench.call(Failure).unwrap();
    bench.wait(opened.open_for.unwrap());
    bench.calls(2, Success);
    assert_eq!(bench.call(Success).unwrap().to, State::Closed);
}

#[test]
fn a_lost_probe_says_nothing_while_another_has_its_lease() {
    let mut bench = Bench::new(two_failures().without_ramp());
    bench.open_until_due(2);
    let lost = bench.admit();
    let probe = bench.wait(secs(10)).admit();
    assert_eq!(bench.end(lost, Failure), None);
    assert_eq!(bench.refused().state, State::HalfOpen, "the other one still probes");
    assert_eq!(bench.end(probe, Failure).unwrap().to, State::Open);
}

#[test]
fn a_cancelled_probe_leaves_its_place_to_the_next_call() {
    let mut bench = Bench::new(Settings::new().without_ramp());
    bench.open_until_due(10);
    for _ in 0..3 {
        bench.calls(5, Neutral);
        bench.call(Success);
    }
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn a_probe_that_never_ends_leaves_its_place_when_its_lease_does() {
    let mut bench = Bench::new(Settings::new().without_ramp());
    bench.open_until_due(10);
    let lost = bench.admit();
    bench.wait(secs(10)).calls(2, Success);
    assert_eq!(bench.end(lost, Failure), None);
    assert_eq!(bench.call(Success).unwrap().to, State::Closed);
}

#[test]
fn an_origin_that_answers_with_client_errors_alone_closes_it() {
    let mut bench = Bench::new(Settings::new().without_ramp());
    bench.open_until_due(10);
    for status in [http::StatusCode::NOT_FOUND, http::StatusCode::UNAUTHORIZED, http::StatusCode::CONFLICT] {
        let response = http::Response::builder().status(status).body(()).unwrap();
        bench.call(ByStatus.classify(Ok(Head::from(&response))));
    }
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn a_throttled_probe_passes_nothing_and_leaves_its_place() {
    let mut bench = Bench::new(Settings::new().without_ramp());
    bench.open_until_due(10);
    bench.calls(2, Success).calls(20, Throttled);
    assert_eq!(bench.call(Success).unwrap().to, State::Closed);
}

#[test]
fn throttled_calls_are_successes_of_the_window() {
    let bench = Bench::new(Settings::new());
    bench.calls(6, Throttled).calls(5, Failure);
    assert_eq!(bench.call(Failure).unwrap().to, State::Open);
}

#[test]
fn throttled_calls_are_successes_of_the_ramp() {
    let mut bench = Bench::ramping();
    for _ in 0..12 {
        assert_eq!(bench.wait(ms(200)).call(Throttled), None);
    }
    assert_eq!(bench.wait(ms(200)).call(Throttled).unwrap().to, State::Closed);
}

#[test]
fn neutral_calls_are_nothing_to_the_ramp() {
    let mut bench = Bench::ramping();
    for outcome in [[Neutral; 12], [Success; 12], [Neutral; 12]].concat() {
        assert_eq!(bench.wait(ms(200)).call(outcome), None);
    }
    assert_eq!(bench.wait(ms(200)).call(Success).unwrap().to, State::Closed);
}

#[test]
fn neutral_calls_are_not_counted() {
    for trip in [Trip::default(), Trip::last(1.0, 10).unwrap(), Trip::consecutive(number(10))] {
        let bench = Bench::new(Settings::new().trip(trip));
        bench.calls(9, Failure).calls(100, Neutral);
        assert_eq!((bench.snapshot().calls, bench.snapshot().failures), (9, 9));
        assert_eq!(bench.call(Failure).unwrap().to, State::Open, "{trip:?}");
    }
}

#[test]
fn one_success_ends_a_row_of_failures() {
    let bench = Bench::new(two_failures());
    bench.calls(1, Failure).calls(1, Success).calls(1, Failure).calls(1, Throttled).calls(1, Failure);
    assert_eq!(bench.call(Failure).unwrap().to, State::Open);
}

#[test]
fn a_failed_probe_opens_it_for_twice_as_long() {
    let mut bench = Bench::new(two_failures());
    let mut longest = secs(5);
    bench.open_until_due(2);
    for _ in 0..40 {
        longest = (longest * 2).min(secs(30));
        let open_for = bench.call(Failure).unwrap().open_for.unwrap();
        assert!((longest / 2..=longest).contains(&open_for), "{open_for:?} of {longest:?}");
        bench.wait(open_for);
    }
    assert_eq!(longest, secs(30));
}

#[test]
fn a_retry_after_of_a_failed_probe_raises_the_time() {
    let mut bench = Bench::new(two_failures());
    bench.open_until_due(2);
    let opened = bench.end_after(Duration::ZERO, bench.admit(), Failure, Some(secs(60))).unwrap();
    assert_eq!(opened.open_for, Some(secs(60)));
}

#[test]
fn jitter_uses_the_whole_of_its_half() {
    let mut times: Vec<Duration> = (0..100).map(|_| Bench::new(two_failures()).open_until_due(2)).collect();
    times.sort();
    assert!(ms(2_500) <= times[0] && times[0] < ms(2_800), "{times:?}");
    assert!(ms(4_700) < times[99] && times[99] <= ms(5_000), "{times:?}");
}

#[test]
fn a_circuit_that_is_due_waits_for_nothing() {
    let mut bench = Bench::new(two_failures());
    let open_for = bench.open_until_due(2);
    assert_eq!((bench.state(), bench.snapshot().retry_in), (State::Open, None));
    bench.now -= NANOSECOND;
    assert_eq!(bench.snapshot().retry_in, Some(NANOSECOND), "of {open_for:?}");
}

#[test]
fn forced_open_refuses_whatever_happens() {
    let mut bench = Bench::new(two_failures());
    let before = bench.admit();
    bench.circuit.force(State::ForcedOpen, bench.now);
    bench.wait(secs(100_000));
    let forced = Refused { state: State::ForcedOpen, retry_in: None };
    assert_eq!((bench.refused(), bench.circuit.look(bench.now)), (forced, Some(forced)));
    bench.end(before, Success);
    assert_eq!(bench.refused(), forced);
}

#[test]
fn disabled_counts_nothing() {
    let bench = Bench::new(two_failures());
    bench.circuit.force(State::Disabled, bench.now);
    bench.calls(100, Failure);
    assert_eq!((bench.snapshot().calls, bench.state()), (0, State::Disabled));
}

#[test]
fn forced_to_what_it_is_already_nothing_changes() {
    for state in [State::ForcedOpen, State::Disabled] {
        let bench = Bench::new(two_failures());
        assert!(bench.circuit.force(state, bench.now).is_some());
        let before = bench.snapshot();
        assert_eq!(bench.circuit.force(state, bench.now), None);
        assert_eq!(bench.snapshot(), before);
    }
}

#[test]
fn forced_to_close_it_forgets_what_it_has_counted() {
    for trip in [Trip::default(), Trip::last(0.5, 10).unwrap(), Trip::consecutive(number(10))] {
        let bench = Bench::new(Settings::new().trip(trip));
        bench.calls(9, Failure).circuit.force(State::Closed, bench.now);
        bench.calls(9, Failure);
        assert_eq!(bench.call(Failure).unwrap().to, State::Open, "{trip:?}");
    }
}

#[test]
fn forced_to_close_it_forgets_how_often_probes_have_failed() {
    let mut bench = Bench::new(two_failures().without_ramp().probes(number(1)));
    bench.open_until_due(2);
    for _ in 0..5 {
        let open_for = bench.call(Failure).unwrap().open_for.unwrap();
        bench.wait(open_for);
    }
    // One that has just closed by itself would remember.
    assert_eq!(bench.call(Success).unwrap().to, State::Closed);
    bench.circuit.force(State::Closed, bench.now);
    bench.calls(1, Failure);
    assert!(bench.call(Failure).unwrap().open_for.unwrap() <= secs(5));
}

#[test]
fn metrics_only_never_refuses_and_still_probes() {
    let mut bench = Bench::new(two_failures().metrics_only().without_ramp());
    bench.calls(1, Failure);
    let open_for = bench.call(Failure).unwrap().open_for.unwrap();
    assert_eq!((bench.admit().kind, bench.circuit.look(bench.now)), (Kind::Free, None));
    bench.wait(open_for);
    for _ in 0..3 {
        let probe = bench.admit();
        assert_eq!((probe.kind == Kind::Free, bench.admit().kind), (false, Kind::Free));
        bench.end(probe, Success);
    }
    assert_eq!(bench.state(), State::Closed);
    bench.circuit.force(State::ForcedOpen, bench.now);
    assert_eq!((bench.admit().kind, bench.circuit.look(bench.now)), (Kind::Free, None));
}

#[test]
fn metrics_only_waits_for_nothing() {
    let mut bench = Bench::new(two_failures().metrics_only());
    let open_for = bench.calls(1, Failure).call(Failure).unwrap().open_for.unwrap();
    assert_eq!((bench.state(), bench.snapshot().retry_in), (State::Open, None));
    bench.wait(open_for).admit();
    assert_eq!((bench.state(), bench.snapshot().retry_in), (State::HalfOpen, None), "a probe is under way");
}

#[test]
fn a_circuit_that_is_told_to_wait_no_time_for_probes_closes_all_the_same() {
    let mut bench = Bench::new(two_failures().without_ramp().probe_timeout(Duration::ZERO));
    bench.open_until_due(2);
    for _ in 0..3 {
        let probe = bench.admit();
        bench.wait(ms(900)).end(probe, Success);
    }
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn a_probe_may_be_waited_for_without_end() {
    let mut bench = Bench::new(two_failures().without_ramp().probe_timeout(Duration::MAX));
    bench.open_until_due(2);
    for _ in 0..3 {
        let probe = bench.admit();
        bench.wait(secs(100_000));
        assert_eq!(bench.refused().state, State::HalfOpen);
        bench.end(probe, Success);
    }
    assert_eq!(bench.state(), State::Closed);
}

/// So many changes that end with a closed circuit.
fn change(bench: &Bench, changes: u32) {
    for _ in 0..changes / 2 {
        bench.circuit.force(State::Disabled, bench.now);
        bench.circuit.force(State::Closed, bench.now);
    }
}

#[test]
fn it_counts_after_any_number_of_changes() {
    for changes in [200, 256, 40_000, 65_536] {
        let mut bench = Bench::new(Settings::new());
        bench.calls(9, Failure);
        change(&bench, changes);
        bench.wait(secs(30));
        bench.calls(9, Failure);
        assert_eq!(bench.snapshot().failures, 9, "after {changes} changes");
        assert_eq!(bench.call(Failure).unwrap().to, State::Open);
    }
}

#[test]
fn a_straggler_from_any_number_of_changes_ago_changes_nothing() {
    for changes in [200, 256, 40_000, 65_536] {
        let bench = Bench::new(Settings::new());
        let straggler = bench.admit();
        change(&bench, changes);
        bench.calls(1, Failure);
        let before = bench.snapshot();
        bench.end(straggler, Failure);
        assert_eq!(bench.snapshot(), before, "after {changes} changes");
    }
}

#[test]
fn what_a_closed_circuit_has_counted_does_not_come_back_after_many_changes() {
    let trip = Trip::rate(0.5, 10, secs(86_400)).unwrap();
    let bench = Bench::new(Settings::new().trip(trip));
    bench.calls(9, Failure);
    for _ in 0..70_000 {
        bench.circuit.force(State::Disabled, bench.now);
        assert_eq!(bench.snapshot().calls, 0);
        bench.circuit.force(State::ForcedOpen, bench.now);
        assert_eq!(bench.snapshot().calls, 0);
    }
}
