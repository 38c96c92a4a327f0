use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use bartizan_core::{BoxError, find_source};
use bartizan_test::bodies::{self, ScriptedError, Step};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tokio::time::Instant;
use tower::{ServiceExt, service_fn};

use super::*;
use crate::timer::tests::Busy;
use crate::{BodyStalled, BodyTooSlow, TimedOut};

const SECOND: Duration = Duration::from_secs(1);

fn request() -> Request<()> {
    Request::get("http://user:pw@api.example.com/x").body(()).unwrap()
}

/// The body as it comes through the layer.
async fn through<H: Hook + Clone, R>(layer: BodyTimeoutLayer<H>, body: R) -> TimeoutBody<R, H> {
    of_type(layer, body, "application/json").await
}

async fn of_type<H: Hook + Clone, R>(
    layer: BodyTimeoutLayer<H>,
    body: R,
    media_type: &str,
) -> TimeoutBody<R, H> {
    let response = Response::builder().header(CONTENT_TYPE, media_type).body(body).unwrap();
    let response = Mutex::new(Some(response));
    let inner = service_fn(|_: Request<()>| {
        let response = response.lock().unwrap().take().unwrap();
        async { Ok::<_, Infallible>(response) }
    });
    layer.layer(inner).oneshot(request()).await.unwrap().into_body()
}

fn three_seconds() -> BodyTimeoutLayer {
    BodyTimeoutLayer::new(3 * SECOND)
}

/// `bytes` bytes after each wait, for ever.
fn drip(wait: Duration, bytes: usize) -> bodies::Body {
    let frames = (0..1000).flat_map(|_| [Step::Wait(wait), Step::data(vec![b'a'; bytes])]);
    bodies::Body::frames(frames)
}

fn poll(body: &mut (impl Body + Unpin)) -> bool {
    Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop())).is_ready()
}

async fn cut_off<H: Hook>(body: TimeoutBody<bodies::Body, H>) -> BoxError {
    tokio::time::timeout(24 * 3600 * SECOND, body.collect()).await.expect("it ends").unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_body_that_falls_silent_ends_at_the_limit() {
    let start = Instant::now();
    let body = bodies::Body::frames([Step::Wait(2 * SECOND), Step::data("ab")]).then_never();
    let error = cut_off(through(three_seconds(), body).await).await;
    assert_eq!(start.elapsed(), 5 * SECOND);
    assert_eq!(
        error.to_string(),
        "response body at api.example.com stalled: nothing came for 3s (limit 3s), after 2 bytes"
    );
    let error = error.downcast::<BodyStalled>().unwrap();
    assert_eq!((error.limit(), error.elapsed(), error.bytes()), (3 * SECOND, 3 * SECOND, 2));
    assert_eq!(error.host(), Some("api.example.com"));
}

#[tokio::test(start_paused = true)]
async fn a_body_may_take_as_long_as_it_likes_while_frames_come() {
    let frames = (0..9).flat_map(|_| [Step::Wait(2 * SECOND), Step::data("ab")]);
    let whole = through(three_seconds(), bodies::Body::frames(frames)).await.collect().await.unwrap();
    assert_eq!(whole.to_bytes().len(), 18);
}

#[tokio::test(start_paused = true)]
async fn the_default_is_thirty_seconds() {
    let start = Instant::now();
    let error = cut_off(through(BodyTimeoutLayer::default(), bodies::Body::never()).await).await;
    assert!(error.is::<BodyStalled>());
    assert_eq!(start.elapsed(), 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_there_beats_a_timer_that_fired() {
    let at = |wait| through(three_seconds(), bodies::Body::frames([Step::Wait(wait), Step::data("a")]));
    assert!(at(3 * SECOND).await.collect().await.is_ok());
    assert!(at(3 * SECOND + Duration::from_millis(1)).await.collect().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_reads_slowly_is_not_the_origins_fault() {
    let floor = MinThroughput::new(1, SECOND).unwrap();
    let frames = (0..5).flat_map(|_| [Step::Pending, Step::data("ab")]);
    let mut body = through(three_seconds().min_throughput(floor), bodies::Body::frames(frames)).await;
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += frame.unwrap().into_data().unwrap().len();
        tokio::time::sleep(60 * SECOND).await;
    }
    assert_eq!(bytes, 10);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_there_for_a_caller_that_comes_back_late_still_counts() {
    let mut body =
        through(three_seconds(), bodies::Body::frames([Step::Wait(SECOND), Step::data("ab")])).await;
    assert!(!poll(&mut body));
    tokio::time::sleep(60 * SECOND).await;
    assert!(body.frame().await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_left_lying_counts_as_prompt() {
    let floor = MinThroughput::new(10, 30 * SECOND).unwrap();
    let mut body = through(BodyTimeoutLayer::default().min_throughput(floor), drip(SECOND, 1)).await;
    for _ in 0..20 {
        assert!(!poll(&mut body));
        // The frame comes within a second.
        tokio::time::sleep(20 * SECOND).await;
        body.frame().await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn one_byte_now_and_then_is_too_slow() {
    let start = Instant::now();
    let floor = MinThroughput::new(30 * 1024, 30 * SECOND).unwrap();
    let layer = BodyTimeoutLayer::default().min_throughput(floor);
    let error = cut_off(through(layer, drip(29 * SECOND, 1)).await).await;
    assert_eq!(start.elapsed(), 30 * SECOND);
    assert_eq!(
        error.to_string(),
        "response body at api.example.com is too slow: 1 bytes in 30s of waiting (at least 30720 asked for), 1 in all"
    );
    let error = error.downcast::<BodyTooSlow>().unwrap();
    assert_eq!((error.limit(), error.elapsed()), (floor, 30 * SECOND));
    assert_eq!((error.window_bytes(), error.bytes(), error.host()), (1, 1, Some("api.example.com")));
}

#[tokio::test(start_paused = true)]
async fn a_body_slows_down_and_is_found_out() {
    let floor = MinThroughput::new(10, 10 * SECOND).unwrap();
    let fast = (0..20).flat_map(|_| [Step::Wait(SECOND), Step::data("a")]);
    let slow = (0..20).flat_map(|_| [Step::Wait(2 * SECOND), Step::data("a")]);
    let layer = three_seconds().min_throughput(floor);
    let error = cut_off(through(layer, bodies::Body::frames(fast.chain(slow))).await).await;
    let error = error.downcast::<BodyTooSlow>().unwrap();
    assert_eq!((error.window_bytes(), error.bytes()), (5, 25));
}

#[tokio::test(start_paused = true)]
async fn any_pace_will_do_unless_it_is_asked_for() {
    let body = through(three_seconds(), drip(2 * SECOND, 1)).await;
    assert_eq!(body.collect().await.unwrap().to_bytes().len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn a_throughput_alone_has_no_other_limit() {
    let start = Instant::now();
    let floor = MinThroughput::new(1, SECOND).unwrap().after(3600 * SECOND);
    let layer = BodyTimeoutLayer::new(Duration::MAX).min_throughput(floor);
    assert!(cut_off(through(layer, bodies::Body::never()).await).await.is::<BodyTooSlow>());
    assert_eq!(start.elapsed(), 3601 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn streams_of_events_are_left_alone_unless_they_are_included() {
    let floor = MinThroughput::new(9, SECOND).unwrap();
    for layer in [three_seconds(), three_seconds().min_throughput(floor)] {
        let quiet = || bodies::Body::frames([Step::Wait(60 * SECOND), Step::data("data: 1\n\n")]);
        let events = "Text/Event-Stream; charset=utf-8";
        assert!(of_type(layer.clone(), quiet(), events).await.collect().await.is_ok());
        assert!(of_type(layer.clone(), quiet(), "text/event").await.collect().await.is_err());
        let included = layer.including_event_streams();
        assert!(of_type(included, quiet(), events).await.collect().await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn disabled_leaves_every_body_alone() {
    let floor = MinThroughput::new(9, SECOND).unwrap();
    let layer = BodyTimeoutLayer::disabled().min_throughput(floor).including_event_streams();
    let quiet = bodies::Body::frames([Step::Wait(3600 * SECOND), Step::data("a")]);
    assert!(through(layer, quiet).await.collect().await.is_ok());
}

#[tokio::test]
async fn a_body_that_is_always_busy_cannot_hold_the_timer_off() {
    let body = through(BodyTimeoutLayer::new(Duration::from_millis(5)), Busy).await;
    assert!(body.collect().await.unwrap_err().is::<BodyStalled>());
}

#[test]
fn a_body_that_is_ready_needs_no_timer() {
    // There is no runtime here; a timer would panic.
    let limits = Limits { idle: SECOND, floor: MinThroughput::new(1, SECOND).ok() };
    let mut body = TimeoutBody::new(Full::new(Bytes::from("ab")), Some(limits), Target::NONE, ());
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
        let probe = inner.probe();
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
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "1".parse().unwrap());
    let steps = [Step::data("ab"), Step::Pending, Step::Trailers(trailers.clone())];
    let body = through(three_seconds(), bodies::Body::frames(steps).ends_knowingly()).await;
    assert_eq!(body.size_hint().exact(), Some(2));
    let whole = body.collect().await.unwrap();
    assert_eq!(whole.trailers(), Some(&trailers));

    let mut broken = through(three_seconds(), bodies::Body::frames([Step::Error])).await;
    let error = broken.frame().await.unwrap().unwrap_err();
    assert!(find_source::<ScriptedError>(&*error).is_some());
    assert!(broken.frame().await.is_none(), "and is not polled again");

    let mut knows = through(three_seconds(), bodies::Body::frames([Step::data("a")]).ends_knowingly()).await;
    assert!(!knows.is_end_stream());
    let _ = knows.frame().await;
    assert!(knows.is_end_stream());
    assert!(TimeoutBody::<Full<Bytes>>::default().is_end_stream());
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Hook for Told {
    fn timed_out(&self, event: TimedOut<'_>) {
        self.0.lock().unwrap().push(match event {
            TimedOut::BodyStalled(error) => format!("stalled, {} bytes", error.bytes()),
            TimedOut::BodyTooSlow(error) => format!("too slow, {} bytes", error.bytes()),
            other => panic!("{other:?}"),
        });
    }
}

#[tokio::test(start_paused = true)]
async fn the_hook_is_told_why_and_of_nothing_else() {
    let told = Told::default();
    let floor = MinThroughput::new(9, 9 * SECOND).unwrap();
    let layer = three_seconds().min_throughput(floor).hook(told.clone());
    assert!(through(layer.clone(), bodies::Body::frames([Step::data("a")])).await.collect().await.is_ok());
    cut_off(through(layer.clone(), bodies::Body::never()).await).await;
    cut_off(through(layer, drip(2 * SECOND, 1)).await).await;
    assert_eq!(*told.0.lock().unwrap(), ["stalled, 0 bytes", "too slow, 4 bytes"]);
}

#[tokio::test]
async fn the_inner_error_and_the_extensions_of_the_answer_stay() {
    #[derive(Clone, Debug, PartialEq)]
    struct Fact;

    let failing = service_fn(|_: Request<()>| async { Err::<Response<Full<Bytes>>, _>(Fact) });
    assert_eq!(three_seconds().layer(failing).oneshot(request()).await.unwrap_err(), Fact);
    let inner = service_fn(|_: Request<()>| async {
        let mut response = Response::new(Full::new(Bytes::new()));
        response.extensions_mut().insert(Fact);
        Ok::<_, Infallible>(response)
    });
    let Ok(response) = three_seconds().layer(inner).oneshot(request()).await;
    assert_eq!(response.extensions().get(), Some(&Fact));
}

#[test]
fn debug_shows_the_rule() {
    let layer = three_seconds().including_event_streams();
    let shown = format!("{layer:?} {:?}", layer.layer(()));
    assert_eq!(shown.matches("idle: Some(3s)").count(), 2, "{shown}");
}
