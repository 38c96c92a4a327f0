//! An axum service behind one proxy that allows each client 5 requests a second, of which 10 may come at once.
//!
//! `cargo run -p axum_rate_limit` starts it on loopback, makes 1,500 requests at once for three clients, and counts the answers. There is no
//! `HandleErrorLayer`: a refusal is an answer, and the error type of the router stays what it was.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use bartizan_core::BoxError;
use bartizan_rate_limit::{Peers, Quota, RateLimitLayer};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::time::Instant;

const CLIENTS: [&str; 3] = ["203.0.113.1", "203.0.113.2", "2001:db8::1"];

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let limit = RateLimitLayer::new(Quota::per_second(5)?.burst(10)?)
        .key_by(Peers::axum().behind(1).key_by())
        .respond();
    let app = Router::new().route("/", get(async || "hello")).layer(limit);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let uri = format!("http://{}/", listener.local_addr()?);
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });

    let http = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let start = Instant::now();
    let calls: Vec<_> = (0..1500)
        .map(|n| {
            let client = CLIENTS[n % CLIENTS.len()];
            let request = Request::get(&uri).header("x-forwarded-for", client).body(Empty::new());
            let http = http.clone();
            tokio::spawn(async move { Ok::<_, BoxError>((client, http.request(request?).await?)) })
        })
        .collect();
    let mut answers = BTreeMap::<_, u32>::new();
    for call in calls {
        let (client, response) = call.await??;
        *answers.entry((client, response.status())).or_default() += 1;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(response.headers()["retry-after"], "1");
        }
    }
    let took = start.elapsed().as_secs_f64();
    for ((client, status), count) in &answers {
        println!("{client}: {count} x {status}");
    }
    println!("in {took:.2} s, which allows each client {}", 10 + (5.0 * took) as u32);
    Ok(())
}
