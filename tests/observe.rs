//! The whole stack as `tracing` sees it.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bartizan::Stack;
use bartizan::circuit_breaker::{CircuitBreakerLayer, Settings, Trip};
use bartizan::core::{BoxError, Chance};
use bartizan::observe::ObserveLayer;
use bartizan::retry::{Backoff, RetryLayer};
use bartizan_test::trace::{Level, captured};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt, service_fn};

type Body = Full<Bytes>;

/// One status after the other.
fn answering<const N: usize>(
    statuses: [u16; N],
) -> impl Service<Request<Body>, Response = Response<Body>, Error = BoxError, Future: Send> + Clone + Send + 'static
{
    let next = std::sync::Arc::new(AtomicUsize::new(0));
    service_fn(move |_: Request<Body>| {
        let status = statuses[next.fetch_add(1, Ordering::Relaxed)];
        async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Ok(Response::builder().status(status).body(Body::from("hello"))?)
        }
    })
}

/// What is written while a stack calls what answers so. The breaker opens after two failures.
fn written<const N: usize>(statuses: [u16; N], calls: usize) -> String {
    let kept = captured(Level::Debug, || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let trip = Trip::consecutive(NonZeroU32::MIN.saturating_add(1));
            let settings =
                Settings::new().trip(trip).open_for(Duration::from_secs(60)).chance(Chance::from_seed(1));
            let backoff = Backoff::fixed(Duration::from_millis(100));
            let stack = Stack::standard()
                .calls(ObserveLayer::call())
                .retry(RetryLayer::new().backoff(backoff))
                .breaker(CircuitBreakerLayer::with_settings(settings))
                .attempts(ObserveLayer::attempt())
                .build()
                .unwrap();
            let service = stack.layer(answering(statuses));
            for _ in 0..calls {
                let request = Request::get("https://me:pw@api.example.com/users?token=s3cret");
                let _ = service.clone().oneshot(request.body(Body::default()).unwrap()).await;
            }
        });
    });
    kept.to_string().replace(REQUEST, "REQUEST")
}

const REQUEST: &str = "otel.name=GET http.request.method=\"GET\" \
                       url.full=https://api.example.com/users?token=REDACTED \
                       server.address=\"api.example.com\" server.port=443";

/// One call, its first attempt, why there is another, that one.
const TRIED_AGAIN: &str = r#"INFO bartizan_observe::call: call otel.kind="internal" REQUEST http.response.status_code=200 bartizan.attempts=2
  INFO bartizan_observe::attempt: attempt otel.kind="client" REQUEST http.response.status_code=503 error.type="503" otel.status_code="ERROR"
  DEBUG bartizan_retry: retrying attempt=1 wait=100ms cause="failed" status=503
  INFO bartizan_observe::attempt: attempt otel.kind="client" REQUEST http.request.resend_count=1 http.response.status_code=200
"#;

/// The circuit opens with the second failure, and refuses the second call.
const REFUSED: &str = r#"INFO bartizan_observe::call: call otel.kind="internal" REQUEST http.response.status_code=503 error.type="503" otel.status_code="ERROR" bartizan.attempts=2
  INFO bartizan_observe::attempt: attempt otel.kind="client" REQUEST http.response.status_code=503 error.type="503" otel.status_code="ERROR"
  DEBUG bartizan_retry: retrying attempt=1 wait=100ms cause="failed" status=503
  INFO bartizan_observe::attempt: attempt otel.kind="client" REQUEST http.request.resend_count=1 http.response.status_code=503 error.type="503" otel.status_code="ERROR"
  WARN bartizan_circuit_breaker: circuit changed circuit=https://api.example.com from="closed" to="open" open_for=Some(46.996847255s)
  DEBUG bartizan_retry: not retried attempts=2 why="budget" status=503
INFO bartizan_observe::call: call otel.kind="internal" REQUEST error.type="circuit_open" otel.status_code="ERROR"
  DEBUG bartizan_circuit_breaker: call refused circuit=https://api.example.com why="open" retry_in=Some(46.996847255s)
  DEBUG bartizan_retry: not retried attempts=1 why="deadline" error=circuit of https://api.example.com is open, nothing was sent; may be tried again in 46.996847255s
"#;

#[test]
fn a_call_that_is_tried_again_has_a_span_for_each_attempt_and_the_events_between() {
    assert_eq!(written([503, 200], 1), TRIED_AGAIN);
}

#[test]
fn an_open_circuit_says_why_it_refuses_and_there_is_no_client_span() {
    assert_eq!(written([503, 503], 2), REFUSED);
}
