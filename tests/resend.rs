//! What is sent again, and how often, over connections that fail in known ways. The server's log is the judge.

#![allow(missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::{BoxError, RetriesSpent, find_source};
use bartizan_retry::{Backoff, Budget, Cause, Hook, MaxAttempts, RetryLayer, Retrying, Stopped};
use bartizan_test::server::{Act, Sequence, Server};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tower::{Layer, ServiceBuilder, ServiceExt};

fn client(h2: bool) -> Client<HttpConnector, Full<Bytes>> {
    // Its own second try would hide ours.
    Client::builder(TokioExecutor::new()).retry_canceled_requests(false).http2_only(h2).build_http()
}

async fn server(h2: bool, acts: impl IntoIterator<Item = Act>) -> Server {
    let acts = Sequence::new(acts);
    if h2 { Server::h2(acts).await } else { Server::h1(acts).await }.expect("a loopback port")
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no test panicked"))
    }
}

impl Hook for Told {
    fn retrying(&self, event: &Retrying<'_>) {
        assert_eq!(event.wait.is_zero(), event.cause != Cause::Failed, "{event:?}");
        self.0.lock().expect("no test panicked").push(event.cause.as_str().into());
    }

    fn stopped(&self, event: &Stopped<'_>) {
        self.0.lock().expect("no test panicked").push(event.why.as_str().into());
    }
}

fn retry() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::fixed(Duration::from_millis(1))).budget(Budget::none())
}

async fn call(
    layer: &RetryLayer<bartizan_retry::Standard, Told>,
    h2: bool,
    method: Method,
    uri: String,
) -> Result<Response<Incoming>, BoxError> {
    let request =
        Request::builder().method(method).uri(uri).header("x-request-id", "1").body(Full::from("body"));
    layer.layer(client(h2)).oneshot(request.expect("a valid request")).await
}

#[tokio::test]
async fn what_was_not_processed_is_sent_again_at_once_whatever_its_method() {
    for act in [Act::refuse_stream, Act::goaway] {
        for method in [Method::POST, Method::GET] {
            let (server, told) = (server(true, [act(), Act::reply(200)]).await, Told::default());
            // Neither attempts nor budget are asked: there is none.
            let layer = retry().budget(Budget::fleet()).hook(told.clone());
            let response = call(&layer, true, method.clone(), server.uri("/a")).await.expect("200");
            assert_eq!((response.status().as_u16(), told.take()), (200, vec!["not_processed".into()]));
            assert!(response.extensions().get::<bartizan_core::Attempts>().is_none(), "it is no attempt");
        }
    }
}

#[tokio::test]
async fn a_second_time_it_is_an_attempt_that_failed() {
    let acts = || (0..9).map(|_| Act::refuse_stream()).chain([Act::reply(200)]);
    for method in [Method::POST, Method::GET] {
        let (server, told) = (server(true, acts()).await, Told::default());
        let error =
            call(&retry().hook(told.clone()), true, method, server.uri("/a")).await.expect_err("refused");
        assert_eq!(find_source::<RetriesSpent>(&*error).map(|spent| spent.attempts().get()), Some(3));
        assert_eq!(told.take(), ["not_processed", "failed", "failed", "attempts"]);
        assert_eq!(server.log().by_id("1").len(), 4);
    }
}

#[tokio::test]
async fn tiers_do_not_multiply_what_was_not_processed() {
    let acts = (0..9).map(|_| Act::refuse_stream()).chain([Act::reply(200)]);
    let (server, told) = (server(true, acts).await, Told::default());
    let stack = ServiceBuilder::new().layer(retry().hook(told.clone())).layer(retry());
    let request = Request::post(server.uri("/a")).header("x-request-id", "1").body(Full::from("body"));
    let request = request.expect("a valid request");
    stack.service(client(true)).oneshot(request).await.expect_err("refused");
    assert_eq!((server.log().by_id("1").len(), told.take()), (4, vec!["spent".into()]));
}

#[tokio::test]
async fn a_retry_that_is_sent_again_at_once_has_to_be_paid_all_the_same() {
    let replies = |status: u16, count| (0..count).map(move |_| Act::reply(status));
    let acts = replies(200, 5).chain(replies(503, 1)).chain([Act::refuse_stream()]).chain(replies(503, 3));
    let (server, told) = (server(true, acts).await, Told::default());
    // Five successes pay for one retry.
    let layer = retry().budget(Budget::fleet()).hook(told.clone());
    for _ in 0..6 {
        call(&layer, true, Method::GET, server.uri("/a")).await.expect("an answer");
    }
    assert_eq!(told.take(), ["failed", "not_processed", "budget"]);
}

#[tokio::test]
async fn a_refused_connection_skips_the_method_and_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let uri = format!("http://{}/", listener.local_addr().expect("it is bound"));
    drop(listener);
    for (layer, told_of) in [
        (retry(), vec!["failed", "failed", "attempts"]),
        (retry().max_attempts(MaxAttempts::new(2).expect("not zero")), vec!["failed", "attempts"]),
        (retry().budget(Budget::fleet()), vec!["budget"]),
        (RetryLayer::disabled(), vec![]),
    ] {
        let told = Told::default();
        call(&layer.hook(told.clone()), false, Method::POST, uri.clone()).await.expect_err("refused");
        assert_eq!(told.take(), told_of);
    }
}

#[tokio::test]
async fn what_may_have_been_processed_needs_an_idempotent_method() {
    for (h2, act) in [
        (false, Act::reset as fn() -> Act),
        (false, Act::close),
        (false, Act::half_close),
        (true, Act::reset),
    ] {
        for (method, told_of) in [(Method::PUT, "failed"), (Method::POST, "method")] {
            let (server, told) = (server(h2, [act(), Act::reply(200)]).await, Told::default());
            let result = call(&retry().hook(told.clone()), h2, method.clone(), server.uri("/a")).await;
            assert_eq!((result.is_ok(), told.take()), (method == Method::PUT, vec![told_of.into()]));
        }
    }
}

#[tokio::test]
async fn the_connection_of_a_failed_attempt_is_used_again() {
    let chunk = |bytes: usize| Bytes::from(vec![b'x'; bytes]);
    for (bytes, connections) in [(0, 1), (60_000, 1), (1_000_000, 2)] {
        let server = server(false, [Act::reply(503).body(chunk(bytes)), Act::reply(200)]).await;
        let layer = retry().backoff(Backoff::fixed(Duration::from_millis(20))).hook(Told::default());
        let response = call(&layer, false, Method::GET, server.uri("/a")).await.expect("200");
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.expect("an empty body");
        assert_eq!(server.log().connections(), connections, "after an answer of {bytes} bytes");
    }
}
