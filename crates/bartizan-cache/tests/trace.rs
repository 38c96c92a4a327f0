//! What is written through `tracing`.

#![cfg(feature = "tracing")]
#![allow(missing_docs)]

use std::time::Duration;

use bartizan_cache::CacheLayer;
use bartizan_core::BoxError;
use bartizan_test::trace::{Level, captured_while};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt};

/// Fresh for ten seconds, and good for another minute while it is fetched anew, which fails.
async fn origin(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, BoxError> {
    if request.headers().contains_key("if-none-match") {
        return Err("out of order".into());
    }
    let says = match request.uri().path() {
        "/secret" => "no-store",
        _ => "max-age=10, stale-while-revalidate=60",
    };
    Ok(Response::builder().header("cache-control", says).header("etag", "\"a\"").body(Full::from("hello"))?)
}

async fn call<S, B>(service: &S, method: &str, path: &str)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone,
    B: http_body::Body,
{
    let target = format!("http://user:s3cret@api.example.com/{path}?s3cret");
    let request = Request::builder().method(method).uri(target).body(Full::default()).expect("a request");
    let answer = service.clone().oneshot(request).await.map_err(drop).expect("it is answered");
    answer.into_body().collect().await.map_err(drop).expect("a body");
}

#[test]
fn each_answer_and_what_is_done_with_it_is_one_line() {
    let lines = captured_while(Level::Trace, async {
        let service = CacheLayer::rfc9111().layer(tower::service_fn(origin));
        call(&service, "GET", "greeting").await;
        call(&service, "GET", "greeting").await;
        call(&service, "GET", "secret").await;
    })
    .events();
    assert_eq!(
        lines,
        [
            "TRACE bartizan_cache: cache has answered target=http://api.example.com/greeting status=fwd=uri-miss; fwd-status=200; stored",
            "TRACE bartizan_cache: response stored target=http://api.example.com/greeting bytes=5",
            "TRACE bartizan_cache: cache has answered target=http://api.example.com/greeting status=hit; ttl=10",
            r#"TRACE bartizan_cache: response not stored target=http://api.example.com/secret why="no_store""#,
            "TRACE bartizan_cache: cache has answered target=http://api.example.com/secret status=fwd=uri-miss; fwd-status=200",
        ]
    );
}

#[test]
fn what_is_invalid_and_what_was_not_to_be_had_is_one_line_each() {
    let lines = captured_while(Level::Trace, async {
        let service = CacheLayer::rfc9111().layer(tower::service_fn(origin));
        call(&service, "GET", "greeting").await;
        tokio::time::advance(Duration::from_secs(20)).await;
        call(&service, "GET", "greeting").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        call(&service, "POST", "greeting").await;
    })
    .events();
    for line in [
        "DEBUG bartizan_cache: fetched in the background in vain target=http://api.example.com/greeting",
        "DEBUG bartizan_cache: stored responses are invalid target=http://api.example.com/greeting",
    ] {
        assert_eq!(lines.iter().filter(|written| *written == line).count(), 1, "{line} in {lines:#?}");
    }
}
