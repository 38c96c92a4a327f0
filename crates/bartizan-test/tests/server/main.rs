//! The scripted server, as clients see it: hyper over sockets and over pipes, and bare bytes.

#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

mod bytes_in;
mod h1;
mod h2;
mod memory;

use std::{convert::Infallible, error::Error, time::Duration};

use bartizan_test::server::{Act, Seen, Server};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};

type Client = legacy::Client<HttpConnector, BoxBody<Bytes, Infallible>>;

fn h1_client() -> Client {
    legacy::Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build_http()
}

fn h2_client() -> Client {
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder.http2_only(true).retry_canceled_requests(false).build_http()
}

/// What came of the body after a head: data and trailers, or an error.
type Rest = Result<(Bytes, Option<HeaderMap>), hyper::Error>;

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    rest: Rest,
}

impl Answer {
    fn body(&self) -> &[u8] {
        &self.rest.as_ref().unwrap().0
    }
}

fn full(body: &'static str) -> BoxBody<Bytes, Infallible> {
    Full::from(body).boxed()
}

fn request(
    server: &Server,
    method: Method,
    path: &str,
    body: BoxBody<Bytes, Infallible>,
) -> Request<BoxBody<Bytes, Infallible>> {
    let builder = Request::builder().method(method).uri(server.uri(path)).header("x-request-id", path);
    builder.body(body).unwrap()
}

async fn send(
    client: &Client,
    request: Request<BoxBody<Bytes, Infallible>>,
) -> Result<Answer, legacy::Error> {
    let exchange = async {
        let (head, body) = client.request(request).await?.into_parts();
        let rest = body.collect().await.map(|all| {
            let trailers = all.trailers().cloned();
            (all.to_bytes(), trailers)
        });
        Ok(Answer { status: head.status, headers: head.headers, rest })
    };
    in_time(exchange).await
}

async fn get(client: &Client, server: &Server, path: &str) -> Result<Answer, legacy::Error> {
    send(client, request(server, Method::GET, path, full(""))).await
}

async fn post(
    client: &Client,
    server: &Server,
    path: &str,
    body: &'static str,
) -> Result<Answer, legacy::Error> {
    send(client, request(server, Method::POST, path, full(body))).await
}

/// A test that waits for what never comes fails instead of standing still.
async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("the exchange takes no ten seconds")
}

fn source<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([(http::HeaderName::from_static("x-sum"), "42".parse().unwrap())])
}

fn with_trailers(body: &'static str) -> BoxBody<Bytes, Infallible> {
    Full::from(body).with_trailers(std::future::ready(Some(Ok(trailers())))).boxed()
}

/// A request body whose first part is ready and whose end never comes.
#[derive(Default)]
struct Endless {
    begun: bool,
}

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        if self.begun {
            return std::task::Poll::Pending;
        }
        self.begun = true;
        std::task::Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(b"begun")))))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_holds_every_request_of_a_crowd() {
    let script = |seen: &Seen| match seen.sequence % 3 {
        0 => Act::reset(),
        1 => Act::refuse_stream(),
        _ => Act::reply(200).body("hello"),
    };
    for (server, client) in
        [(Server::h1(script).await.unwrap(), h1_client()), (Server::h2(script).await.unwrap(), h2_client())]
    {
        let mut crowd = tokio::task::JoinSet::new();
        for n in 0..150 {
            let (client, request) =
                (client.clone(), request(&server, Method::POST, &format!("/{n}"), full("sent")));
            crowd.spawn(
                async move { send(&client, request).await.is_ok_and(|answer| answer.body() == b"hello") },
            );
        }
        let answered = in_time(crowd.join_all()).await.into_iter().filter(|answered| *answered).count();
        assert_eq!(answered, 50);
        let log = server.log();
        assert_eq!(log.counts().into_values().collect::<Vec<_>>(), [50, 50, 50]);
        assert!((0..150).all(|n| log.by_id(&format!("/{n}")).len() == 1));
    }
}
