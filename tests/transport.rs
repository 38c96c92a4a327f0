//! What `bartizan_core::delivery` reads out of the errors of a real hyper client.

#![allow(missing_docs)]

use bartizan_core::{BoxError, Delivery, delivery};
use bartizan_test::server::{Act, Server};
use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;

async fn error_at(uri: String, h2: bool) -> Error {
    let client = Client::builder(TokioExecutor::new()).http2_only(h2).build_http();
    let request = Request::get(uri).body(Empty::<Bytes>::new()).expect("a valid request");
    client.request(request).await.expect_err("the act is a failure")
}

async fn of(act: Act, h2: bool) -> Delivery {
    let server = if h2 { Server::h2(act).await } else { Server::h1(act).await }.expect("a loopback port");
    delivery(&error_at(server.uri("/"), h2).await)
}

#[tokio::test]
async fn a_refused_connection_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let uri = format!("http://{}/", listener.local_addr().expect("it is bound"));
    drop(listener);
    assert_eq!(delivery(&error_at(uri, false).await), Delivery::ConnectFailed);
}

#[tokio::test]
async fn what_the_server_disowns_was_not_processed() {
    assert_eq!(of(Act::refuse_stream(), true).await, Delivery::NotProcessed);
    assert_eq!(of(Act::goaway(), true).await, Delivery::NotProcessed);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_incomplete() {
    assert_eq!(of(Act::close(), false).await, Delivery::Incomplete);
    assert_eq!(of(Act::half_close(), false).await, Delivery::Incomplete);
}

#[tokio::test]
async fn after_a_reset_nobody_knows() {
    assert_eq!(of(Act::reset(), false).await, Delivery::Unknown);
    assert_eq!(of(Act::reset(), true).await, Delivery::Unknown);
    assert_eq!(of(Act::close(), true).await, Delivery::Unknown);
}

#[tokio::test]
async fn the_error_is_found_under_a_layer_and_within_io() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let uri = format!("http://{}/", listener.local_addr().expect("it is bound"));
    drop(listener);
    let boxed: BoxError = error_at(uri, false).await.into();
    assert_eq!(delivery(&std::io::Error::other(boxed)), Delivery::ConnectFailed);
}
