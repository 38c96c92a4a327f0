//! What is written through `tracing`.

#![cfg(feature = "tracing")]
#![allow(missing_docs)]

use std::time::Duration;

use bartizan_core::{BoxError, Chance};
use bartizan_retry::{Backoff, RetryLayer};
use bartizan_test::trace::{Level, captured_while};
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt};

#[test]
fn each_retry_and_each_refusal_to_retry_is_one_line() {
    let lines = captured_while(Level::Trace, async {
        let at_once =
            Backoff::exponential(Duration::from_nanos(1), Duration::from_nanos(1)).expect("a backoff");
        let inner = tower::service_fn(|request: Request<Full<bytes::Bytes>>| async move {
            if request.uri().path() == "/broken" {
                return Err(BoxError::from("no luck"));
            }
            Ok(Response::builder().status(503).body(Full::<bytes::Bytes>::default())?)
        });
        let service = RetryLayer::new().backoff(at_once).chance(Chance::from_seed(1)).layer(inner);
        for path in ["down", "broken"] {
            let request = Request::get(format!("http://user:s3cret@api.example.com/{path}?s3cret"));
            let _ = service.clone().oneshot(request.body(Full::default()).expect("a request")).await;
        }
    })
    .events();
    assert_eq!(
        lines,
        [
            r#"DEBUG bartizan_retry: retrying attempt=1 wait=1ns cause="failed" status=503"#,
            r#"DEBUG bartizan_retry: not retried attempts=2 why="budget" status=503"#,
            r#"DEBUG bartizan_retry: not retried attempts=1 why="budget" error=no luck"#,
        ]
    );
}
