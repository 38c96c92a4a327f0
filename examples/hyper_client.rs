//! hyper-util's client in a stack of layers.
//!
//! `cargo run --example hyper_client` calls a server of its own, which hangs once before it answers; with a URI as
//! argument it calls that.

use std::time::Duration;

use bartizan_core::{Attempts, BoxError};
use bartizan_retry::{Backoff, RetryLayer};
use bartizan_test::server::{Act, Sequence, Server};
use bartizan_test::timeline::Timeline;
use bartizan_timeout::{AttemptTimeoutLayer, DeadlineLayer};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let acts = [Act::hang(), Act::reply(200).body("hello\n")];
    let server = Server::h1(Sequence::new(acts)).await?;
    let uri = std::env::args().nth(1).unwrap_or_else(|| server.uri("/greeting"));

    let client = ServiceBuilder::new()
        .layer(DeadlineLayer::new(Duration::from_secs(5)))
        .layer(RetryLayer::new().backoff(Backoff::TRANSIENT))
        .layer(AttemptTimeoutLayer::new(Duration::from_secs(1)))
        .service(Client::builder(TokioExecutor::new()).build_http());

    let request = Request::get(uri).body(Full::<Bytes>::default())?;
    let response = client.oneshot(request).await?;
    let attempts = response.extensions().get::<Attempts>().map_or(1, |attempts| attempts.0.get());
    println!("{} after {attempts} attempts", response.status());
    print!("{}", String::from_utf8_lossy(&response.into_body().collect().await?.to_bytes()));
    println!("the server saw: {}", Timeline::from_log(&server.log()));
    Ok(())
}
