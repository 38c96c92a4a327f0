//! Each limit, exactly there and a nanosecond or a call beside it.

use Outcome::{Failure, Success};

use super::*;

#[test]
fn half_of_ten_calls_open_it_and_nine_calls_do_not() {
    let bench = Bench::new(Settings::new());
    bench.calls(9, Failure);
    assert_eq!(bench.call(Failure).unwrap().to, State::Open);

    let bench = Bench::new(Settings::new());
    bench.calls(6, Success).calls(5, Failure);
    assert_eq!(bench.call(Failure).unwrap().to, State::Open, "six of twelve, not five of eleven");
}

#[test]
fn a_window_ends_with_its_tenth_bucket() {
    let mut bench = Bench::new(Settings::new());
    bench.calls(9, Failure);
    bench.wait(secs(30) - NANOSECOND);
    assert_eq!(bench.snapshot().failures, 9);
    bench.wait(NANOSECOND);
    assert_eq!(bench.snapshot().failures, 0);
    bench.calls(9, Failure);
}

#[test]
fn a_bucket_is_a_tenth_of_the_window() {
    let mut bench = Bench::new(Settings::new());
    bench.wait(secs(3) - NANOSECOND).calls(1, Failure);
    bench.wait(NANOSECOND).calls(1, Failure);
    bench.wait(secs(27) - NANOSECOND);
    assert_eq!(bench.snapshot().failures, 2, "the tenth bucket");
    bench.wait(NANOSECOND);
    assert_eq!(bench.snapshot().failures, 1, "the eleventh");
    bench.wait(secs(3));
    assert_eq!(bench.snapshot().failures, 0, "the twelfth");
}

#[test]
fn the_last_calls_are_so_many_whenever_they_were() {
    let mut bench = Bench::new(Settings::new().trip(Trip::last(0.5, 4).unwrap()));
    bench.calls(3, Failure);
    bench.wait(secs(100_000)).calls(1, Success).calls(2, Success).calls(1, Failure);
    bench.wait(secs(100_000));
    assert_eq!(bench.call(Failure).unwrap().to, State::Open, "two of four");
}

#[test]
fn a_row_of_failures_is_as_long_as_it_says() {
    let bench = Bench::new(Settings::new().trip(Trip::consecutive(number(3))));
    bench.calls(2, Failure);
    assert_eq!(bench.call(Failure).unwrap().to, State::Open);
}

#[test]
fn a_row_of_failures_is_spread_over_the_time_it_says() {
    let trip = Trip::consecutive(number(3)).spread_over(secs(2));
    let mut bench = Bench::new(Settings::new().trip(trip));
    bench.calls(5, Failure);
    bench.wait(secs(2) - NANOSECOND).calls(1, Failure);
    assert_eq!(bench.wait(NANOSECOND).call(Failure).unwrap().to, State::Open);
}

#[test]
fn a_call_is_slow_from_five_seconds_on() {
    let trip = Trip::default().or_slow(0.5).unwrap();
    let bench = Bench::new(Settings::new().trip(trip));
    let call = |took| bench.end_after(took, bench.admit(), Success, None);
    for _ in 0..5 {
        assert_eq!(call(secs(5) - NANOSECOND), None);
    }
    for _ in 0..4 {
        assert_eq!(call(secs(5)), None);
    }
    assert_eq!((bench.snapshot().slow, bench.snapshot().calls), (4, 9));
    assert_eq!(call(secs(5)).unwrap().to, State::Open, "five of ten");
}

#[test]
fn half_of_ten_slow_calls_open_it_and_nine_slow_calls_do_not() {
    let slow_or_not = |slow: &[bool]| {
        let bench = Bench::new(Settings::new().trip(Trip::default().or_slow(0.5).unwrap()));
        let call = |is_slow: &bool| {
            bench.end_after(if *is_slow { secs(5) } else { ms(1) }, bench.admit(), Success, None).is_some()
        };
        slow.iter().position(call).map(|place| place + 1)
    };
    assert_eq!(slow_or_not(&[true; 12]), Some(10));
    let five_of_eleven = [[false; 6].as_slice(), &[true; 6]].concat();
    assert_eq!(slow_or_not(&five_of_eleven), Some(12), "six of twelve, not five of eleven");
}

#[test]
fn an_open_circuit_is_due_exactly_when_it_said() {
    let mut bench = Bench::new(two_failures());
    bench.open_until_due(2);
    bench.now -= NANOSECOND;
    let refused = Refused { state: State::Open, retry_in: Some(NANOSECOND) };
    assert_eq!((bench.refused(), bench.circuit.look(bench.now)), (refused, Some(refused)));
    bench.wait(NANOSECOND);
    assert_eq!(bench.circuit.look(bench.now), None);
    let (answer, transition) = bench.circuit.admit(bench.now);
    assert!(matches!(answer.unwrap().kind, Kind::Probe(_)));
    assert_eq!(transition.map(|it| (it.from, it.to)), Some((State::Open, State::HalfOpen)));
}

#[test]
fn a_retry_after_raises_the_time_up_to_300_seconds() {
    for (asked, lowest, highest) in [(ms(1), ms(2_500), secs(5)), (secs(7), secs(7), secs(7))]
        .into_iter()
        .chain([secs(300), secs(301), Duration::MAX].map(|asked| (asked, secs(300), secs(300))))
    {
        let bench = Bench::new(two_failures());
        bench.calls(1, Failure);
        let opened = bench.end_after(Duration::ZERO, bench.admit(), Failure, Some(asked)).unwrap();
        assert!((lowest..=highest).contains(&opened.open_for.unwrap()), "{asked:?}: {opened:?}");
    }
}

#[test]
fn a_retry_after_of_an_earlier_failure_raises_nothing() {
    let bench = Bench::new(two_failures());
    assert_eq!(bench.end_after(Duration::ZERO, bench.admit(), Failure, Some(secs(200))), None);
    assert!(bench.call(Failure).unwrap().open_for.unwrap() <= secs(5));
}

#[test]
fn it_opens_for_the_first_time_again_after_a_whole_window() {
    for (closed_for, is_long) in [(secs(30) - NANOSECOND, true), (secs(30), false)] {
        let mut bench = Bench::new(two_failures().without_ramp().probes(number(1)));
        bench.open_until_due(2);
        for _ in 0..3 {
            let open_for = bench.call(Failure).unwrap().open_for.unwrap();
            bench.wait(open_for);
        }
        assert_eq!(bench.call(Success).unwrap().to, State::Closed);
        bench.wait(closed_for).calls(1, Failure);
        let open_for = bench.call(Failure).unwrap().open_for.unwrap();
        assert_eq!(open_for >= secs(15), is_long, "{open_for:?}");
        assert_eq!(open_for <= secs(5), !is_long, "{open_for:?}");
    }
}

/// How long it opens after so many failed probes.
fn open_for_after(failed_probes: u32, settings: Settings) -> Duration {
    let mut bench = Bench::new(settings.trip(Trip::consecutive(number(1))));
    let mut open_for = bench.open_until_due(1);
    for _ in 0..failed_probes {
        open_for = bench.call(Failure).unwrap().open_for.unwrap();
        bench.wait(open_for);
    }
    open_for
}

#[test]
fn it_is_open_for_no_longer_than_at_most() {
    for (settings, longest) in [
        (Settings::new().at_most(secs(2)), secs(2)),
        (Settings::new().at_most(secs(7)), secs(7)),
        (Settings::new().open_for(secs(20)).at_most(secs(10)), secs(10)),
        (Settings::new().at_most(secs(2)).open_for(secs(60)), secs(60)),
    ] {
        for failed_probes in [5, 40] {
            let open_for = open_for_after(failed_probes, settings.clone());
            assert!((longest / 2..=longest).contains(&open_for), "{open_for:?}, at most {longest:?}");
        }
    }
}

#[test]
fn the_first_time_is_bounded_by_at_most_too() {
    let open_for = open_for_after(0, Settings::new().at_most(secs(2)));
    assert!((secs(1)..=secs(2)).contains(&open_for), "{open_for:?}");
}

#[test]
fn a_lease_lasts_for_its_time_and_no_longer() {
    let mut bench = Bench::new(two_failures());
    bench.open_until_due(2);
    let lost = bench.admit();
    assert_eq!(bench.refused(), Refused { state: State::HalfOpen, retry_in: Some(secs(10)) });
    bench.wait(secs(10) - NANOSECOND);
    assert_eq!(bench.refused().retry_in, Some(NANOSECOND));
    assert_eq!(bench.snapshot().retry_in, Some(NANOSECOND));
    bench.wait(NANOSECOND);
    assert_eq!(bench.snapshot().retry_in, None);
    assert_eq!(bench.end(lost, Failure), None, "too late, though nobody else has a lease");
    assert!(matches!(bench.admit().kind, Kind::Probe(_)));
}

#[test]
fn a_lease_lasts_for_a_second_at_least() {
    for (asked, lease) in [
        (Duration::ZERO, secs(1)),
        (secs(1) - NANOSECOND, secs(1)),
        (secs(1) + NANOSECOND, secs(1) + NANOSECOND),
    ] {
        let mut bench = Bench::new(two_failures().probe_timeout(asked));
        bench.open_until_due(2);
        bench.admit();
        assert_eq!(bench.refused().retry_in, Some(lease), "for {asked:?}");
    }
}

#[test]
fn a_probe_may_end_in_the_last_moment_of_its_lease() {
    let mut bench = Bench::new(two_failures().without_ramp().probes(number(1)));
    bench.open_until_due(2);
    let probe = bench.admit();
    bench.wait(secs(10) - NANOSECOND);
    assert_eq!(bench.end(probe, Success).unwrap().to, State::Closed);
}

#[test]
fn as_many_probes_as_it_says_close_it() {
    for probes in [1, 2, 7] {
        let mut bench = Bench::new(two_failures().without_ramp().probes(number(probes)));
        bench.open_until_due(2);
        bench.calls(probes - 1, Success);
        assert_eq!(bench.call(Success).unwrap().to, State::Closed);
    }
}

#[test]
fn a_ramp_lets_in_one_in_ten_then_one_in_two_then_all() {
    let bench = Bench::ramping();
    assert_eq!(bench.let_in(41), [0, 10, 20, 30, 40]);
    let bench = Bench::ramping();
    let tickets: Vec<Ticket> = (0..40).filter_map(|_| bench.circuit.admit(bench.now).0.ok()).collect();
    for ticket in &tickets[..2] {
        assert_eq!(bench.end(*ticket, Success), None);
    }
    assert_eq!(bench.let_in(10), [0], "two have succeeded");
    assert_eq!(bench.end(tickets[2], Success), None);
    assert_eq!(bench.let_in(10), [0, 2, 4, 6, 8], "three have");
    let closes_at = (4..=20).find(|_| {
        let let_in = (0..10).find_map(|_| bench.circuit.admit(bench.now).0.ok());
        bench.end(let_in.expect("one in two"), Success).is_some()
    });
    assert_eq!((closes_at, bench.state()), (Some(13), State::Closed));
}

#[test]
fn a_ramp_lets_in_all_that_come_200_milliseconds_apart() {
    let mut bench = Bench::ramping();
    assert_eq!(bench.let_in(1), [0]);
    bench.wait(ms(200) - NANOSECOND);
    assert_eq!(bench.refused(), Refused { state: State::HalfOpen, retry_in: Some(NANOSECOND) });
    bench.wait(NANOSECOND);
    assert_eq!(bench.let_in(1), [0]);
    for _ in 0..20 {
        assert_eq!(bench.wait(ms(200)).let_in(1), [0]);
    }
}

#[test]
fn a_ramp_measures_from_the_last_call_that_it_let_in() {
    let mut bench = Bench::ramping();
    assert_eq!(bench.let_in(1), [0]);
    assert_eq!(bench.wait(ms(200)).let_in(1), [0]);
    bench.wait(ms(150));
    assert_eq!(bench.refused().retry_in, Some(ms(50)));
}

#[test]
fn three_failures_that_are_half_of_the_ramp_open_it_again() {
    let ramping = |failures, successes| {
        let mut bench = Bench::ramping();
        for (count, outcome) in [(successes, Success), (failures, Failure)] {
            for _ in 0..count {
                assert_eq!(bench.wait(ms(200)).call(outcome), None, "{failures} and {successes}");
            }
        }
        bench.wait(ms(200)).call(Failure).unwrap()
    };
    for (before, successes) in [(2, 0), (2, 3), (3, 4), (9, 10), (11, 12)] {
        let opened = ramping(before, successes);
        assert_eq!((opened.from, opened.to), (State::HalfOpen, State::Open));
        assert!(opened.open_for.unwrap() > secs(5), "twice as long: {opened:?}");
    }
}

#[test]
fn the_shortest_window_counts_for_ever() {
    let trip = Trip::rate(1.0, 1_000, ms(10)).unwrap();
    let mut bench = Bench::new(Settings::new().trip(trip));
    for idle in [74, 1, 40, 8_000, 8_000, 8_000].map(|hours| secs(hours * 3_600)) {
        bench.wait(idle);
        for count in 1..=10 {
            bench.wait(ms(1)).calls(1, Failure);
            let age = bench.now - start();
            assert_eq!(bench.snapshot().failures, count, "at the age of {age:?}");
        }
    }
}

#[test]
fn the_longest_time_is_as_good_as_for_ever() {
    let mut bench = Bench::new(two_failures().open_for(Duration::MAX));
    bench.wait(secs(1)).calls(1, Failure);
    assert!(bench.call(Failure).unwrap().open_for.unwrap() >= Duration::MAX / 2);
    bench.wait(secs(86_400 * 365));
    assert_eq!(bench.refused().state, State::Open);
    // The last moment that is told apart: all times end here.
    bench.wait(Duration::from_nanos(u64::MAX));
    let opened = bench.call(Failure).unwrap();
    assert_eq!((opened.from, opened.to), (State::HalfOpen, State::Open));
    assert!(opened.open_for.unwrap() >= Duration::MAX / 2, "twice as long is no longer: {opened:?}");
}

#[test]
fn nanoseconds_saturate() {
    let longest = Duration::from_nanos(u64::MAX);
    for (time, nanoseconds) in [
        (secs(1) + NANOSECOND, 1_000_000_001),
        (longest - NANOSECOND, u64::MAX - 1),
        (longest, u64::MAX),
        (longest + NANOSECOND, u64::MAX),
        (secs(1 << 62), u64::MAX),
        (Duration::MAX, u64::MAX),
    ] {
        assert_eq!(nanos(time), nanoseconds, "{time:?}");
    }
}
