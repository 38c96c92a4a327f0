//! What is written through `tracing`.

#![cfg(feature = "tracing")]
#![allow(missing_docs)]

use std::future::pending;
use std::time::Duration;

use bartizan_core::BoxError;
use bartizan_test::bodies::{Body, Step};
use bartizan_test::trace::{Level, captured_while};
use bartizan_timeout::{AttemptTimeoutLayer, BodyTimeoutLayer, DeadlineLayer, MinThroughput};
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::{Layer, Service, ServiceExt};

const SECOND: Duration = Duration::from_secs(1);

async fn call<S: Service<Request<()>>>(service: S) -> Option<S::Response> {
    let request = Request::get("http://user:s3cret@api.example.com/?s3cret").body(()).expect("a request");
    service.oneshot(request).await.ok()
}

#[test]
fn each_time_out_is_one_line() {
    let lines = captured_while(Level::Trace, async {
        let hangs = tower::service_fn(|_: Request<()>| pending::<Result<Response<String>, BoxError>>());
        call(AttemptTimeoutLayer::new(SECOND).layer(hangs)).await;
        call(DeadlineLayer::new(2 * SECOND).layer(hangs)).await;
    })
    .events();
    assert_eq!(
        lines,
        [
            r#"DEBUG bartizan_timeout: attempt timed out host="api.example.com" elapsed=1s limit=1s"#,
            r#"DEBUG bartizan_timeout: deadline exceeded host="api.example.com" elapsed=2s total=2s sent=true"#,
        ]
    );
}

#[test]
fn each_body_that_comes_too_slowly_is_one_line() {
    let lines = captured_while(Level::Trace, async {
        for layer in [
            BodyTimeoutLayer::new(SECOND),
            BodyTimeoutLayer::new(9 * SECOND)
                .min_throughput(MinThroughput::new(10, SECOND).expect("a floor")),
        ] {
            // Three bytes, and no more for long.
            let slow = tower::service_fn(|_: Request<()>| async {
                Ok::<_, BoxError>(Response::new(Body::frames([
                    Step::data("abc"),
                    Step::Wait(60 * SECOND),
                    Step::data("d"),
                ])))
            });
            let answer = call(layer.layer(slow)).await.expect("a head");
            answer.into_body().collect().await.map_err(drop).expect_err("too slow");
        }
    })
    .events();
    assert_eq!(
        lines,
        [
            r#"DEBUG bartizan_timeout: body stalled host="api.example.com" elapsed=1s limit=1s body_bytes=3"#,
            r#"DEBUG bartizan_timeout: body too slow host="api.example.com" elapsed=1s asked=10 window_bytes=3 body_bytes=3"#,
        ]
    );
}
