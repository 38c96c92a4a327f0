use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use bartizan_core::{CallContext, find_source};
use bartizan_test::bodies::{self, Probe, ScriptedError, Step};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_layer::Layer;

use super::*;
use crate::DeadlineLayer;
use crate::timer::tests::Busy;

const SECOND: Duration = Duration::from_secs(1);

fn request() -> Request<()> {
    Request::get("http://user:pw@api.example.com/x").body(()).unwrap()
}

/// The body as it comes through the layer.
async fn through(layer: DeadlineLayer, body: bodies::Body) -> DeadlineBody<bodies::Body> {
    answered(layer, body, request()).await
}

async fn answered(
    layer: DeadlineLayer,
    body: bodies::Body,
    request: Request<()>,
) -> DeadlineBody<bodies::Body> {
    let body = Mutex::new(Some(body));
    let inner = service_fn(|_: Request<()>| {
        let body = body.lock().unwrap().take().unwrap();
        async { Ok::<_, Infallible>(Response::new(body)) }
    });
    layer.layer(inner).oneshot(request).await.unwrap().into_body()
}

fn three_seconds() -> DeadlineLayer {
    DeadlineLayer::new(3 * SECOND).through_body()
}

fn slow(frames: u32) -> bodies::Body {
    bodies::Body::frames((0..frames).flat_map(|_| [Step::Wait(SECOND), Step::data("ab")]))
}

/// A frame after each second, and what became of the body.
async fn read(mut body: DeadlineBody<bodies::Body>) -> (usize, Option<BoxError>) {
    let mut bytes = 0;
    while let Some(frame) = tokio::time::timeout(3600 * SECOND, body.frame()).await.expect("it ends") {
        match frame {
            Ok(frame) => bytes += frame.into_data().map_or(0, |data| data.len()),
            Err(error) => return (bytes, Some(error)),
        }
    }
    (bytes, None)
}

fn poll(body: &mut (impl Body + Unpin)) -> bool {
    Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[tokio::test(start_paused = true)]
async fn a_body_ends_with_the_error_at_the_deadline() {
    let start = Instant::now();
    let body =
        through(three_seconds(), bodies::Body::frames([Step::Wait(SECOND), Step::data("ab")]).then_never());
    let (bytes, error) = read(body.await).await;
    assert_eq!((bytes, start.elapsed()), (2, 3 * SECOND));
    let error = error.unwrap().downcast::<DeadlineExceeded>().unwrap();
    assert_eq!((error.total(), error.elapsed(), error.body_bytes()), (3 * SECOND, 3 * SECOND, Some(2)));
    assert!(error.was_sent());
    assert_eq!(error.host(), Some("api.example.com"));
    assert_eq!(
        error.to_string(),
        "call at api.example.com exceeded its deadline of 3s, given up after 3s and 2 bytes of the body"
    );
}

#[tokio::test(start_paused = true)]
async fn head_and_body_share_one_deadline() {
    let start = Instant::now();
    let late_head = service_fn(|_: Request<()>| async {
        tokio::time::sleep(2 * SECOND).await;
        Ok::<_, Infallible>(Response::new(slow(9)))
    });
    let body = three_seconds().layer(late_head).oneshot(request()).await.unwrap().into_body();
    assert!(body.collect().await.is_err());
    assert_eq!(start.elapsed(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_body_is_left_alone_unless_it_is_asked_for() {
    assert!(read(through(DeadlineLayer::new(3 * SECOND), slow(9)).await).await.1.is_none());
    assert!(read(through(DeadlineLayer::disabled().through_body(), slow(9)).await).await.1.is_none());
    let unenforced = three_seconds().stamp_only();
    assert!(read(through(unenforced, slow(9)).await).await.1.is_none());
}

#[tokio::test(start_paused = true)]
async fn one_call_may_switch_it_on_when_the_head_is_there() {
    let start = Instant::now();
    let mut request = request();
    let switch = CallContext::edit(request.extensions_mut()).through_body_mut().clone();
    let mut body = answered(DeadlineLayer::new(3 * SECOND), slow(9), request).await;
    for _ in 0..5 {
        body.frame().await.unwrap().unwrap();
    }
    assert_eq!(start.elapsed(), 5 * SECOND, "off");
    switch.turn_on();
    assert!(body.frame().await.unwrap().unwrap_err().is::<DeadlineExceeded>());
    assert_eq!(start.elapsed(), 5 * SECOND, "at once");
}

#[tokio::test(start_paused = true)]
async fn stamped_here_and_enforced_there_through_the_body() {
    for (stamp, ends) in
        [(three_seconds().stamp_only(), true), (DeadlineLayer::new(3 * SECOND).stamp_only(), false)]
    {
        let service = ServiceBuilder::new()
            .layer(stamp)
            .layer(DeadlineLayer::enforce_only())
            .service(service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(slow(9))) }));
        let body = service.oneshot(request()).await.unwrap().into_body();
        assert_eq!(body.collect().await.is_err(), ends);
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_there_at_the_deadline_still_counts_and_so_does_the_end() {
    let (bytes, error) = read(through(three_seconds(), slow(3)).await).await;
    assert_eq!(bytes, 6);
    assert!(error.is_none());
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "1".parse().unwrap());
    let steps = [Step::Wait(3 * SECOND), Step::data("ab"), Step::Trailers(trailers.clone())];
    let whole = through(three_seconds(), bodies::Body::frames(steps)).await.collect().await.unwrap();
    assert_eq!(whole.trailers(), Some(&trailers));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_always_ready_ends_one_frame_after_the_deadline() {
    let mut body = through(three_seconds(), bodies::Body::endless("ab")).await;
    for _ in 0..1000 {
        body.frame().await.unwrap().unwrap();
    }
    tokio::time::advance(3 * SECOND).await;
    body.frame().await.unwrap().unwrap();
    assert!(body.frame().await.unwrap().unwrap_err().is::<DeadlineExceeded>());
}

#[tokio::test]
async fn a_body_that_is_always_busy_cannot_hold_the_timer_off() {
    let layer = DeadlineLayer::new(Duration::from_millis(5)).through_body();
    let busy = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(Busy)) });
    let body = layer.layer(busy).oneshot(request()).await.unwrap().into_body();
    assert!(body.collect().await.unwrap_err().is::<DeadlineExceeded>());
}

#[test]
fn a_body_that_is_ready_needs_no_timer() {
    // There is no runtime here; a timer would panic.
    let deadline = Deadline::after(Instant::now().into_std(), SECOND).unwrap();
    let by = BodyDeadline::always(deadline, Target::NONE, ());
    let mut body = by.around(Full::new(Bytes::from("ab")));
    assert!(poll(&mut body));
    assert!(poll(&mut body));
}

#[tokio::test(start_paused = true)]
async fn after_the_error_the_body_is_gone_and_at_its_end() {
    let inner = bodies::Body::never();
    let probe = inner.probe();
    let mut body = through(three_seconds(), inner).await;
    assert!(!body.is_end_stream());
    assert!(body.frame().await.unwrap().is_err());
    assert!(probe.is_dropped());
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.frame().await.is_none());
    assert!(body.into_inner().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_body_takes_the_inner_along_at_every_point() {
    for polls in 0..3 {
        let inner = bodies::Body::frames([Step::data("ab")]).then_never();
        let probe: Probe = inner.probe();
        let mut body = through(three_seconds(), inner).await;
        for _ in 0..polls {
            let _ = poll(&mut body);
        }
        drop(body);
        assert!(probe.is_dropped(), "after {polls} polls");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_body_is_and_says_passes_through() {
    let steps = [Step::data("ab"), Step::Error];
    let mut body = through(three_seconds(), bodies::Body::frames(steps)).await;
    assert_eq!(body.size_hint().lower(), 2);
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "ab");
    let error = body.frame().await.unwrap().unwrap_err();
    assert!(find_source::<ScriptedError>(&*error).is_some());
    assert!(body.frame().await.is_none(), "and is not polled again");

    let knows = through(three_seconds(), bodies::Body::frames([Step::data("ab")]).ends_knowingly()).await;
    assert_eq!(knows.size_hint().exact(), Some(2));
    let mut knows = knows;
    let _ = knows.frame().await;
    assert!(knows.is_end_stream());
    assert!(DeadlineBody::<Full<Bytes>>::default().is_end_stream());
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Hook for Told {
    fn timed_out(&self, event: TimedOut<'_>) {
        let TimedOut::Deadline(error) = event else { panic!("{event:?}") };
        self.0.lock().unwrap().push(format!("{:?}", error.body_bytes()));
    }
}

#[tokio::test(start_paused = true)]
async fn the_hook_is_told_once() {
    let told = Told::default();
    let inner = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(slow(9))) });
    let service = three_seconds().hook(told.clone()).layer(inner);
    let mut body = service.oneshot(request()).await.unwrap().into_body();
    while body.frame().await.is_some() {}
    assert_eq!(*told.0.lock().unwrap(), ["Some(6)"]);
}

#[tokio::test(start_paused = true)]
async fn as_an_answer_a_body_that_is_cut_off_is_an_error_all_the_same() {
    let inner = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(slow(9))) });
    let Ok(response) = three_seconds().respond().layer(inner).oneshot(request()).await;
    assert_eq!(response.status(), 200);
    assert!(response.into_body().collect().await.unwrap_err().is::<DeadlineExceeded>());
}

#[tokio::test(start_paused = true)]
async fn what_bounds_a_body_goes_around_another() {
    let (inner, by) = through(three_seconds(), slow(9)).await.into_parts();
    assert!(format!("{by:?}").contains("api.example.com"), "{by:?}");
    assert!(by.around(inner.unwrap()).collect().await.is_err());
    assert!(BodyDeadline::<()>::default().around(slow(9)).collect().await.is_ok());
}
