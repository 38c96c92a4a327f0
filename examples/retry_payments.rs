//! Payments that are sent again without being made twice.
//!
//! `cargo run --example retry_payments` pays over a connection that breaks, at a server that throttles, and then at one that is down.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bartizan_client::{BaseUrl, BaseUrlLayer, Client};
use bartizan_core::BoxError;
use bartizan_retry::{Hook, IdempotencyKeyLayer, RetryLayer, Retrying, Stopped};
use bartizan_test::server::{Act, Sequence, Server};
use bartizan_timeout::{AttemptTimeoutLayer, DeadlineLayer};
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tower::ServiceBuilder;

/// Says what the retry layer does, and why not.
struct Aloud;

impl Hook for Aloud {
    fn retrying(&self, event: &Retrying<'_>) {
        println!("  attempt {}: {}, sent again", event.attempt.number(), event.cause.as_str());
    }

    fn stopped(&self, event: &Stopped<'_>) {
        println!("  attempt {}: given up: {}", event.attempt.number(), event.why);
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let paid = || Act::reply(201).body(r#"{"paid":true}"#);
    let throttled = Act::reply(429).header("retry-after", "0");
    let acts = [paid(), paid(), paid(), paid(), Act::reset(), paid(), throttled, paid(), Act::reply(503)];
    let bank = Server::h1(Sequence::new(acts)).await?;

    let stack = ServiceBuilder::new()
        .layer(BaseUrlLayer::new(BaseUrl::new(&bank.uri("/v1"))?))
        .layer(IdempotencyKeyLayer::new()) // one key a payment, the same on all its attempts
        .layer(DeadlineLayer::new(Duration::from_secs(20)))
        .layer(RetryLayer::new().hook(Arc::new(Aloud)))
        .layer(AttemptTimeoutLayer::new(Duration::from_secs(5)))
        .service(hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http());
    let client = Client::new(stack);

    for nth in 1..=9 {
        let payment = client.post("payments").json(&json!({"to": "alice", "cents": 100 * nth}));
        match payment.send().await {
            Ok(reply) => println!("payment {nth}: {} after {} attempts", reply.status(), reply.attempts()),
            Err(error) => println!("payment {nth}: {:?}", error.as_status()),
        }
    }
    let seen = bank.log().requests();
    let keys: BTreeSet<_> = seen.iter().map(|seen| seen.headers["idempotency-key"].as_bytes()).collect();
    println!("{} requests, {} keys", seen.len(), keys.len());
    Ok(())
}
