//! Ten thousand calls through the stack, over real connections that break in every way there is.
//!
//! The server's log is the judge: it knows each request by its id, and whether it told the client that it had not
//! processed it.

#![allow(missing_docs)]

#[path = "faults/script.rs"]
mod script;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bartizan_core::{BoxError, Chance};
use bartizan_retry::{Backoff, Budget, Hook, MaxAttempts, ReplayLayer, RetryLayer, Retrying};
use bartizan_test::bodies::{self, Step};
use bartizan_test::server::{Act, Sequence, Server};
use bartizan_timeout::{AttemptTimeoutLayer, DeadlineLayer};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body::{Body, SizeHint};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Semaphore;
use tower::{Service, ServiceBuilder, ServiceExt};

use script::{FAULTS, Faults};

const CALLS: usize = 10_000;
/// Of each fault, in each run.
const AT_LEAST: usize = 200;

#[derive(Clone, Copy)]
enum Protocol {
    H1,
    H2,
}

fn client<B>(protocol: Protocol) -> Client<HttpConnector, B>
where
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    Client::builder(TokioExecutor::new()).http2_only(matches!(protocol, Protocol::H2)).build_http()
}

#[derive(Clone, Default)]
struct Retries(Arc<AtomicUsize>);

impl Hook for Retries {
    fn retrying(&self, _: &Retrying<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Without a budget, which would keep retries few.
fn retry(seed: u64) -> RetryLayer {
    let backoff =
        Backoff::exponential(Duration::from_millis(2), Duration::from_millis(20)).expect("2 is below 20");
    RetryLayer::new()
        .max_attempts(MaxAttempts::new(4).expect("not zero"))
        .backoff(backoff)
        .throttled_backoff(backoff)
        .budget(Budget::none())
        .chance(Chance::from_seed(seed))
}

/// 30 % POST without a key; the rest may be repeated.
fn request(server: &Server, id: usize, draw: f64) -> Request<Full<Bytes>> {
    let (method, key) = match draw {
        ..0.3 => (Method::POST, false),
        ..0.4 => (Method::POST, true),
        ..0.6 => (Method::PUT, false),
        _ => (Method::GET, false),
    };
    let body = if method == Method::GET { Full::default() } else { Full::from(format!("body of {id}")) };
    let mut request = Request::builder().method(method).uri(server.uri("/a")).header("x-request-id", id);
    if key {
        request = request.header("idempotency-key", format!("\"{id}\""));
    }
    request.body(body).expect("a valid request")
}

async fn call<S, R>(service: S, request: Request<Full<Bytes>>) -> Result<u16, BoxError>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>, Error = BoxError>,
    R: Body<Error: Into<BoxError>>,
{
    let response = service.oneshot(request).await?;
    let status = response.status().as_u16();
    response.into_body().collect().await.map_err(Into::into)?;
    Ok(status)
}

async fn storm(protocol: Protocol, seed: u64) {
    let faults = Faults::new(seed);
    let server = match protocol {
        Protocol::H1 => Server::h1(faults.clone()).await,
        Protocol::H2 => Server::h2(faults.clone()).await,
    }
    .expect("a loopback port");
    let retries = Retries::default();
    let stack = ServiceBuilder::new()
        .layer(DeadlineLayer::new(Duration::from_secs(20)))
        .layer(retry(seed).hook(retries.clone()))
        .layer(AttemptTimeoutLayer::new(Duration::from_millis(100)))
        .service(client::<Full<Bytes>>(protocol));

    // On HTTP/2 all calls share a connection, and what breaks it breaks all of them.
    let at_once = Arc::new(Semaphore::new(if matches!(protocol, Protocol::H1) { 64 } else { 8 }));
    let draws = Chance::from_seed(!seed);
    let mut calls = tokio::task::JoinSet::new();
    let mut posts_without_key = 0;
    for id in 0..CALLS {
        let permit = at_once.clone().acquire_owned().await.expect("never closed");
        let request = request(&server, id, draws.unit());
        let no_key = !request.headers().contains_key("idempotency-key");
        posts_without_key += usize::from(request.method() == Method::POST && no_key);
        let stack = stack.clone();
        calls.spawn(async move {
            let _permit = permit;
            call(stack, request).await
        });
    }
    let mut results = BTreeMap::<String, usize>::new();
    while let Some(result) = calls.join_next().await {
        let result = result.expect("no call panics").map_or("error".into(), |status| status.to_string());
        *results.entry(result).or_default() += 1;
    }

    let seen = server.log().requests();
    let retries = retries.0.load(Ordering::Relaxed);
    println!(
        "{CALLS} calls, {posts_without_key} POST without a key; {} requests at the server over {} connections, \
         {retries} retries; results {results:?}; faults {:?}",
        seen.len(),
        server.log().connections(),
        faults.counts(),
    );
    let mut processed = BTreeMap::<&str, usize>::new();
    for seen in &seen {
        if seen.method == Method::POST && !seen.headers.contains_key("idempotency-key") && seen.processed {
            *processed.entry(seen.id.as_deref().expect("every request has an id")).or_default() += 1;
        }
    }
    let twice: Vec<_> = processed.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "processed more than once: {twice:?}");
    assert!(posts_without_key * 100 >= CALLS * 28, "{posts_without_key}");
    assert!(retries > 1_000, "{retries}");
    for (fault, count) in FAULTS.iter().zip(faults.counts().values()) {
        assert!(*count >= AT_LEAST, "{} happened only {count} times", fault.name);
    }
    if matches!(protocol, Protocol::H1) {
        // Each connection beyond the first takes the place of one that a fault has ended, but for a few that were too slow.
        let counts = faults.counts();
        let ended = FAULTS.iter().zip(counts.values()).filter(|(fault, _)| fault.ends_connection());
        let most = 64 + ended.map(|(_, count)| count).sum::<usize>() * 21 / 20;
        let connections = server.log().connections();
        assert!(connections <= most, "idle connections are used again: {connections}, at most {most}");
    }
    assert!(results["200"] * 2 > CALLS, "most calls get through: {results:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_post_is_processed_twice_over_h1() {
    storm(Protocol::H1, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_post_is_processed_twice_over_h2() {
    storm(Protocol::H2, 2).await;
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("\"sum\""))])
}

fn streamed(server: &Server, steps: impl IntoIterator<Item = Step>) -> Request<bodies::Body> {
    Request::put(server.uri("/a"))
        .header("x-request-id", "stream")
        .header("trailer", "etag")
        // Of unknown length, since a declared length leaves no room for trailers on HTTP/1.1.
        .body(bodies::Body::frames(steps).with_size_hint(SizeHint::default()))
        .expect("a valid request")
}

#[tokio::test]
async fn streams_with_trailers_are_replayed_byte_for_byte() {
    for protocol in [Protocol::H1, Protocol::H2] {
        let acts = Sequence::new([Act::reply(503), Act::reset(), Act::reply(200)]);
        let server = match protocol {
            Protocol::H1 => Server::h1(acts).await,
            Protocol::H2 => Server::h2(acts).await,
        }
        .expect("a loopback port");
        let stack =
            ServiceBuilder::new().layer(ReplayLayer::default()).layer(retry(3)).service(client(protocol));
        let chunk = Bytes::from((0..=255_u8).cycle().take(10_000).collect::<Vec<_>>());
        let steps = [
            Step::Data(chunk.clone()),
            Step::Pending,
            Step::Data(chunk.slice(7..)),
            Step::Trailers(trailers()),
        ];
        let response = stack.oneshot(streamed(&server, steps)).await.expect("the third attempt succeeds");
        assert_eq!(response.status(), 200);
        let seen = server.log().by_id("stream");
        assert_eq!(seen.len(), 3);
        for attempt in seen {
            assert_eq!(attempt.body, [&chunk[..], &chunk[7..]].concat());
            assert_eq!(attempt.trailers, Some(trailers()));
            assert!(attempt.complete);
        }
    }
}

#[tokio::test]
async fn an_answer_before_the_body_ends_the_older_copy() {
    for protocol in [Protocol::H1, Protocol::H2] {
        let acts = Sequence::new([Act::reply(503).early(), Act::reply(200)]);
        let server = match protocol {
            Protocol::H1 => Server::h1(acts).await,
            Protocol::H2 => Server::h2(acts).await,
        }
        .expect("a loopback port");
        let stack =
            ServiceBuilder::new().layer(ReplayLayer::default()).layer(retry(4)).service(client(protocol));
        // The rest of the body comes only after the answer is long there.
        let steps = [Step::data("one, "), Step::Wait(Duration::from_millis(50)), Step::data("two")];
        let response = stack.oneshot(streamed(&server, steps)).await.expect("the second attempt succeeds");
        assert_eq!(response.status(), 200);
        let seen = server.log().by_id("stream");
        assert_eq!(seen.len(), 2);
        assert!(!seen[0].complete, "the older copy was not fed on");
        assert!(b"one, ".starts_with(&seen[0].body), "{:?}", seen[0].body);
        assert_eq!((&seen[1].body[..], seen[1].complete), (&b"one, two"[..], true));
    }
}
