//! An axum service that calls another API: one stack in the application's state, shared by all its requests.
//!
//! `cargo run -p axum_outbound` starts a flaky upstream, the service and a client for it, all on loopback, makes three
//! requests, and ends. The service itself answers within two seconds, whatever the upstream does.

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bartizan_core::{BoxError, find_source};
use bartizan_retry::{Backoff, RetryLayer};
use bartizan_test::server::{Act, Sequence, Server};
use bartizan_timeout::{AttemptTimedOut, AttemptTimeoutLayer, DeadlineLayer};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt};

/// A stack with a name, for the state: what is inside may change without touching the handlers.
type Upstream = BoxCloneSyncService<Request<Full<Bytes>>, Response, BoxError>;

#[derive(Clone)]
struct App {
    upstream: Upstream,
    base: String,
}

fn stack() -> Upstream {
    let stack = ServiceBuilder::new()
        .map_response(IntoResponse::into_response)
        .layer(DeadlineLayer::new(Duration::from_secs(1)))
        .layer(RetryLayer::new().backoff(Backoff::TRANSIENT))
        .layer(AttemptTimeoutLayer::new(Duration::from_millis(200)))
        .service(Client::builder(TokioExecutor::new()).build_http());
    BoxCloneSyncService::new(stack)
}

async fn user(State(app): State<App>, Path(id): Path<u32>) -> Result<Response, (StatusCode, String)> {
    let request = Request::get(format!("{}/users/{id}", app.base)).body(Full::default());
    let request = request.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))?;
    app.upstream.oneshot(request).await.map_err(|error| {
        let timed_out = find_source::<AttemptTimedOut>(&*error).is_some();
        let status = if timed_out { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY };
        (status, error.to_string())
    })
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let good = || Act::reply(200).body("alice");
    let acts = [good(), Act::reset(), good(), Act::hang()];
    let upstream = Server::h1(Sequence::new(acts)).await?;

    let app = Router::new()
        .route("/users/{id}", get(user))
        .layer(DeadlineLayer::new(Duration::from_secs(2)).respond())
        .with_state(App { upstream: stack(), base: upstream.uri("") });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });

    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    for id in 1..=3 {
        let response = client.get(format!("http://{address}/users/{id}").parse()?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        println!("/users/{id}: {status}: {}", String::from_utf8_lossy(&body));
    }
    println!("the upstream saw {} requests", upstream.log().requests().len());
    Ok(())
}
