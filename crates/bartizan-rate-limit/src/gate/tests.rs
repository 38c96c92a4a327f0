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
    assert!(line.source().take(Who::First(1), ONE) || line.source().paused_until().is_some());
    line.source().answered(said, line.source().number.load(Ordering::Acquire))
}

fn pause(lasts: Duration) -> Said {
    Said { pause: Some(Asked { lasts, why: PauseReason::RetryAfter }), windows: Windows::NONE }
}

/// One call for each window, and nothing left of this one.
fn empty(resets_in: Duration) -> Said {
    let window =
        Window { policy: 1, limit: Some(1), lasts: None, remaining: Some(0), resets_in: Some(resets_in) };
    let mut windows = Windows::NONE;
    windows.offer(window);
    Said { pause: None, windows }
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
    assert!(line.take(ONE));
    answer(&line, &pause(SECOND));
    let waiting = [join(&line), join(&line), join(&line)];
    assert!(line.source().answered(&pause(10 * SECOND), 0));
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
    let waiting = [join(&line), join(&line), join(&line)];
    advance(SECOND).await;
    assert_eq!(poll(&line, &waiting[0]), Turn::Came);
    line.source().given_up();
    waiting[1..].iter().for_each(|place| line.leave(place));
    assert!(!line.source().is_idle(), "they could still come");
    advance(LEAST_SPREAD).await;
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
