//! An axum app behind all that a server may want before it: API keys, limits, a cache, a circuit breaker and a timeout.
//!
//! `cargo run -p axum_inbound` starts it on loopback and asks it as two callers. There is no `HandleErrorLayer`: with `.respond()` each refusal is an
//! answer with problem details, and the error type of the router stays `Infallible`.
//!
//! From the outside in:
//!
//! 1. a limit by peer, before anybody's key is looked at, since who guesses keys has none;
//! 2. keys, which also tell the cache whose a call is;
//! 3. a quota for each caller;
//! 4. a cache, so that what is known costs the app nothing. Bodies of requests are kept for it up to 64 KiB, as it may ask twice;
//! 5. a circuit breaker, which spares an app that fails;
//! 6. a timeout, innermost, so that a handler that hangs is a failure which the breaker sees.
//!
//! A `ServiceBuilder` reads in that order. `Router::layer` called six times would put the last one outermost.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use bartizan::auth::server::{ApiKeys, Principal, Principals, SecretDigest, VerifyLayer};
use bartizan::cache::CacheLayer;
use bartizan::circuit_breaker::CircuitBreakerLayer;
use bartizan::core::{BoxError, KeyBy};
use bartizan::rate_limit::{Peers, Quota, RateLimitLayer};
use bartizan::retry::ReplayLayer;
use bartizan::timeout::AttemptTimeoutLayer;
use bytes::Bytes;
use http::StatusCode;
use http::header::{AGE, CACHE_CONTROL, RETRY_AFTER};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tower::ServiceBuilder;

const HOUR: Duration = Duration::from_secs(3600);

/// How many reports were made.
type Made = Arc<AtomicU32>;

async fn report(State(made): State<Made>, Extension(caller): Extension<Principal>) -> Response<String> {
    let number = made.fetch_add(1, Ordering::Relaxed) + 1;
    let answer = Response::builder().header(CACHE_CONTROL, "max-age=60");
    answer.body(format!("report {number}, for {caller}")).expect("a valid field")
}

fn app() -> Result<Router, BoxError> {
    // Of keys the server has digests alone.
    let known =
        [(SecretDigest::of("k3y-of-billing"), "billing"), (SecretDigest::of("k3y-of-search"), "search")];
    let layers = ServiceBuilder::new()
        .layer(RateLimitLayer::new(Quota::per_second(100)?).key_by(Peers::axum().key_by()).respond())
        .layer(VerifyLayer::new(ApiKeys::new(Principals::new(known))).respond())
        .layer(RateLimitLayer::new(Quota::new(20, HOUR)?).key_by(KeyBy::partition()).respond())
        .layer(ReplayLayer::default())
        // Else the `Host` of each request, which strangers choose, would tell apart what is stored.
        .layer(CacheLayer::rfc9111().authority("reports.example".parse()?))
        .layer(CircuitBreakerLayer::new().respond())
        .layer(AttemptTimeoutLayer::new(Duration::from_millis(200)).respond());
    let hangs = async |_: Request| std::future::pending::<()>().await;
    Ok(Router::new()
        .route("/report", get(report))
        .route("/hangs", get(hangs))
        .route("/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .layer(layers)
        .with_state(Made::default()))
}

/// A caller with a key, or none.
struct Caller {
    http: Client<HttpConnector, Full<Bytes>>,
    origin: String,
    key: Option<&'static str>,
}

impl Caller {
    /// What is worth a word: the status, the text of a report, and of the fields those that tell which layer has answered.
    async fn ask(&self, path: &str) -> Result<String, BoxError> {
        let request = http::Request::get(format!("{}{path}", self.origin));
        let request = self.key.into_iter().fold(request, |request, key| request.header("x-api-key", key));
        let answer = self.http.request(request.body(Full::default())?).await?;
        let mut told = answer.status().as_str().to_owned();
        for field in [AGE, RETRY_AFTER] {
            if answer.headers().contains_key(&field) {
                told.push_str(&format!(", with {field}"));
            }
        }
        let is_good = answer.status().is_success();
        let text = answer.into_body().collect().await?.to_bytes();
        if is_good {
            told.push_str(&format!(": {}", String::from_utf8_lossy(&text)));
        }
        Ok(told)
    }

    /// Asks until the answer is another one, and says how often it was the same.
    async fn ask_on(&self, path: &str) -> Result<(String, u32, String), BoxError> {
        let first = self.ask(path).await?;
        let mut times = 1;
        loop {
            match self.ask(path).await? {
                same if same == first => times += 1,
                other => return Ok((first, times, other)),
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let service = app()?.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });

    let http = Client::builder(TokioExecutor::new()).build_http();
    let caller = |key| Caller { http: http.clone(), origin: origin.clone(), key };
    let (stranger, billing, search) =
        (caller(None), caller(Some("k3y-of-billing")), caller(Some("k3y-of-search")));

    println!("stranger {}", stranger.ask("/report").await?);
    println!("billing  {}", billing.ask("/report").await?);
    println!("billing  {}", billing.ask("/report").await?);
    println!("search   {}", search.ask("/report").await?);
    println!("billing  {}", billing.ask("/hangs").await?);
    let (failed, times, then) = billing.ask_on("/broken").await?;
    println!("billing  {times} x {failed}, then {then}");
    let (cached, times, then) = billing.ask_on("/report").await?;
    println!("billing  {times} x {cached}, then {then}");
    println!("search   {}", search.ask("/report").await?);
    Ok(())
}
