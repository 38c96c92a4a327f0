//! reqwest as the innermost service: its connections, proxies and TLS, with the layers of this workspace around it.
//!
//! `cargo run -p reqwest_inner` asks a server of its own, which hangs once before it answers; with a URL as argument it
//! asks that.

use std::time::Duration;

use bartizan_client::Client;
use bartizan_core::BoxError;
use bartizan_retry::{Backoff, RetryLayer};
use bartizan_test::server::{Act, Sequence, Server};
use bartizan_timeout::{AttemptTimeoutLayer, DeadlineLayer};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{ServiceBuilder, service_fn};

#[derive(serde::Deserialize)]
struct User {
    name: String,
}

/// From the types of `http` to those of reqwest, and back.
async fn send(
    client: reqwest::Client,
    request: Request<Full<Bytes>>,
) -> reqwest::Result<Response<reqwest::Body>> {
    let request = request.map(reqwest::Body::wrap).try_into()?;
    // Its errors have the URL in full, with secrets that the query may hold.
    client.execute(request).await.map(Response::from).map_err(reqwest::Error::without_url)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let acts = [Act::hang(), Act::reply(200).body(r#"{"name":"alice"}"#)];
    let server = Server::h1(Sequence::new(acts)).await?;
    let url = std::env::args().nth(1).unwrap_or_else(|| server.uri("/users/7"));

    // One place decides what is sent again: the retry layer.
    let reqwest = reqwest::Client::builder().retry(reqwest::retry::never()).build()?;
    let stack = ServiceBuilder::new()
        .layer(DeadlineLayer::new(Duration::from_secs(5)))
        .layer(RetryLayer::new().backoff(Backoff::TRANSIENT))
        .layer(AttemptTimeoutLayer::new(Duration::from_millis(300)))
        .service(service_fn(move |request| send(reqwest.clone(), request)));
    let client = Client::new(stack);

    let reply = client.get(&url).fetch_reply::<User>().await?;
    println!("{} after {} attempts", reply.status(), reply.attempts());
    println!("hello, {}", reply.some()?.name);

    // A port where nobody listens: what failed is told apart through reqwest's error too.
    if let Err(error) = client.get("http://127.0.0.1:1/").no_retry().send().await {
        println!("{error}: is_connect {}, is_timeout {}", error.is_connect(), error.is_timeout());
    }
    Ok(())
}
