//! The whole stack with spans and metrics, and what Prometheus would read.
//!
//! `cargo run --example observed` calls a server of its own, which fails once. A subscriber of `tracing` is the program's choice:
//! `tracing_subscriber::fmt().init()` prints the spans, `tracing-opentelemetry` exports them.

use bartizan::Stack;
use bartizan::circuit_breaker::CircuitBreakerLayer;
use bartizan::core::BoxError;
use bartizan::observe::ObserveLayer;
use bartizan::observe::metrics::{BUCKETS, Metrics};
use bartizan::rate_limit::RateLimitLayer;
use bartizan::retry::RetryLayer;
use bartizan::timeout::{AttemptTimeoutLayer, BodyTimeoutLayer, DeadlineLayer};
use bartizan_test::server::{Act, Sequence, Server};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tower::{Layer, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("duration".to_owned()), &BUCKETS)?
        .build_recorder();
    let prometheus = recorder.handle();
    metrics::set_global_recorder(recorder)?;

    let metrics = Metrics::new();
    let stack = Stack::standard()
        .calls(ObserveLayer::call().hook(metrics.clone()).start_traces())
        .deadline(DeadlineLayer::default().hook(metrics.clone()))
        .retry(RetryLayer::new().hook(metrics.clone()))
        .limit(RateLimitLayer::without_quota().hook(metrics.clone()))
        .breaker(CircuitBreakerLayer::new().on_transition(metrics.clone()))
        .attempts(ObserveLayer::attempt().hook(metrics.clone()))
        .attempt_timeout(AttemptTimeoutLayer::default().hook(metrics.clone()))
        .body_timeout(BodyTimeoutLayer::default().hook(metrics))
        .build()?;
    println!("{stack:?}");

    let server = Server::h1(Sequence::new([Act::reply(503), Act::reply(200)])).await?;
    let client = stack.layer(Client::builder(TokioExecutor::new()).build_http());
    let request = Request::get(server.uri("/greeting")).body(Full::<Bytes>::default())?;
    println!("{}", client.oneshot(request).await?.status());

    let text = prometheus.render();
    let mut counts: Vec<&str> =
        text.lines().filter(|line| line.contains("_count{") || line.contains("_retries{")).collect();
    counts.sort_unstable();
    counts.iter().for_each(|line| println!("{line}"));
    Ok(())
}
