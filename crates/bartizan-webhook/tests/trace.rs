//! What is written through `tracing`.

#![cfg(feature = "tracing")]
#![allow(missing_docs)]

use std::convert::Infallible;

use bartizan_test::trace::{Level, captured_while};
use bartizan_webhook::{SignatureFormat, VerifyLayer};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

#[test]
fn a_webhook_that_is_refused_is_one_line() {
    let lines = captured_while(Level::Trace, async {
        let github = SignatureFormat::github().verifier(["s3cret"]).expect("a key");
        let app = service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        });
        let service = VerifyLayer::new(github).body_limit(1).layer(app);
        let request =
            || Request::post("/s3cret").header("x-hub-signature-256", format!("sha256={}", "0".repeat(64)));
        for request in [
            Request::post("/").body(Full::<Bytes>::default()),
            request().body(Full::from("x")),
            request().body(Full::from("xx")),
        ] {
            let _ = service.clone().oneshot(request.expect("a request")).await;
        }
    })
    .events();
    assert_eq!(
        lines,
        [
            "DEBUG bartizan_webhook: webhook refused error=the webhook is not let through: as \"github\" has it, there is no signature reason=\"no_signature\"",
            "DEBUG bartizan_webhook: webhook refused error=the webhook is not let through: as \"github\" has it, no key makes any of the signatures reason=\"no_match\"",
            "DEBUG bartizan_webhook: webhook refused error=the webhook is not let through: as \"github\" has it, its body has more than 1 bytes reason=\"too_large\"",
        ]
    );
}
