//! The layers keep the contract of `tower_service::Service`.

use std::time::Duration;

use bartizan_core::{CallContext, Deadline};
use bartizan_test::contract;
use bartizan_timeout::{AttemptTimeoutLayer, BodyTimeoutLayer, DeadlineLayer, MinThroughput};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

#[test]
fn attempt_timeout() {
    contract::check(AttemptTimeoutLayer::default);
    contract::check(AttemptTimeoutLayer::disabled);
    contract::check(|| AttemptTimeoutLayer::default().respond());
}

#[test]
fn deadline() {
    contract::check(DeadlineLayer::default);
    contract::check(DeadlineLayer::enforce_only);
    contract::check(|| DeadlineLayer::default().stamp_only());
    contract::check(|| DeadlineLayer::default().respond());
    contract::check(|| DeadlineLayer::default().through_body());
    contract::check(|| DeadlineLayer::default().through_body().respond());
}

#[test]
fn body_timeout() {
    let floor = MinThroughput::new(1024, Duration::from_secs(30)).expect("sound");
    contract::check(BodyTimeoutLayer::default);
    contract::check(BodyTimeoutLayer::disabled);
    contract::check(|| BodyTimeoutLayer::default().min_throughput(floor).including_event_streams());
}

/// No call has time left, so that the layers refuse them all.
fn too_late(nth: usize) -> Request<Full<Bytes>> {
    let mut request =
        Request::get(format!("http://contract.test/{nth}")).body(Full::default()).expect("a valid path");
    let now = tokio::time::Instant::now().into_std();
    let deadline = Deadline::after(now, Duration::ZERO).expect("now can be shown");
    CallContext::edit(request.extensions_mut()).shorten_deadline(deadline);
    request
}

#[test]
fn refusals_leave_nothing_behind() {
    contract::check_with(AttemptTimeoutLayer::default, too_late);
    contract::check_with(DeadlineLayer::default, too_late);
}

#[test]
fn an_inner_that_is_not_send_will_do() {
    contract::accepts_local(&AttemptTimeoutLayer::default());
    contract::accepts_local(&AttemptTimeoutLayer::default().respond());
    contract::accepts_local(&DeadlineLayer::default());
    contract::accepts_local(&DeadlineLayer::default().through_body().respond());
    contract::accepts_local(&BodyTimeoutLayer::default());
}
