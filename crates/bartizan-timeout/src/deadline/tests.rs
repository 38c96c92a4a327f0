use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use bartizan_core::{Rejection, find_source};
use tower::limit::ConcurrencyLimitLayer;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::*;
use crate::{AttemptTimedOut, AttemptTimeoutLayer, DeadlineExceeded};

const SECOND: Duration = Duration::from_secs(1);

/// Answers after `delay` with the deadline it saw, in the response's body.
fn upstream(
    delay: Duration,
) -> impl Service<Request<()>, Response = Response<Option<Deadline>>, Error = Infallible, Future: Send> + Clone
{
    service_fn(move |request: Request<()>| async move {
        tokio::time::sleep(delay).await;
        let seen = CallContext::of(request.extensions()).and_then(CallContext::deadline);
        Ok(Response::new(seen))
    })
}

fn request() -> Request<()> {
    Request::get("http://api.example.com/x").body(()).unwrap()
}

fn request_with_deadline(total: Duration) -> Request<()> {
    let mut request = request();
    let deadline = Deadline::after(Instant::now().into_std(), total).unwrap();
    CallContext::edit(request.extensions_mut()).shorten_deadline(deadline);
    request
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_the_deadline() {
    let start = Instant::now();
    let service = DeadlineLayer::new(3 * SECOND).layer(upstream(60 * SECOND));
    let error = service.oneshot(request()).await.unwrap_err();
    assert_eq!(start.elapsed(), 3 * SECOND);
    let error = error.downcast::<DeadlineExceeded>().unwrap();
    assert_eq!((error.total(), error.elapsed(), error.was_sent()), (3 * SECOND, 3 * SECOND, true));
    assert!(find_source::<Rejection>(&*error).is_none());
}

#[tokio::test(start_paused = true)]
async fn inner_layers_see_the_deadline() {
    let at = (Instant::now() + 3 * SECOND).into_std();
    let seen = DeadlineLayer::new(3 * SECOND).layer(upstream(SECOND)).oneshot(request()).await.unwrap();
    assert_eq!(seen.into_body().into_inner().unwrap().unwrap().at, at);
}

#[tokio::test(start_paused = true)]
async fn an_earlier_deadline_stays_and_is_kept() {
    let start = Instant::now();
    let service = DeadlineLayer::new(9 * SECOND).layer(upstream(60 * SECOND));
    let error = service.clone().oneshot(request_with_deadline(2 * SECOND)).await.unwrap_err();
    assert_eq!(start.elapsed(), 2 * SECOND);
    assert_eq!(error.downcast::<DeadlineExceeded>().unwrap().total(), 2 * SECOND);
    let error = service.oneshot(request_with_deadline(60 * SECOND)).await.unwrap_err();
    assert_eq!(error.downcast::<DeadlineExceeded>().unwrap().total(), 9 * SECOND, "shortened");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_zero_sends_nothing() {
    let called = Arc::new(AtomicUsize::new(0));
    let counted = called.clone();
    let inner = service_fn(move |_: Request<()>| {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok::<_, Infallible>(Response::new(())))
    });
    let error = DeadlineLayer::new(Duration::ZERO).layer(inner).oneshot(request()).await.unwrap_err();
    assert_eq!(called.load(Ordering::Relaxed), 0);
    assert!(find_source::<Rejection>(&*error).is_some());
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_the_deadline_still_counts() {
    assert!(DeadlineLayer::new(SECOND).layer(upstream(SECOND)).oneshot(request()).await.is_ok());
    let late = upstream(SECOND + Duration::from_millis(1));
    assert!(DeadlineLayer::new(SECOND).layer(late).oneshot(request()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn stamped_here_and_enforced_there() {
    let start = Instant::now();
    let stamped = DeadlineLayer::new(SECOND).stamp_only();
    assert!(stamped.layer(upstream(5 * SECOND)).oneshot(request()).await.is_ok(), "not enforced");
    let service = ServiceBuilder::new()
        .layer(stamped)
        .layer(DeadlineLayer::enforce_only())
        .service(upstream(5 * SECOND));
    assert!(service.oneshot(request()).await.is_err());
    assert_eq!(start.elapsed(), 6 * SECOND);
    let unstamped = DeadlineLayer::enforce_only().layer(upstream(3600 * SECOND));
    assert!(unstamped.oneshot(request()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn disabled_and_unbounded_leave_the_call_alone() {
    let disabled = DeadlineLayer::disabled().layer(upstream(9 * SECOND));
    assert!(disabled.oneshot(request_with_deadline(SECOND)).await.is_ok());
    let seen = DeadlineLayer::new(Duration::MAX).layer(upstream(SECOND)).oneshot(request()).await.unwrap();
    assert_eq!(seen.into_body().into_inner().unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_within_a_call_has_its_own_limit() {
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(3 * SECOND))
        .layer(AttemptTimeoutLayer::new(SECOND))
        .service(upstream(60 * SECOND));
    assert!(service.oneshot(request()).await.unwrap_err().is::<AttemptTimedOut>());
}

#[tokio::test(start_paused = true)]
async fn a_refused_idle_handle_keeps_no_permit() {
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::default())
        .layer(ConcurrencyLimitLayer::new(1))
        .service(upstream(SECOND));
    let (mut idle, mut other) = (service.clone(), service);
    let refused = idle.ready().await.unwrap().call(request_with_deadline(Duration::ZERO));
    let mut other_ready = std::pin::pin!(other.ready());
    assert!(other_ready.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    assert!(refused.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn as_an_answer_it_is_504() {
    let service = DeadlineLayer::new(SECOND).respond().layer(upstream(9 * SECOND));
    let Ok(response) = service.oneshot(request()).await;
    assert_eq!(response.status(), 504);
}

const TIME_LEFT: HeaderName = HeaderName::from_static("x-time-left-ms");

fn request_that_says(millis: &str) -> Request<()> {
    let mut request = request();
    request.headers_mut().insert(TIME_LEFT, millis.parse().unwrap());
    request
}

async fn total_of(layer: DeadlineLayer, request: Request<()>) -> Option<Duration> {
    let response = layer.layer(upstream(Duration::ZERO)).oneshot(request).await.unwrap();
    response.into_body().into_inner().unwrap().map(|deadline| deadline.total())
}

#[tokio::test(start_paused = true)]
async fn what_a_request_says_shortens_its_deadline_and_never_lengthens_it() {
    let layer = DeadlineLayer::new(3 * SECOND).shortened_by(TIME_LEFT);
    for (millis, total) in
        [("1500", SECOND * 3 / 2), ("3001", 3 * SECOND), ("99999999999999999999", 3 * SECOND)]
    {
        assert_eq!(total_of(layer.clone(), request_that_says(millis)).await, Some(total), "{millis}");
    }
    let no_time = layer.layer(upstream(SECOND)).oneshot(request_that_says("0")).await;
    assert!(find_source::<Rejection>(&*no_time.unwrap_err()).is_some());
}

#[tokio::test(start_paused = true)]
async fn malformed_times_and_fields_that_nobody_asked_for_are_ignored() {
    let layer = DeadlineLayer::new(3 * SECOND);
    assert_eq!(total_of(layer.clone(), request_that_says("5")).await, Some(3 * SECOND));
    let layer = layer.shortened_by(TIME_LEFT);
    assert_eq!(total_of(layer, request_that_says("-5")).await, Some(3 * SECOND));
    let disabled = DeadlineLayer::disabled().shortened_by(TIME_LEFT).through_body();
    assert_eq!(total_of(disabled, request_that_says("5")).await, None);
}

#[tokio::test(start_paused = true)]
async fn where_only_requests_have_a_time_the_clock_starts_with_them() {
    let layer = DeadlineLayer::enforce_only().shortened_by(TIME_LEFT);
    assert_eq!(total_of(layer.clone(), request_that_says("5")).await, Some(Duration::from_millis(5)));
    assert_eq!(total_of(layer, request()).await, None);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_passes_on_what_a_server_takes_over() {
    let server = DeadlineLayer::new(60 * SECOND).shortened_by(TIME_LEFT).layer(upstream(Duration::ZERO));
    let client = ServiceBuilder::new()
        .layer(DeadlineLayer::new(3 * SECOND))
        .layer(AttemptTimeoutLayer::new(9 * SECOND).pass_on(TIME_LEFT))
        // As if over the wire.
        .map_request(|request: Request<()>| {
            let mut sent = Request::new(());
            *sent.headers_mut() = request.headers().clone();
            sent
        })
        .service(server);
    let response = client.oneshot(request()).await.unwrap();
    let seen = response.into_body().into_inner().unwrap().into_inner().unwrap().unwrap();
    assert_eq!(seen.total(), 3 * SECOND);
}

#[test]
fn debug_shows_the_rule() {
    let layer = DeadlineLayer::new(SECOND).through_body().shortened_by(TIME_LEFT);
    let shown = format!("{layer:?} {:?}", layer.layer(()));
    for part in ["total: Some(1s)", "through_body: true", "x-time-left-ms"] {
        assert_eq!(shown.matches(part).count(), 2, "{shown}");
    }
}
