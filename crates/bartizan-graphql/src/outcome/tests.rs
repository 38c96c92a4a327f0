//! The layer over an inner that answers by a script. The table of codes and the waits are tested beside them.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bartizan_core::{Outcome, RetryHint};
use bartizan_test::bodies::{Body, Step};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt, service_fn};

use super::*;

const NEW: &str = "application/graphql-response+json";
const OLD: &str = "application/json";

fn response(status: u16, media_type: &str, body: Body) -> Response<Body> {
    Response::builder().status(status).header(CONTENT_TYPE, media_type).body(body).unwrap()
}

fn poll(layer: &GraphqlOutcomeLayer, response: Response<Body>) -> Poll<Response<OutcomeBody<Body>>> {
    let mut response = Some(response);
    let inner = service_fn(move |_: Request<()>| ready(Ok::<_, Infallible>(response.take().unwrap())));
    let mut call = pin!(layer.layer(inner).oneshot(Request::new(())));
    call.as_mut().poll(&mut Context::from_waker(Waker::noop())).map(|result| result.unwrap())
}

fn through(layer: &GraphqlOutcomeLayer, inner: Response<Body>) -> Response<OutcomeBody<Body>> {
    let Poll::Ready(outer) = poll(layer, inner) else { panic!("all of it is there") };
    outer
}

fn judged(status: u16, media_type: &str, text: &str) -> (Option<Outcome>, Option<RetryHint>) {
    judged_by(
        &GraphqlOutcomeLayer::new(),
        response(status, media_type, Body::frames([Step::data(text.to_owned())])),
    )
}

fn judged_by(layer: &GraphqlOutcomeLayer, inner: Response<Body>) -> (Option<Outcome>, Option<RetryHint>) {
    let outer = through(layer, inner);
    (outer.extensions().get().copied(), outer.extensions().get().copied())
}

/// By its body alone.
fn outcome(text: &str) -> Option<Outcome> {
    let outcomes = [judged(200, OLD, text).0, judged(200, NEW, text).0];
    assert_eq!(outcomes[0], outcomes[1]);
    outcomes[0]
}

fn hint(text: &str) -> Option<RetryHint> {
    judged(200, OLD, text).1
}

fn error(code: &str) -> String {
    format!(r#"{{"errors": [{{"message": "m", "extensions": {{"code": "{code}"}}}}]}}"#)
}

const UNPROCESSED: Option<RetryHint> = Some(RetryHint { retry_in: None, unprocessed: true });

#[test]
fn without_errors_the_status_says_it() {
    assert_eq!(outcome(r#"{"data": {"a": 1}}"#), None);
    assert_eq!(judged(294, NEW, r#"{"data": {"a": 1}, "errors": []}"#), (None, None));
}

#[test]
fn each_kind_has_its_outcome() {
    for (code, expected) in [
        ("THROTTLED", Outcome::Throttled),
        ("OVERLOADED", Outcome::Failure),
        ("INTERNAL_SERVER_ERROR", Outcome::Failure),
        ("UNAUTHENTICATED", Outcome::Success),
        ("BAD_USER_INPUT", Outcome::Success),
        ("NOT_FOUND", Outcome::Success),
    ] {
        assert_eq!(outcome(&error(code)), Some(expected), "{code}");
    }
}

#[test]
fn the_type_of_an_error_is_a_code() {
    assert_eq!(
        outcome(r#"{"errors": [{"message": "m", "type": "RATE_LIMITED"}]}"#),
        Some(Outcome::Throttled)
    );
}

#[test]
fn a_code_that_nobody_knows_leaves_it_to_the_status() {
    assert_eq!(outcome(&error("ELSE")), None);
    assert_eq!(outcome(r#"{"errors": [{"message": "m"}], "data": null}"#), None);
    assert_eq!(judged(503, NEW, &error("ELSE")), (None, None));
}

#[test]
fn the_users_codes_are_asked() {
    let layer = GraphqlOutcomeLayer::new().codes(Codes::none().with("ELSE", Kind::Transient));
    let of = |code: &str| judged_by(&layer, response(200, OLD, Body::frames([Step::data(error(code))]))).0;
    assert_eq!((of("ELSE"), of("THROTTLED")), (Some(Outcome::Failure), None));
}

#[test]
fn of_several_errors_the_kind_that_stands_first_decides() {
    let errors = ["THROTTLED", "OVERLOADED", "TIMEOUT", "FORBIDDEN", "BAD_USER_INPUT", "NOT_FOUND"];
    let codes = [
        Outcome::Throttled,
        Outcome::Failure,
        Outcome::Failure,
        Outcome::Success,
        Outcome::Success,
        Outcome::Success,
    ];
    let error = |code: &str| format!(r#"{{"message": "m", "extensions": {{"code": "{code}"}}}}"#);
    for (first, expected) in codes.into_iter().enumerate() {
        for other in &errors[first..] {
            for pair in [[errors[first], other], [other, errors[first]]] {
                let text = format!(r#"{{"errors": [{}, {}]}}"#, error(pair[0]), error(pair[1]));
                assert_eq!(outcome(&text), Some(expected), "{pair:?}");
            }
        }
    }
}

fn with_data(data: &str, code: &str) -> String {
    format!(
        r#"{{"data": {data}, "errors": [{{"message": "m", "path": ["a"], "extensions": {{"code": "{code}"}}}}]}}"#
    )
}

#[test]
fn a_part_of_the_data_is_a_success() {
    for code in ["INTERNAL_SERVER_ERROR", "OVERLOADED", "ELSE"] {
        assert_eq!(outcome(&with_data(r#"{"a": null, "b": 1}"#, code)), Some(Outcome::Success), "{code}");
    }
}

#[test]
fn throttled_with_a_part_of_the_data_is_throttled() {
    assert_eq!(outcome(&with_data(r#"{"a": null, "b": 1}"#, "THROTTLED")), Some(Outcome::Throttled));
}

#[test]
fn data_that_is_all_null_is_nothing() {
    for data in
        ["null", "{}", r#"{"a": null}"#, r#"{"a": null, "b": null}"#, r#"{"a": null, "__typename": "Query"}"#]
    {
        assert_eq!(outcome(&with_data(data, "INTERNAL_SERVER_ERROR")), Some(Outcome::Failure), "{data}");
    }
}

#[test]
fn the_body_goes_before_the_status_where_the_media_type_is_trusted() {
    let data = r#"{"data": {"a": 1}}"#;
    assert_eq!(judged(500, NEW, data).0, Some(Outcome::Success));
    assert_eq!(judged(503, NEW, &with_data(r#"{"b": 1}"#, "ELSE")).0, Some(Outcome::Success));
    assert_eq!(judged(500, NEW, &error("FORBIDDEN")).0, Some(Outcome::Success));
    assert_eq!(judged(400, NEW, &error("TIMEOUT")).0, Some(Outcome::Failure));
    assert_eq!(judged(503, NEW, &error("THROTTLED")), (Some(Outcome::Throttled), UNPROCESSED));
}

#[test]
fn json_is_trusted_with_200_alone() {
    for status in [201, 294, 400, 429, 500, 503] {
        let (inner, body) = unread(status, OLD);
        assert_eq!(judged_by(&GraphqlOutcomeLayer::new(), inner), (None, None), "{status}");
        assert_eq!(body.polls(), 0, "{status}");
    }
}

/// Nobody may read it.
fn unread(status: u16, media_type: &str) -> (Response<Body>, bartizan_test::bodies::Probe) {
    let body = Body::frames([Step::data(error("TIMEOUT"))]);
    let probe = body.probe();
    (response(status, media_type, body), probe)
}

#[test]
fn other_media_types_are_not_read() {
    for media_type in
        ["text/html", "multipart/mixed; boundary=-", "text/event-stream", "application/problem+json"]
    {
        let (inner, body) = unread(200, media_type);
        assert_eq!(judged_by(&GraphqlOutcomeLayer::new(), inner), (None, None), "{media_type}");
        assert_eq!(body.polls(), 0, "{media_type}");
    }
}

#[test]
fn what_is_compressed_is_not_read() {
    let (mut inner, body) = unread(200, OLD);
    inner.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    assert_eq!(judged_by(&GraphqlOutcomeLayer::new(), inner), (None, None));
    assert_eq!(body.polls(), 0);

    let (mut inner, _) = unread(200, OLD);
    inner.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("identity"));
    assert_eq!(judged_by(&GraphqlOutcomeLayer::new(), inner).0, Some(Outcome::Failure));
}

#[test]
fn disabled_it_reads_nothing() {
    let (inner, body) = unread(200, OLD);
    assert_eq!(judged_by(&GraphqlOutcomeLayer::disabled(), inner), (None, None));
    assert_eq!(body.polls(), 0);
}

#[test]
fn an_empty_body_is_no_answer() {
    let inner = response(200, OLD, Body::frames([]).ends_knowingly());
    assert_eq!(judged_by(&GraphqlOutcomeLayer::new(), inner), (None, None));
}

#[test]
fn what_is_no_json_is_a_failure() {
    for text in [r#"{"data": {"a": "#, "<html>", r#"{"data": {}} x"#, ""] {
        assert_eq!(outcome(text), Some(Outcome::Failure), "{text}");
    }
}

#[test]
fn json_of_another_kind_is_left_to_the_status() {
    let list = format!("[{}]", error("TIMEOUT"));
    for text in [&*list, "1", "\"down\"", "null", "{}", r#"{"message": "hello"}"#, r#"{"data": null}"#] {
        assert_eq!(outcome(text), None, "{text}");
        assert_eq!(judged(500, NEW, text).0, None, "{text}");
    }
}

#[test]
fn nothing_was_done_where_the_execution_did_not_begin() {
    assert_eq!(hint(&error("THROTTLED")), UNPROCESSED);
    let text = |members: &str| format!(r#"{{"errors": [{{"message": "m", "type": "RATE_LIMITED"{members}}}"#);
    // A field of it was throttled; the others may be done.
    assert_eq!(hint(&(text(r#", "path": ["a"]"#) + "]}")), None);
    assert_eq!(hint(&(text("") + r#"], "data": null}"#)), None);
    assert_eq!(hint(&(text("") + r#"], "data": {"a": 1}}"#)), None);
    assert_eq!(hint(&(text("") + r#", {"message": "m"}]}"#)), None);
    assert_eq!(hint(&(text("") + r#", {"message": "m", "type": "THROTTLED"}]}"#)), UNPROCESSED);
}

#[test]
fn only_what_is_throttled_has_a_hint() {
    for code in ["OVERLOADED", "TIMEOUT", "FORBIDDEN", "ELSE"] {
        assert_eq!(hint(&error(code)), None, "{code}");
    }
}

const COST: &str = r#""extensions": {"cost": {"requestedQueryCost": 752, "throttleStatus":
    {"maximumAvailable": 1000, "currentlyAvailable": 252, "restoreRate": 50}}}"#;

#[test]
fn the_wait_is_in_the_cost_of_the_query() {
    let ten = Some(Duration::from_secs(10));
    let errors = r#""errors": [{"message": "m", "type": "THROTTLED"}]"#;
    assert_eq!(hint(&format!("{{{errors}, {COST}}}")), Some(RetryHint { retry_in: ten, unprocessed: true }));
    let partly = Some(RetryHint { retry_in: ten, unprocessed: false });
    assert_eq!(hint(&format!(r#"{{{errors}, "data": {{"a": 1}}, {COST}}}"#)), partly);
}

fn throttled_with(text: &str, fields: &[(&'static str, &'static str)]) -> Option<Duration> {
    let mut inner = response(200, OLD, Body::frames([Step::data(text.to_owned())]));
    for (name, value) in fields {
        inner.headers_mut().insert(*name, HeaderValue::from_static(value));
    }
    judged_by(&GraphqlOutcomeLayer::new(), inner).1.expect("a hint").retry_in
}

#[test]
fn the_wait_is_in_the_fields_if_not_in_the_body() {
    let window = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "60")];
    assert_eq!(throttled_with(&error("THROTTLED"), &window), Some(Duration::from_secs(60)));
    let cost = format!(r#"{{"errors": [{{"message": "m", "type": "THROTTLED"}}], {COST}}}"#);
    assert_eq!(throttled_with(&cost, &window), Some(Duration::from_secs(10)));
}

#[test]
fn a_reset_is_measured_by_the_clock_of_the_layer() {
    let clock = bartizan_core::WallClock::fixed(std::time::UNIX_EPOCH + Duration::from_secs(1_795_478_400));
    let mut inner = response(200, OLD, Body::frames([Step::data(error("THROTTLED"))]));
    inner.headers_mut().insert("x-ratelimit-remaining", HeaderValue::from_static("0"));
    inner.headers_mut().insert("x-ratelimit-reset", HeaderValue::from_static("1795478407"));
    let hint = judged_by(&GraphqlOutcomeLayer::new().wall_clock(clock), inner).1;
    assert_eq!(hint.and_then(|hint| hint.retry_in), Some(Duration::from_secs(7)));
}

#[test]
fn a_retry_after_goes_before_all_others() {
    let fields = [(RETRY_AFTER.as_str(), "7"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "60")];
    let cost = format!(r#"{{"errors": [{{"message": "m", "type": "THROTTLED"}}], {COST}}}"#);
    // Those outside read it.
    assert_eq!(throttled_with(&cost, &fields), None);
}

#[tokio::test]
async fn head_bytes_and_trailers_stay() {
    let text = with_data(r#"{"b": 1}"#, "TIMEOUT");
    let trailers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("1"))]);
    for cuts in [1, 3, 1000] {
        let pieces =
            text.as_bytes().chunks(text.len().div_ceil(cuts)).map(|piece| Step::data(piece.to_vec()));
        let steps = pieces.chain([Step::Trailers(trailers.clone())]);
        let mut inner = response(294, NEW, Body::frames(steps));
        inner.headers_mut().insert("x-else", HeaderValue::from_static("1"));
        inner.extensions_mut().insert("left by another");
        let outer = answer(inner).await;
        assert_eq!((outer.status().as_u16(), outer.headers().len()), (294, 2));
        assert_eq!(outer.extensions().get(), Some(&"left by another"));
        assert_eq!(outer.extensions().get(), Some(&Outcome::Success));
        let read = outer.into_body().collect().await.unwrap();
        assert_eq!(read.trailers(), Some(&trailers));
        assert_eq!(read.to_bytes(), text);
    }
}

async fn answer(inner: Response<Body>) -> Response<OutcomeBody<Body>> {
    let mut inner = Some(inner);
    let service = service_fn(move |_: Request<()>| ready(Ok::<_, Infallible>(inner.take().unwrap())));
    GraphqlOutcomeLayer::new().layer(service).oneshot(Request::new(())).await.unwrap()
}

#[tokio::test]
async fn a_body_says_how_long_it_is_and_when_it_ends() {
    let text = error("TIMEOUT");
    let trailers = || Step::Trailers(HeaderMap::new());
    let mut body =
        answer(response(200, OLD, Body::frames([Step::data(text.clone()), trailers()]))).await.into_body();
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(text.len() as u64), false));
    body.frame().await.unwrap().unwrap();
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(0), false));
    body.frame().await.unwrap().unwrap();
    assert!(body.is_end_stream() && body.frame().await.is_none());
}

#[tokio::test]
async fn a_body_that_was_left_alone_says_what_it_says() {
    let inner = Body::frames([Step::data("html")]).ends_knowingly();
    let (hint, is_end) = (inner.size_hint(), inner.is_end_stream());
    let mut body = answer(response(200, "text/html", inner)).await.into_body();
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (hint.exact(), is_end));
    body.frame().await.unwrap().unwrap();
    assert!(body.is_end_stream());
}

#[tokio::test]
async fn exactly_the_limit_is_judged_and_one_byte_more_is_not() {
    let text = error("TIMEOUT");
    for (most, expected) in [(text.len(), Some(Outcome::Failure)), (text.len() - 1, None)] {
        let layer = GraphqlOutcomeLayer::new().max_body(most);
        let announced = Body::frames([Step::data(text.clone())]);
        let probe = announced.probe();
        assert_eq!(judged_by(&layer, response(200, OLD, announced)).0, expected, "{most}");
        assert_eq!(probe.polls() > 0, expected.is_some(), "what announces to be longer is not read");

        let unannounced = Body::frames([Step::data(text.clone())]).with_size_hint(http_body::SizeHint::new());
        assert_eq!(
            judged_by(&layer, response(200, OLD, unannounced)).0,
            expected,
            "{most}, without a length"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_goes_on_as_it_comes() {
    let steps = [Step::data("1234"), Step::data("56"), Step::data("7")];
    let inner = Body::frames(steps).then_never().with_size_hint(http_body::SizeHint::new());
    let probe = inner.probe();
    let mut body = through(&GraphqlOutcomeLayer::new().max_body(5), response(200, OLD, inner)).into_body();
    assert_eq!(probe.polls(), 2, "no more than is needed to know it");
    assert_eq!((body.size_hint().lower(), body.is_end_stream()), (6, false));
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "123456");
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "7");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_failure_and_breaks_off_there() {
    let inner = Body::frames([Step::data(r#"{"data": "#), Step::Error]).lenient();
    let outer = answer(response(200, OLD, inner)).await;
    assert_eq!(outer.extensions().get(), Some(&Outcome::Failure));
    let mut body = outer.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), r#"{"data": "#);
    assert!(!body.is_end_stream());
    assert_eq!(body.frame().await.unwrap().unwrap_err().to_string(), "the scripted body failed");
    assert!(body.is_end_stream() && body.frame().await.is_none());
}

#[test]
fn a_drop_while_it_reads_drops_the_body() {
    let inner = Body::frames([Step::data("{")]).then_never();
    let probe = inner.probe();
    assert!(poll(&GraphqlOutcomeLayer::new(), response(200, OLD, inner)).is_pending());
    assert!(probe.is_dropped() && probe.polls() == 2);
}

#[test]
fn a_drop_before_the_head_drops_the_call() {
    let alive = std::sync::Arc::new(());
    let inner = service_fn(|_: Request<()>| {
        let alive = alive.clone();
        async move {
            let _alive = alive;
            std::future::pending::<Result<Response<Body>, Infallible>>().await
        }
    });
    {
        let mut call = pin!(GraphqlOutcomeLayer::new().layer(inner).oneshot(Request::new(())));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(std::sync::Arc::strong_count(&alive), 2);
    }
    assert_eq!(std::sync::Arc::strong_count(&alive), 1);
}

#[test]
fn others_get_their_turn_while_empty_frames_come() {
    let inner = Body::endless("").with_size_hint(http_body::SizeHint::new());
    assert!(poll(&GraphqlOutcomeLayer::new(), response(200, OLD, inner)).is_pending());
}

#[tokio::test]
async fn many_frames_are_read_to_their_end() {
    let text = error("TIMEOUT");
    let steps = text.bytes().map(|byte| Step::data(vec![byte]));
    let outer = answer(response(200, OLD, Body::frames(steps))).await;
    assert_eq!(outer.extensions().get(), Some(&Outcome::Failure));
}
