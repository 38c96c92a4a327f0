//! The gate and its line, without timers: who looks is polled.

use std::task::{Context, Waker};

use tokio::time::advance;

use super::*;
use crate::line::{Place, Turn};
use crate::said::{Pause as Asked, Windows};

const SECOND: Duration = Duration::from_secs(1);
const ONE: NonZeroU32 = NonZeroU32::MIN;

/// An answer to a call that went just now.
fn answer(line: &GateLine, said: &Said) -> bool {
    line.source().in_flight.fetch_add(1, Ordering::AcqRel);
    line.source().answered(said, line.source().number.load(Ordering::Acquire))
}

fn pause(lasts: Duration) -> Said {
    Said { pause: Some(Asked { lasts, why: PauseReason::RetryAfter }), windows: Windows::NONE }
}

fn left(remaining: u64, limit: u64, resets_in: Duration) -> Said {
    let mut windows = Windows::NONE;
    windows.offer(Window {
        policy: 1,
        limit: Some(limit),
        lasts: None,
        remaining: Some(remaining),
        resets_in: Some(resets_in),
    });
    Said { pause: None, windows }
}

/// One call for each window, and nothing left of this one.
fn empty(resets_in: Duration) -> Said {
    left(0, 1, resets_in)
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn join(line: &GateLine) -> Place {
    line.join(ONE, None, &context()).expect("it may wait for ever").expect("the gate is closed")
}

fn poll(line: &GateLine, place: &Place) -> Turn {
    line.poll(place, &context())
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_at_the_end_of_a_pause_takes_no_spread_from_those_who_waited() {
    let line = GateLine::new(Gate::default());
    let end = Instant::now() + SECOND;
    assert!(answer(&line, &pause(SECOND)));
    let waiting: Vec<_> = (0..4).map(|_| join(&line)).collect();
    advance(SECOND).await;
    assert!(!line.take(ONE), "others wait");
    assert_eq!(poll(&line, &waiting[0]), Turn::Came);
    assert_eq!(poll(&line, &waiting[1]), Turn::Later(Some(end + SECOND / 40)));
}

#[tokio::test(start_paused = true)]
async fn who_comes_while_those_go_who_waited_goes_right_after_them() {
    let line = GateLine::new(Gate::default());
    let end = Instant::now() + SECOND;
    answer(&line, &pause(SECOND));
    let waiting = [join(&line), join(&line), join(&line), join(&line)];
    advance(SECOND).await;
    assert_eq!(poll(&line, &waiting[0]), Turn::Came);
    for _ in 0..2 {
        let newcomer = line.join(ONE, None, &context()).unwrap().expect("others are before him");
        assert_eq!(poll(&line, &newcomer), Turn::Later(Some(end + LEAST_SPREAD)));
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_put_off_looks_again_when_his_turn_may_come_and_not_before() {
    let line = GateLine::new(Gate::default());
    let start = Instant::now();
    answer(&line, &empty(10 * SECOND));
    let waiting = [join(&line), join(&line), join(&line)];
    advance(10 * SECOND).await;
    assert_eq!(poll(&line, &waiting[0]), Turn::Came);
    let number = line.source().number.load(Ordering::Acquire);
    line.source().answered(&empty(60 * SECOND), number);
    advance(20 * SECOND).await;
    for (place, seconds) in waiting[1..].iter().zip([70, 130]) {
        assert_eq!(poll(&line, place), Turn::Later(Some(start + seconds * SECOND)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_longer_pause_puts_off_each_by_his_place() {
    let line = GateLine::new(Gate::default());
    answer(&line, &pause(SECOND));
    let waiting = [join(&line), join(&line), join(&line)];
    assert!(answer(&line, &pause(10 * SECOND)));
    line.look_anew();
    let end = Instant::now() + 10 * SECOND;
    for (place, spread) in waiting.iter().zip([Duration::ZERO, SECOND / 2, SECOND.mul_f64(2.0 / 3.0)]) {
        assert_eq!(poll(&line, place), Turn::Later(Some(end + spread)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_is_as_good_as_new_though_some_left_who_had_waited() {
    let line = GateLine::new(Gate::default());
    answer(&line, &pause(SECOND));
    let waiting = [join(&line), join(&line), join(&line), join(&line)];
    advance(SECOND).await;
    assert_eq!(poll(&line, &waiting[0]), Turn::Came);
    line.source().given_up();
    waiting[1..].iter().for_each(|place| line.leave(place));
    advance(LEAST_SPREAD - Duration::from_nanos(1)).await;
    assert!(!line.source().is_idle(), "the last could still come");
    advance(Duration::from_nanos(1)).await;
    assert!(line.source().is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_gate_is_not_as_good_as_new_while_calls_are_under_way_or_wait_or_something_is_heeded() {
    let line = GateLine::new(Gate::default());
    assert!(line.source().is_idle());
    assert!(line.take(ONE));
    assert!(!line.source().is_idle(), "under way");
    line.source().answered(&pause(SECOND), 0);
    assert!(!line.source().is_idle(), "paused");
    let waiting = [join(&line), join(&line)];
    advance(SECOND).await;
    assert!(!line.source().is_idle(), "they wait");
    assert_eq!(poll(&line, &waiting[0]), Turn::Came);
    assert_ne!(poll(&line, &waiting[1]), Turn::Came, "nobody took the spread from them");
    advance(SECOND).await;
    assert_eq!(poll(&line, &waiting[1]), Turn::Came);
    line.source().given_up();
    assert!(!line.source().is_idle(), "one is under way still");
    line.source().answered(&empty(SECOND), 1);
    assert!(!line.source().is_idle(), "a window is heeded");
    advance(2 * SECOND).await;
    assert!(line.source().is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_gate_heeds_until_all_is_over_and_nobody_waits() {
    let line = GateLine::new(Gate::default());
    let heeds = || line.source().heeds.load(Ordering::Acquire);
    answer(&line, &empty(SECOND));
    let waiting = [join(&line), join(&line)];
    assert!(heeds() && line.source().is_queued());
    advance(2 * SECOND).await;
    // The first goes, and nothing is told any more.
    assert!(line.source().take(Who::First(2), ONE));
    assert!(heeds() && !line.take(ONE), "or a newcomer would pass the second");
    waiting.iter().for_each(|place| line.leave(place));
    assert!(line.take(ONE) && !heeds(), "nobody takes a lock from here on");
}

#[tokio::test(start_paused = true)]
async fn retry_after_shortens_windows_and_no_other_pause_does() {
    for (why, asked, resets_in, ends) in [
        (PauseReason::RetryAfter, 7, 90, 7),
        (PauseReason::RetryAfter, 7, 1, 1),
        (PauseReason::Exhausted, 7, 90, 90),
        (PauseReason::Throttled, 1, 90, 90),
    ] {
        let line = GateLine::new(Gate::default());
        let pause = Some(Asked { lasts: asked * SECOND, why });
        answer(&line, &Said { pause, ..empty(resets_in * SECOND) });
        let now = Instant::now();
        assert_eq!(line.source().lock().told.due(1, now), now + ends * SECOND, "{why:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_answers_to_calls_that_overlapped_the_lowest_counts() {
    let line = GateLine::new(Gate::default());
    let room = |many| {
        line.source().due(many) == Some(Instant::now()) && line.source().due(many + 1) > Some(Instant::now())
    };
    assert!(line.take(ONE) && line.take(ONE));
    line.source().answered(&left(7, 9, SECOND), 0);
    assert!(room(6), "one is under way");
    line.source().answered(&left(8, 9, SECOND), 0);
    assert!(room(6), "it was under way then");
    assert!(line.take(ONE) && room(5));
    line.source().answered(&left(8, 9, SECOND), 2);
    assert!(room(8), "it went afterwards");
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_over_at_its_end_though_nobody_came_since() {
    let line = GateLine::new(Gate::default());
    answer(&line, &pause(SECOND));
    assert_eq!(line.source().paused_until(), Some(Instant::now() + SECOND));
    advance(SECOND).await;
    assert_eq!(line.source().paused_until(), None);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sent_is_not_under_way_and_leaves_its_place_to_another() {
    let line = GateLine::new(Gate::default());
    assert!(line.take(ONE));
    line.give_back(ONE);
    assert!(line.source().is_idle());
    answer(&line, &left(1, 9, SECOND));
    assert!(line.take(ONE));
    let waits = join(&line);
    line.give_back(ONE);
    assert_eq!(poll(&line, &waits), Turn::Came);
}

#[tokio::test(start_paused = true)]
async fn only_what_puts_off_the_end_closes_the_gate() {
    let line = GateLine::new(Gate::default());
    for (seconds, closes) in [(0, false), (2, true), (2, false), (1, false), (3, true)] {
        assert_eq!(answer(&line, &pause(seconds * SECOND)), closes, "{seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn while_nothing_is_heeded_no_call_takes_the_lock() {
    let line = GateLine::new(Gate::default());
    let _held = line.source().lock();
    // A call that took it would stand here for ever.
    for _ in 0..3 {
        assert!(line.take(ONE));
    }
    line.give_back(ONE);
    line.source().given_up();
    line.source().given_up();
    assert!(line.source().is_idle());
}
