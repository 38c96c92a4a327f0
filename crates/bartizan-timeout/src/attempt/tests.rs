use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use bartizan_core::{BoxError, Deadline, Outcome, Rejection, find_source};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use tower::limit::ConcurrencyLimitLayer;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::*;
use crate::{AttemptTimedOut, DeadlineExceeded, TimedOut};

const SECOND: Duration = Duration::from_secs(1);
type Answer = Result<Response<Full<Bytes>>, Infallible>;

/// Answers after `delay`, counting calls that began and calls that are alive.
#[derive(Clone, Default)]
struct Upstream {
    delay: Duration,
    called: Arc<AtomicUsize>,
    alive: Arc<()>,
}

impl Upstream {
    fn slow(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    fn service(
        &self,
    ) -> impl Service<Request<()>, Response = Response<Full<Bytes>>, Error = Infallible, Future: Unpin>
    + Clone
    + use<> {
        let Self { delay, called, alive } = self.clone();
        service_fn(move |_: Request<()>| {
            called.fetch_add(1, Ordering::Relaxed);
            let alive = alive.clone();
            Box::pin(async move {
                let _alive = alive;
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                Answer::Ok(Response::new(Full::from("hello")))
            })
        })
    }

    fn called(&self) -> usize {
        self.called.load(Ordering::Relaxed)
    }
}

fn request() -> Request<()> {
    Request::get("http://user:pw@api.example.com/x").body(()).unwrap()
}

fn request_with_deadline(total: Duration) -> Request<()> {
    let mut request = request();
    let deadline = Deadline::after(Instant::now().into_std(), total).unwrap();
    CallContext::edit(request.extensions_mut()).shorten_deadline(deadline);
    request
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_time_passes() {
    let upstream = Upstream::slow(SECOND);
    let service = AttemptTimeoutLayer::new(2 * SECOND).layer(upstream.service());
    let response = service.oneshot(request()).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
}

#[tokio::test(start_paused = true)]
async fn a_hung_attempt_ends_at_the_limit() {
    let start = Instant::now();
    let service = AttemptTimeoutLayer::new(2 * SECOND).layer(Upstream::slow(9 * SECOND).service());
    let error = service.oneshot(request()).await.unwrap_err();
    assert_eq!(start.elapsed(), 2 * SECOND);
    assert_eq!(error.to_string(), "attempt at api.example.com timed out after 2s (limit 2s)");
    let error = error.downcast::<AttemptTimedOut>().unwrap();
    assert_eq!((error.limit(), error.elapsed()), (2 * SECOND, 2 * SECOND));
    assert_eq!(error.host(), Some("api.example.com"));
    assert!(find_source::<Rejection>(&*error).is_none(), "something was sent");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_there_beats_a_timer_that_fired() {
    let service = AttemptTimeoutLayer::new(2 * SECOND).layer(Upstream::slow(2 * SECOND).service());
    assert!(service.oneshot(request()).await.is_ok());
    let late = Upstream::slow(2 * SECOND + Duration::from_millis(1));
    assert!(AttemptTimeoutLayer::new(2 * SECOND).layer(late.service()).oneshot(request()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_zero_lets_through_what_is_ready_at_once() {
    let layer = AttemptTimeoutLayer::new(Duration::ZERO);
    assert!(layer.layer(Upstream::default().service()).oneshot(request()).await.is_ok());
    let pending = Upstream::slow(Duration::from_millis(1)).service();
    assert!(layer.layer(pending).oneshot(request()).await.unwrap_err().is::<AttemptTimedOut>());
}

#[tokio::test(start_paused = true)]
async fn the_inner_future_is_gone_when_the_error_comes() {
    let upstream = Upstream::slow(9 * SECOND);
    let mut service = AttemptTimeoutLayer::new(SECOND).layer(upstream.service());
    let before = Arc::strong_count(&upstream.alive);
    let mut future = std::pin::pin!(service.ready().await.unwrap().call(request()));
    assert_eq!(Arc::strong_count(&upstream.alive), before + 1);
    assert!(future.as_mut().await.is_err());
    assert_eq!(Arc::strong_count(&upstream.alive), before);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_cuts_an_attempt_short() {
    let start = Instant::now();
    let service = AttemptTimeoutLayer::new(10 * SECOND).layer(Upstream::slow(60 * SECOND).service());
    let error = service.oneshot(request_with_deadline(3 * SECOND)).await.unwrap_err();
    assert_eq!(start.elapsed(), 3 * SECOND);
    let error = error.downcast::<DeadlineExceeded>().unwrap();
    assert!(error.was_sent());
    assert_eq!((error.total(), error.elapsed()), (3 * SECOND, 3 * SECOND));
    assert_eq!(error.to_string(), "call at api.example.com exceeded its deadline of 3s, given up after 3s");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_at_the_limit_or_beyond_changes_nothing() {
    let service = AttemptTimeoutLayer::new(SECOND).layer(Upstream::slow(60 * SECOND).service());
    for deadline in [SECOND, SECOND + Duration::from_nanos(1)] {
        let error = service.clone().oneshot(request_with_deadline(deadline)).await.unwrap_err();
        assert!(error.is::<AttemptTimedOut>(), "{deadline:?}");
    }
    let error = service.oneshot(request_with_deadline(SECOND - Duration::from_nanos(1))).await.unwrap_err();
    assert!(error.is::<DeadlineExceeded>());
}

#[tokio::test(start_paused = true)]
async fn no_time_left_sends_nothing() {
    let upstream = Upstream::default();
    let late = request_with_deadline(SECOND);
    tokio::time::advance(SECOND).await;
    let service = AttemptTimeoutLayer::new(SECOND).layer(upstream.service());
    let error = service.oneshot(late).await.unwrap_err();
    assert_eq!(upstream.called(), 0);
    assert_eq!(find_source::<Rejection>(&*error), Some(&Rejection::new(None)));
    assert_eq!(
        error.to_string(),
        "deadline of 1s for the call at api.example.com was over after 1s, so nothing was sent"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_idle_handle_keeps_no_permit() {
    let service = ServiceBuilder::new()
        .layer(AttemptTimeoutLayer::default())
        .layer(ConcurrencyLimitLayer::new(1))
        .service(Upstream::default().service());
    let (mut idle, mut other) = (service.clone(), service);
    let refused = idle.ready().await.unwrap().call(request_with_deadline(Duration::ZERO));
    let mut other_ready = std::pin::pin!(other.ready());
    assert!(other_ready.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    assert!(refused.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn disabled_bounds_nothing() {
    let service = AttemptTimeoutLayer::disabled().layer(Upstream::slow(3600 * SECOND).service());
    assert!(service.oneshot(request_with_deadline(SECOND)).await.is_ok());
    let service = AttemptTimeoutLayer::new(Duration::MAX).layer(Upstream::slow(3600 * SECOND).service());
    assert!(service.oneshot(request()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn as_an_answer_it_is_504_and_a_failure() {
    let service = AttemptTimeoutLayer::new(SECOND).respond().layer(Upstream::slow(9 * SECOND).service());
    let Ok(response) = service.clone().oneshot(request()).await;
    assert_eq!(response.status(), 504);
    assert_eq!(response.extensions().get::<Outcome>(), Some(&Outcome::Failure));
    let Ok(response) = service.oneshot(request_with_deadline(Duration::ZERO)).await;
    assert_eq!(response.status(), 504);
    assert!(response.extensions().get::<Rejection>().is_some());
}

#[test]
fn what_is_ready_at_once_needs_no_timer() {
    // There is no runtime here; a registered timer would panic.
    let mut service = AttemptTimeoutLayer::default().layer(Upstream::default().service());
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(service.poll_ready(cx).is_ready());
    let mut future = std::pin::pin!(service.call(request()));
    assert!(future.as_mut().poll(cx).is_ready());
}

#[tokio::test]
async fn an_inner_that_is_always_busy_cannot_hold_the_timer_off() {
    let busy = service_fn(|_: Request<()>| async {
        loop {
            tokio::task::consume_budget().await;
        }
        #[allow(unreachable_code, reason = "gives the block its type")]
        Ok::<Response<()>, BoxError>(Response::new(()))
    });
    let service = AttemptTimeoutLayer::new(Duration::from_millis(5)).layer(busy);
    assert!(service.oneshot(request()).await.unwrap_err().is::<AttemptTimedOut>());
}

#[derive(Clone, Default)]
struct Told(Arc<std::sync::Mutex<Vec<String>>>);

impl Hook for Told {
    fn timed_out(&self, event: TimedOut<'_>) {
        self.0.lock().unwrap().push(match event {
            TimedOut::Attempt(error) => format!("{:?}", error.elapsed()),
            TimedOut::Deadline(error) => format!("deadline, sent: {}", error.was_sent()),
            other => panic!("{other:?}"),
        });
    }
}

#[tokio::test(start_paused = true)]
async fn the_hook_is_told_of_time_outs_only() {
    let told = Told::default();
    let layer = AttemptTimeoutLayer::new(SECOND).hook(told.clone());
    let _ = layer.layer(Upstream::default().service()).oneshot(request()).await;
    let slow = layer.layer(Upstream::slow(9 * SECOND).service());
    let _ = slow.clone().oneshot(request()).await;
    let _ = slow.clone().oneshot(request_with_deadline(SECOND / 2)).await;
    let _ = slow.oneshot(request_with_deadline(Duration::ZERO)).await;
    assert_eq!(*told.0.lock().unwrap(), ["1s", "deadline, sent: true", "deadline, sent: false"]);
}

const TIME_LEFT: HeaderName = HeaderName::from_static("x-time-left-ms");

/// What the origin is told by an attempt of `request`.
async fn told(layer: AttemptTimeoutLayer, request: Request<()>) -> Vec<String> {
    let echo = service_fn(|request: Request<()>| async move {
        let values = request.headers().get_all(TIME_LEFT).iter();
        Ok::<_, Infallible>(Response::new(
            values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>(),
        ))
    });
    layer.layer(echo).oneshot(request).await.unwrap().into_body()
}

#[tokio::test(start_paused = true)]
async fn the_origin_is_told_what_the_attempt_has() {
    let layer = AttemptTimeoutLayer::new(2 * SECOND).pass_on(TIME_LEFT);
    assert_eq!(told(layer.clone(), request()).await, ["2000"]);
    assert_eq!(told(layer.clone(), request_with_deadline(3 * SECOND)).await, ["2000"]);
    assert_eq!(told(layer.clone(), request_with_deadline(SECOND / 2)).await, ["500"]);
    assert_eq!(told(layer, request_with_deadline(Duration::from_micros(1))).await, ["1"]);
}

#[tokio::test(start_paused = true)]
async fn the_origin_is_told_once() {
    let mut request = request();
    request.headers_mut().append(TIME_LEFT, "7".parse().unwrap());
    request.headers_mut().append(TIME_LEFT, "8".parse().unwrap());
    assert_eq!(told(AttemptTimeoutLayer::new(SECOND).pass_on(TIME_LEFT), request).await, ["1000"]);
}

#[tokio::test(start_paused = true)]
async fn the_origin_is_told_nothing_without_a_bound_or_unasked() {
    assert!(told(AttemptTimeoutLayer::default(), request()).await.is_empty());
    for unbounded in [AttemptTimeoutLayer::disabled(), AttemptTimeoutLayer::new(Duration::MAX)] {
        assert!(told(unbounded.pass_on(TIME_LEFT), request()).await.is_empty());
    }
}

#[test]
fn debug_shows_the_limit_and_the_field() {
    let layer = AttemptTimeoutLayer::new(SECOND).pass_on(TIME_LEFT);
    let shown = format!("{layer:?} {:?}", layer.layer(()));
    assert_eq!(shown.matches("limit: Some(1s)").count(), 2, "{shown}");
    assert_eq!(shown.matches("x-time-left-ms").count(), 2, "{shown}");
}
