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
    assert_eq!(seen.into_body().unwrap().at, at);
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
    assert_eq!(seen.into_body(), None);
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
