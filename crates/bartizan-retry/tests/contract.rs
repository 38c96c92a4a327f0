//! The layers keep the contract of `tower_service::Service`.

use bartizan_core::Chance;
use bartizan_retry::{Attempt, MaxAttempts, Pace, ReplayLayer, RetryLayer, Verdict};
use bartizan_test::contract;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

fn post(nth: usize) -> Request<Full<Bytes>> {
    Request::post(format!("http://contract.test/{nth}")).body(Full::from("body")).expect("a valid path")
}

#[test]
fn retry() {
    contract::check(RetryLayer::new);
    contract::check(RetryLayer::disabled);
    contract::check_with(RetryLayer::new, post);
}

#[test]
fn a_retry_that_sends_everything_twice() {
    let once_more = |attempt: &Attempt<'_>| match attempt.number().get() {
        1 => Verdict::Retry(Pace::Transient),
        _ => Verdict::Return,
    };
    // A seed, since calls are compared with each other.
    contract::check(|| RetryLayer::with_policy(once_more).chance(Chance::from_seed(1)));
    let always = |_: &Attempt<'_>| Verdict::Retry(Pace::Throttled);
    let two = MaxAttempts::new(2).expect("two is not zero");
    contract::check(|| RetryLayer::with_policy(always).max_attempts(two).chance(Chance::from_seed(2)));
}

#[test]
fn replay() {
    contract::check(ReplayLayer::default);
    contract::check(|| tower::layer::util::Stack::new(RetryLayer::new(), ReplayLayer::default()));
}

#[cfg(feature = "idempotency-key")]
#[test]
fn idempotency_keys() {
    contract::check(bartizan_retry::IdempotencyKeyLayer::new);
    contract::accepts_local(&bartizan_retry::IdempotencyKeyLayer::new());
}

#[test]
fn an_inner_that_is_not_send_will_do() {
    contract::accepts_local(&RetryLayer::new());
    contract::accepts_local(&ReplayLayer::default());
}
