use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn floor(bytes: u64, seconds: u32) -> MinThroughput {
    MinThroughput::new(bytes, seconds * SECOND).unwrap()
}

fn watch(idle: Duration, floor: Option<MinThroughput>) -> (Watch, Instant) {
    (Watch::new(Limits { idle, floor }), Instant::now())
}

#[test]
fn a_wait_ends_exactly_at_its_limit() {
    let (mut watch, start) = watch(3 * SECOND, None);
    let nearly = start + 3 * SECOND - Duration::from_nanos(1);
    assert_eq!(watch.nothing(start), Ok(Some(start + 3 * SECOND)));
    assert_eq!(watch.nothing(nearly), Ok(Some(start + 3 * SECOND)));
    let stalled = Fault::Stalled { limit: 3 * SECOND, elapsed: 3 * SECOND };
    assert_eq!(watch.nothing(start + 3 * SECOND), Err(stalled));
}

#[test]
fn each_frame_is_waited_for_anew() {
    let (mut watch, start) = watch(3 * SECOND, None);
    watch.nothing(start).unwrap();
    watch.frame(1, || unreachable!("without a throughput nobody asks"));
    assert_eq!(watch.nothing(start + 60 * SECOND), Ok(Some(start + 63 * SECOND)));
}

#[test]
fn a_frame_that_was_not_waited_for_reads_no_clock() {
    let (mut watch, _) = watch(SECOND, Some(floor(1, 1)));
    watch.frame(1, || unreachable!());
    watch.frame(2, || unreachable!());
    assert_eq!(watch.bytes(), 3);
}

#[test]
fn limits_beyond_what_the_clock_can_show_bound_nothing() {
    let (mut watch, start) = watch(Duration::MAX, Some(floor(1, 1).after(Duration::MAX)));
    assert_eq!(watch.nothing(start), Ok(None));
}

#[test]
fn a_window_is_judged_exactly_when_it_closes() {
    let just_enough = |bytes| {
        let (mut watch, start) = watch(60 * SECOND, Some(floor(10, 3)));
        watch.nothing(start).unwrap();
        watch.frame(bytes, || start + SECOND);
        // The caller is away for long, which is nobody's fault.
        let back = start + 100 * SECOND;
        assert_eq!(watch.nothing(back), Ok(Some(back + 2 * SECOND)));
        watch.nothing(back + 2 * SECOND)
    };
    assert!(just_enough(10).is_ok());
    let too_slow = Fault::TooSlow { floor: floor(10, 3), elapsed: 3 * SECOND, window_bytes: 9 };
    assert_eq!(just_enough(9), Err(too_slow));
}

#[test]
fn a_window_that_was_filled_is_followed_by_an_empty_one() {
    let (mut watch, start) = watch(60 * SECOND, Some(floor(10, 3)));
    watch.frame(1000, || unreachable!());
    assert_eq!(watch.nothing(start), Ok(Some(start + 3 * SECOND)));
    let late = start + 4 * SECOND;
    assert_eq!(watch.nothing(late), Ok(Some(start + 6 * SECOND)), "it began when the other closed");
    let too_slow = Fault::TooSlow { floor: floor(10, 3), elapsed: 3 * SECOND, window_bytes: 0 };
    assert_eq!(watch.nothing(start + 6 * SECOND), Err(too_slow));
}

#[test]
fn the_first_window_is_longer_by_the_grace() {
    let (mut watch, start) = watch(60 * SECOND, Some(floor(10, 3).after(2 * SECOND)));
    assert_eq!(watch.nothing(start), Ok(Some(start + 5 * SECOND)));
    watch.frame(10, || start + 5 * SECOND);
    assert_eq!(watch.nothing(start + 5 * SECOND), Ok(Some(start + 8 * SECOND)), "as long as the others");
}

/// What happens to a body: the caller is away, waits, gets so many bytes.
#[derive(Clone, Copy, Debug)]
struct Event {
    away: u64,
    wait: u64,
    bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Stalled,
    TooSlow,
}

const MILLI: Duration = Duration::from_millis(1);

/// When the body is given up, in milliseconds of waiting, if it is, and falls silent after the last event.
fn watched(idle: u64, floor: MinThroughput, events: &[Event]) -> (u64, Verdict) {
    let (mut watch, mut now) = watch(Duration::from_millis(idle), Some(floor));
    let mut waited = 0;
    let silence = Event { away: 0, wait: u64::MAX, bytes: 0 };
    for event in events.iter().chain([&silence]) {
        now += Duration::from_millis(event.away);
        let mut left = event.wait;
        while left > 0 {
            let until = match watch.nothing(now) {
                Ok(until) => until.expect("all limits are small"),
                Err(Fault::Stalled { .. }) => return (waited, Verdict::Stalled),
                Err(Fault::TooSlow { .. }) => return (waited, Verdict::TooSlow),
            };
            assert!(until > now, "a timer that has fired already would be polled for ever");
            let step = u64::try_from((until - now).as_millis()).unwrap().min(left);
            (now, waited, left) = (now + Duration::from_millis(step), waited + step, left - step);
        }
        watch.frame(event.bytes, || now);
    }
    unreachable!("silence ends every body")
}

/// The same, one millisecond of waiting after the other.
fn literal(idle: u64, floor: MinThroughput, grace: u64, events: &[Event]) -> (u64, Verdict) {
    let window = u64::try_from(floor.window().as_millis()).unwrap();
    let (mut waited, mut closes, mut bytes) = (0, window + grace, 0);
    let silence = Event { away: 0, wait: u64::MAX, bytes: 0 };
    for event in events.iter().chain([&silence]) {
        for waited_for_this in 0..event.wait {
            // Here nothing is there.
            if waited_for_this == idle {
                return (waited, Verdict::Stalled);
            }
            if waited == closes {
                if bytes < floor.bytes() {
                    return (waited, Verdict::TooSlow);
                }
                (closes, bytes) = (closes + window, 0);
            }
            waited += 1;
        }
        bytes += event.bytes as u64;
    }
    unreachable!("silence ends every body")
}

proptest! {
    #[test]
    fn agrees_with_counting_every_millisecond(
        idle in 1..60_u64,
        bytes in 1..40_u64,
        window in 1..50_u32,
        grace in 0..50_u64,
        events in proptest::collection::vec(
            (0..100_u64, prop_oneof![Just(0), 0..30_u64], 0..30_usize)
                .prop_map(|(away, wait, bytes)| Event { away, wait, bytes }),
            0..40,
        ),
    ) {
        let floor = MinThroughput::new(bytes, window * MILLI).unwrap().after(Duration::from_millis(grace));
        prop_assert_eq!(watched(idle, floor, &events), literal(idle, floor, grace, &events));
    }
}
