//! What is written through `tracing`.

#![cfg(feature = "tracing")]
#![allow(missing_docs)]

use std::num::NonZeroUsize;
use std::time::Duration;

use bartizan_core::BoxError;
use bartizan_rate_limit::bulkhead::BulkheadLayer;
use bartizan_rate_limit::{Quota, RateLimitLayer};
use bartizan_test::trace::{Level, captured_while};
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt};

fn request() -> Request<()> {
    Request::get("http://user:s3cret@api.example.com/?s3cret").body(()).expect("a request")
}

/// Asks for ten seconds of quiet.
async fn busy(_: Request<()>) -> Result<Response<Full<bytes::Bytes>>, BoxError> {
    Ok(Response::builder().status(429).header("retry-after", "10").body(Full::default())?)
}

#[test]
fn each_wait_and_each_refusal_is_one_line() {
    let lines = captured_while(Level::Trace, async {
        let quota = Quota::per_second(1).expect("a quota");
        let service = RateLimitLayer::new(quota).without_feedback().layer(tower::service_fn(busy));
        for _ in 0..2 {
            let _ = service.clone().oneshot(request()).await;
        }
        let impatient = RateLimitLayer::new(quota).without_feedback().max_wait(Duration::ZERO);
        let service = impatient.layer(tower::service_fn(busy));
        for _ in 0..2 {
            let _ = service.clone().oneshot(request()).await;
        }
    })
    .events();
    assert_eq!(
        lines,
        [
            "TRACE bartizan_rate_limit: call has waited time=1s",
            r#"DEBUG bartizan_rate_limit: call refused limit=http://api.example.com why="quota" retry_in=Some(1s)"#,
        ]
    );
}

#[test]
fn what_the_server_asks_for_is_one_line() {
    let lines = captured_while(Level::Trace, async {
        let layer = RateLimitLayer::without_quota().max_wait(Duration::ZERO);
        let service = layer.layer(tower::service_fn(busy));
        for _ in 0..2 {
            let _ = service.clone().oneshot(request()).await;
        }
    })
    .events();
    assert_eq!(
        lines,
        [
            "WARN bartizan_rate_limit: server asks for a pause limit=http://api.example.com lasts=10s",
            r#"DEBUG bartizan_rate_limit: call refused limit=http://api.example.com why="paused" retry_in=Some(10s)"#,
        ]
    );
}

#[test]
fn who_finds_no_place_is_one_line() {
    let lines = captured_while(Level::Trace, async {
        let hangs =
            tower::service_fn(|_| std::future::pending::<Result<Response<Full<bytes::Bytes>>, BoxError>>());
        let mut service = BulkheadLayer::new(NonZeroUsize::MIN).layer(hangs);
        let _held = service.call(request());
        let _ = service.call(request()).await;
    })
    .events();
    assert_eq!(
        lines,
        [r#"DEBUG bartizan_rate_limit: call refused bulkhead=http://api.example.com why="full""#,]
    );
}
