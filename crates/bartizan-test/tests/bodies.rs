//! Scripted bodies keep to their script.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bartizan_test::bodies::{Body, ScriptedError, Step};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use tower::BoxError;

type Polled = Poll<Option<Result<Frame<Bytes>, BoxError>>>;

fn poll(body: &mut Body) -> Polled {
    pin!(body).poll_frame(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn steps_come_in_order_and_are_counted() {
    let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), HeaderValue::from_static("7"))]);
    let mut body =
        Body::frames([Step::data("a"), Step::Pending, Step::data("b"), Step::Trailers(trailers.clone())]);
    let probe = body.probe();

    assert!(matches!(poll(&mut body), Poll::Ready(Some(Ok(frame))) if frame.data_ref().unwrap() == "a"));
    assert!(poll(&mut body).is_pending());
    assert!(matches!(poll(&mut body), Poll::Ready(Some(Ok(frame))) if frame.data_ref().unwrap() == "b"));
    assert!(
        matches!(poll(&mut body), Poll::Ready(Some(Ok(frame))) if frame.trailers_ref().unwrap() == &trailers)
    );
    assert!(!body.is_end_stream() && !probe.end_was_returned());
    assert!(matches!(poll(&mut body), Poll::Ready(None)));
    assert!(body.is_end_stream() && probe.end_was_returned());
    assert_eq!((probe.polls(), probe.late_polls()), (5, 0));
}

#[test]
fn an_error_is_the_end() {
    let mut body = Body::frames([Step::Error, Step::data("never seen")]).lenient();
    let probe = body.probe();
    assert!(matches!(poll(&mut body), Poll::Ready(Some(Err(error))) if error.is::<ScriptedError>()));
    assert!(matches!(poll(&mut body), Poll::Ready(None)));
    assert_eq!(probe.late_polls(), 1);
}

#[test]
#[should_panic(expected = "polled after its end")]
fn a_poll_after_the_end_panics() {
    let mut body = Body::empty();
    assert!(matches!(poll(&mut body), Poll::Ready(None)));
    let _ = poll(&mut body);
}

#[test]
fn a_drop_is_told() {
    let body = Body::never();
    let probe = body.probe();
    assert!(!probe.is_dropped());
    drop(body);
    assert!(probe.is_dropped());
}

#[test]
fn the_size_hint_follows_the_script() {
    let mut body = Body::frames([Step::data("abc"), Step::Pending, Step::data("de")]);
    assert_eq!(body.size_hint().exact(), Some(5));
    let _ = poll(&mut body);
    assert_eq!(body.size_hint().exact(), Some(2));

    let failing = Body::frames([Step::data("abc"), Step::Error]);
    assert_eq!((failing.size_hint().lower(), failing.size_hint().upper()), (3, None));
    assert_eq!(Body::never().size_hint().upper(), None);
    assert_eq!(Body::endless("x").size_hint().upper(), None);
    assert_eq!(Body::empty().with_size_hint(SizeHint::with_exact(9)).size_hint().exact(), Some(9));
}

#[test]
fn the_end_is_known_when_told_so() {
    let mut body = Body::frames([Step::data("a")]).ends_knowingly();
    assert!(!body.is_end_stream());
    let _ = poll(&mut body);
    assert!(body.is_end_stream());
    assert!(!body.with_is_end_stream(false).is_end_stream());
}

#[test]
fn silence_and_plenty_have_no_end() {
    let mut never = Body::frames([Step::data("a")]).then_never();
    assert!(poll(&mut never).is_ready());
    assert!(poll(&mut never).is_pending());

    let mut endless = Body::endless("chunk");
    for _ in 0..1_000 {
        assert!(
            matches!(poll(&mut endless), Poll::Ready(Some(Ok(frame))) if frame.data_ref().unwrap() == "chunk")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_takes_its_time() {
    let start = tokio::time::Instant::now();
    let body = Body::frames([Step::data("a"), Step::Wait(Duration::from_secs(5)), Step::data("b")]);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "ab");
    assert_eq!(start.elapsed(), Duration::from_secs(5));
}
