//! What was set stays set, whatever is set after it.

use std::num::NonZeroUsize;
use std::time::UNIX_EPOCH;

use bartizan_core::{ByStatus, Classify, ErrorRef, Refuse, WallClock};

use super::*;

const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

type HookedLayer<H> = CircuitBreakerLayer<ByStatus, Refuse, H>;

/// Calls so many origins once each, of which the first fails: the state of its circuit, and how many circuits there are.
async fn call<H: OnTransition + Clone>(layer: &HookedLayer<H>, origins: u32) -> (State, usize) {
    let service = layer.layer(Upstream::of([status(503)]));
    for number in 0..origins {
        service.clone().oneshot(get(&format!("http://{number}.example/"))).await.unwrap();
    }
    let circuits = layer.circuits();
    (circuits[0].state(), circuits.len())
}

fn counting_hook() -> (Arc<Mutex<u32>>, impl OnTransition + Clone) {
    let told = Arc::new(Mutex::new(0));
    let count = told.clone();
    (told, move |_: &Subject, _: &Transition| *count.lock().unwrap() += 1)
}

#[tokio::test(start_paused = true)]
async fn as_many_origins_as_it_says_are_kept_beside_the_first() {
    assert_eq!(call(&CircuitBreakerLayer::new(), 1_100).await.1, 1_025);
    assert_eq!(call(&CircuitBreakerLayer::new().max_keys(TWO), 9).await.1, 3);
}

#[tokio::test(start_paused = true)]
async fn a_hook_leaves_settings_and_origins_as_they_were_set() {
    let layer = CircuitBreakerLayer::with_settings(after(1)).max_keys(TWO).on_transition(());
    assert_eq!(call(&layer, 9).await, (State::Open, 3));
}

#[tokio::test(start_paused = true)]
async fn origins_leave_settings_and_hook_as_they_were_set() {
    let (told, hook) = counting_hook();
    let layer = CircuitBreakerLayer::with_settings(after(1)).on_transition(hook).max_keys(TWO);
    assert_eq!(call(&layer, 9).await, (State::Open, 3));
    assert_eq!(*told.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn circuits_that_take_the_place_of_a_shared_one_have_its_settings_and_its_hook() {
    let (told, hook) = counting_hook();
    let layer = CircuitBreakerLayer::shared(CircuitBreaker::with_hook(after(1), hook)).max_keys(TWO);
    assert_eq!(call(&layer, 9).await, (State::Open, 3));
    assert_eq!(*told.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_circuit_knows_its_origin() {
    let layer = CircuitBreakerLayer::new();
    call(&layer, 1).await;
    assert_eq!(layer.circuits()[0].subject().origin().map(Origin::as_str), Some("http://0.example"));
    assert_eq!(CircuitBreaker::new(after(1)).subject().origin(), None);
}

/// Until when a 503 that names a date keeps its circuit open.
async fn wait_for_a_date<C: Classify + Clone>(layer: CircuitBreakerLayer<C>) -> Duration {
    let mut answer = response(503);
    answer.headers_mut().insert(RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
    layer.layer(Upstream::of([Answer(answer)])).oneshot(get(URI)).await.unwrap();
    layer.circuits()[0].snapshot().retry_in.unwrap()
}

/// A minute before that date.
fn minute_before() -> WallClock {
    WallClock::fixed(UNIX_EPOCH + Duration::from_secs(784_111_777 - 60))
}

#[tokio::test(start_paused = true)]
async fn a_date_in_retry_after_is_measured_by_the_clock_that_was_set() {
    let layer = CircuitBreakerLayer::with_settings(after(1)).wall_clock(minute_before());
    assert_eq!(wait_for_a_date(layer).await, 60 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn another_classifier_leaves_the_clock_as_it_was_set() {
    let layer = CircuitBreakerLayer::with_settings(after(1)).wall_clock(minute_before());
    assert_eq!(wait_for_a_date(layer.classifier(ByStatus)).await, 60 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn another_classifier_leaves_bodies_alone_if_that_was_asked_for() {
    let layer = CircuitBreakerLayer::new().head_only().classifier(ByStatus);
    let endless = response(200).map(|_| bodies::Body::never());
    let _answer = layer.layer(Upstream::of([Answer(endless)])).oneshot(get(URI)).await.unwrap();
    assert_eq!(layer.circuits()[0].snapshot().calls, 1);
}

#[derive(Debug)]
struct Hidden;

impl ErrorRef for Hidden {
    fn error_ref(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_hides_is_a_failure() {
    let layer = CircuitBreakerLayer::with_settings(after(1)).respond();
    let failing = service_fn(|_: Request<()>| async { Err::<Response<bodies::Body>, _>(Hidden) });
    assert!(layer.layer(failing).oneshot(get(URI)).await.is_err());
    assert_eq!(layer.circuits()[0].state(), State::Open);
}
