//! What `bartizan_core::delivery` reads out of the errors of a real hyper client.

#![allow(missing_docs)]

use std::io::{Read, Write};

use bartizan_core::{BoxError, Delivery, delivery};
use bartizan_test::server::{Act, Server};
use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};

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

/// Serves one HTTP/2 connection: reads up to the first request's head, then sends GOAWAY with `code` and a last stream of 0.
fn goaway(code: u8) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    let uri = format!("http://{}/", listener.local_addr().expect("it is bound"));
    std::thread::spawn(move || -> std::io::Result<()> {
        let (mut stream, _) = listener.accept()?;
        stream.read_exact(&mut [0; 24])?;
        stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0])?; // SETTINGS
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head)?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            stream.read_exact(&mut vec![0; length as usize])?;
            if head[3] == 1 {
                break; // HEADERS
            }
        }
        stream.write_all(&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, code])?;
        stream.read_to_end(&mut Vec::new())?;
        Ok(())
    });
    uri
}

#[tokio::test]
async fn only_a_clean_goaway_disowns() {
    assert_eq!(delivery(&error_at(goaway(0), true).await), Delivery::NotProcessed);
    assert_eq!(delivery(&error_at(goaway(11), true).await), Delivery::Unknown, "ENHANCE_YOUR_CALM");
}

#[tokio::test]
async fn what_the_connection_never_took_was_not_processed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let stream = TcpStream::connect(listener.local_addr().expect("it is bound")).await.expect("it listens");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("nothing is sent yet");
    drop(connection);
    let request = Request::new(Empty::<Bytes>::new());
    let error = sender.send_request(request).await.expect_err("the connection is gone");
    assert_eq!(delivery(&error), Delivery::NotProcessed);
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
