use std::convert::Infallible;
use std::pin::Pin;

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use http_body_util::{Empty, Full};
use tower::{ServiceExt, service_fn};

use super::*;

fn header(name: &str, value: &str) -> Header {
    Header::new(name, value).unwrap()
}

/// What the inner service is sent, which cannot fail and so neither can the layer.
async fn sent<B: Body>(layer: &DefaultHeadersLayer, request: Request<B>) -> HeaderMap {
    let inner = service_fn(|request: Request<B>| async move {
        Ok::<_, Infallible>(Response::new(request.into_parts().0.headers))
    });
    let Ok(answer) = layer.layer(inner).oneshot(request).await;
    answer.into_body()
}

fn request(fields: &[(&str, &str)]) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    for (name, value) in fields {
        add(request.headers_mut(), header(name, value));
    }
    request
}

fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_default_gives_way_to_the_requests_own() {
    let layer = DefaultHeadersLayer::new()
        .if_absent(header("accept", "application/json"))
        .if_absent(header("x-team", "a"));
    let headers = sent(&layer, request(&[("Accept", "text/csv"), ("accept", "text/plain")])).await;
    assert_eq!(values(&headers, "accept"), ["text/csv", "text/plain"]);
    assert_eq!(values(&headers, "x-team"), ["a"]);
    assert_eq!(headers.len(), 3);
}

#[tokio::test]
async fn an_overriding_field_takes_the_place_of_all_of_its_name() {
    let layer = DefaultHeadersLayer::new().overriding(header("X-A", "new"));
    let headers = sent(&layer, request(&[("x-a", "1"), ("x-a", "2"), ("x-b", "3")])).await;
    assert_eq!(values(&headers, "x-a"), ["new"]);
    assert_eq!(values(&headers, "x-b"), ["3"]);
    assert_eq!(values(&sent(&layer, request(&[])).await, "x-a"), ["new"]);
}

#[tokio::test]
async fn an_appended_field_comes_after_the_requests_own() {
    let layer = DefaultHeadersLayer::new().append(header("x-a", "last"));
    assert_eq!(values(&sent(&layer, request(&[("x-a", "1")])).await, "x-a"), ["1", "last"]);
    assert_eq!(values(&sent(&layer, request(&[])).await, "x-a"), ["last"]);
}

#[tokio::test]
async fn a_name_may_have_several_values() {
    let layer = DefaultHeadersLayer::new()
        .overriding(header("x-a", "1"))
        .overriding(header("x-a", "2"))
        .if_absent(header("x-b", "1"))
        .if_absent(header("x-b", "2"))
        .append(header("x-c", "1"))
        .append(header("x-c", "2"));
    let headers = sent(&layer, request(&[("x-a", "0"), ("x-c", "0")])).await;
    assert_eq!(values(&headers, "x-a"), ["1", "2"]);
    assert_eq!(values(&headers, "x-b"), ["1", "2"]);
    assert_eq!(values(&headers, "x-c"), ["0", "1", "2"]);
}

#[tokio::test]
async fn one_name_in_all_modes_is_overridden_then_appended_to() {
    let layer = DefaultHeadersLayer::new()
        .append(header("x-a", "appended"))
        .if_absent(header("x-a", "default"))
        .overriding(header("x-a", "overriding"));
    assert_eq!(values(&sent(&layer, request(&[("x-a", "0")])).await, "x-a"), ["overriding", "appended"]);
    let layer =
        DefaultHeadersLayer::new().append(header("x-a", "appended")).if_absent(header("x-a", "default"));
    assert_eq!(values(&sent(&layer, request(&[])).await, "x-a"), ["default", "appended"]);
}

/// A stream of unknown length.
struct Unknown;

impl Body for Unknown {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }
}

/// Knows that nothing will come, but not that it is at its end.
struct ExactlyNothing;

impl Body for ExactlyNothing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(0)
    }
}

/// Knows that it is at its end, but not how long it is.
struct AtItsEnd;

impl Body for AtItsEnd {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn json_is_the_content_type_of_requests_with_a_body() {
    let layer = DefaultHeadersLayer::new().content_type_json();
    let json = ["application/json"];
    assert_eq!(values(&sent(&layer, Request::new(Full::<Bytes>::from("{}"))).await, "content-type"), json);
    assert_eq!(values(&sent(&layer, Request::new(Unknown)).await, "content-type"), json);
    assert!(sent(&layer, Request::new(Full::<Bytes>::default())).await.is_empty());
    assert!(sent(&layer, Request::new(Empty::<Bytes>::new())).await.is_empty());
    assert!(sent(&layer, Request::new(ExactlyNothing)).await.is_empty());
    assert!(sent(&layer, Request::new(AtItsEnd)).await.is_empty());
}

#[tokio::test]
async fn the_requests_own_content_type_stays() {
    let layer = DefaultHeadersLayer::new().content_type_json();
    let csv = Request::post("/").header("content-type", "text/csv").body(Full::<Bytes>::from("a")).unwrap();
    assert_eq!(values(&sent(&layer, csv).await, "content-type"), ["text/csv"]);
    let layer = layer.if_absent(header("content-type", "text/plain"));
    assert_eq!(
        values(&sent(&layer, Request::new(Full::<Bytes>::from("a"))).await, "content-type"),
        ["text/plain"]
    );
}

#[tokio::test]
async fn without_fields_a_request_stays_as_it_is() {
    let headers = sent(&DefaultHeadersLayer::new(), Request::new(Full::<Bytes>::from("body"))).await;
    assert!(headers.is_empty());
}

#[tokio::test]
async fn a_secret_stays_one() {
    let secret = || header("x-key", "s3cret").sensitive();
    for layer in [
        DefaultHeadersLayer::new().if_absent(secret()),
        DefaultHeadersLayer::new().overriding(secret()),
        DefaultHeadersLayer::new().append(secret()),
    ] {
        let headers = sent(&layer, request(&[])).await;
        assert!(headers["x-key"].is_sensitive());
    }
}

#[test]
fn debug_shows_names_alone() {
    let layer = DefaultHeadersLayer::new()
        .if_absent(header("x-a", "s3cret"))
        .overriding(header("x-b", "s3cret").sensitive())
        .append(header("x-c", "s3cret"));
    let expected =
        r#"{ overriding: ["x-b"], if_absent: ["x-a"], append: ["x-c"], content_type_json: false }"#;
    assert_eq!(format!("{layer:?}"), format!("DefaultHeadersLayer {{ fields: Fields {expected} }}"));
    assert!(!format!("{:?}", layer.layer(())).contains("s3cret"));
}

#[test]
fn clones_share_the_fields_until_one_is_changed() {
    let layer = DefaultHeadersLayer::new().if_absent(header("x-a", "1"));
    let copy = layer.clone();
    assert!(Arc::ptr_eq(&layer.fields, &copy.fields));
    assert!(Arc::ptr_eq(&layer.fields, &layer.layer(()).clone().fields));
    let changed = copy.if_absent(header("x-b", "2"));
    assert_eq!((layer.fields.if_absent.len(), changed.fields.if_absent.len()), (1, 2));
}
