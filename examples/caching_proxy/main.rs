//! A caching proxy before one origin: hyper on both sides, and the cache between them.
//!
//! ```text
//! LISTEN=127.0.0.1:9000 ORIGIN=http://127.0.0.1:8000 SHARED=1 cargo run --example caching_proxy
//! ```
//!
//! It forwards every method with body and extensions, relays interim responses such as 103, answers 502 where the origin cannot be reached
//! and 504 where it says nothing for 30 s, and adds no `Date`. `SHARED=0` makes it a private cache. It heeds `CDN-Cache-Control`.

mod interim;

use std::env;
use std::net::SocketAddr;
use std::time::Duration;

use bartizan_cache::{CacheBody, CacheLayer};
use bartizan_core::{BoxError, ReplayBody, find_source};
use bartizan_timeout::{AttemptTimedOut, AttemptTimeoutLayer};
use http::header::{CONNECTION, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::ext::on_informational;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceExt};

use self::interim::{Connection, Interim, Turn};

/// So much of a request's body is kept in case that it has to go once more.
const KEPT: usize = 64 * 1024;
/// So long the origin may take to its head.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let listen: SocketAddr = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:0".into()).parse()?;
    let origin: Uri = env::var("ORIGIN").unwrap_or_else(|_| "http://127.0.0.1:8000".into()).parse()?;
    let is_shared = env::var("SHARED").is_ok_and(|shared| shared == "1");

    let cache = CacheLayer::rfc9111().targets([HeaderName::from_static("cdn-cache-control")]);
    let cache = if is_shared { cache.shared() } else { cache };
    let client = Client::builder(TokioExecutor::new()).build_http();
    let upstream = cache.layer(AttemptTimeoutLayer::new(PATIENCE).layer(client));

    let listener = TcpListener::bind(listen).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (connection, _) = listener.accept().await?;
        let (upstream, origin) = (upstream.clone(), origin.clone());
        tokio::spawn(async move {
            let (connection, interim) = Connection::new(connection);
            let service =
                service_fn(|request| forward(upstream.clone(), origin.clone(), interim.clone(), request));
            // An error is a client that left.
            let _ = http1::Builder::new()
                .auto_date_header(false)
                .serve_connection(TokioIo::new(connection), service)
                .await;
        });
    }
}

async fn forward<S>(
    upstream: S,
    origin: Uri,
    interim: Interim,
    request: Request<Incoming>,
) -> Result<Response<CacheBody<Incoming>>, BoxError>
where
    S: Service<
            Request<ReplayBody<Incoming>>,
            Response = Response<CacheBody<Incoming>>,
            Error: Into<BoxError>,
        >,
{
    let mut request = request.map(|body| ReplayBody::new(body, KEPT));
    let turn = interim.open();
    // HTTP/1.0 knows none.
    if request.version() == Version::HTTP_11 {
        let turn = turn.clone();
        on_informational(&mut request, move |response| relay(&turn, response.status(), response.headers()));
    }
    let mut target = origin.into_parts();
    target.path_and_query = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from_parts(target)?;
    *request.version_mut() = Version::HTTP_11;
    request.headers_mut().remove(HOST);
    strip(request.headers_mut());
    let mut response = match upstream.oneshot(request).await {
        Ok(response) => response,
        Err(error) => {
            let error = error.into();
            eprintln!("the origin does not answer: {error}");
            let is_late = find_source::<AttemptTimedOut>(&*error).is_some();
            let mut response = Response::new(CacheBody::default());
            *response.status_mut() =
                if is_late { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY };
            response
        }
    };
    turn.close().await;
    strip(response.headers_mut());
    *response.version_mut() = Version::HTTP_11;
    Ok(response)
}

/// 100 and 101 are between the proxy and the origin alone.
fn relay(turn: &Turn, status: StatusCode, headers: &HeaderMap) {
    if status != StatusCode::CONTINUE && status != StatusCode::SWITCHING_PROTOCOLS {
        let mut headers = headers.clone();
        strip(&mut headers);
        turn.send(status, &headers);
    }
}

/// What is meant for one connection alone (RFC 9110 section 7.6.1).
fn strip(headers: &mut HeaderMap) {
    let listed: Vec<_> = headers.get_all(CONNECTION).iter().cloned().collect();
    for line in &listed {
        for name in line.as_bytes().split(|byte| *byte == b',') {
            if let Ok(name) = HeaderName::from_bytes(name.trim_ascii()) {
                headers.remove(name);
            }
        }
    }
    let keep_alive = HeaderName::from_static("keep-alive");
    for name in [CONNECTION, TE, TRANSFER_ENCODING, UPGRADE, keep_alive] {
        headers.remove(name);
    }
}
