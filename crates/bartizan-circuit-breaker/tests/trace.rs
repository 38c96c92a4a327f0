//! What is written through `tracing`.

#![cfg(feature = "tracing")]
#![allow(missing_docs)]

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::time::Duration;

use bartizan_circuit_breaker::{CircuitBreakerLayer, Settings, Trip};
use bartizan_core::Chance;
use bartizan_test::trace::{Level, captured_while};
use http::{Request, Response};
use http_body_util::Empty;
use tower::{Layer, ServiceExt};

#[test]
fn each_change_of_a_circuit_is_one_line() {
    let lines = captured_while(Level::Trace, async {
        let trip = Trip::consecutive(NonZeroU32::MIN).spread_over(Duration::ZERO);
        let settings =
            Settings::new().trip(trip).probes(NonZeroU32::MIN).chance(Chance::from_seed(1)).without_ramp();
        let inner = tower::service_fn(|request: Request<u16>| async move {
            let answer = Response::builder().status(*request.body()).body(Empty::<bytes::Bytes>::new());
            Ok::<_, Infallible>(answer.expect("a response"))
        });
        let service = CircuitBreakerLayer::with_settings(settings).layer(inner);
        for (status, wait) in [(500, 0), (200, 100)] {
            tokio::time::advance(Duration::from_secs(wait)).await;
            let request =
                Request::get("http://user:s3cret@api.example.com/?s3cret").body(status).expect("a request");
            service.clone().oneshot(request).await.expect("it is answered");
        }
    })
    .events();
    assert_eq!(
        lines,
        [
            r#"WARN bartizan_circuit_breaker: circuit changed circuit=http://api.example.com from="closed" to="open" open_for=Some(3.916403938s)"#,
            r#"WARN bartizan_circuit_breaker: circuit changed circuit=http://api.example.com from="open" to="half_open" open_for=None"#,
            r#"WARN bartizan_circuit_breaker: circuit changed circuit=http://api.example.com from="half_open" to="closed" open_for=None"#,
        ]
    );
}
