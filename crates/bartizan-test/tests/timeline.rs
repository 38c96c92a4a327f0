//! Timelines from a server's log and from a recorder, under paused time.

#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

use std::{io, time::Duration};

use bartizan_test::{
    server::{Act, Sequence, Server},
    timeline::{Recorder, Timeline},
};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::sleep;
use tower::{Layer, Service, ServiceExt, service_fn};

fn request(path: &'static str) -> Request<Empty<Bytes>> {
    let uri = format!("http://in-memory.test{path}");
    Request::get(uri).header("x-request-id", path).body(Empty::new()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_log_reads_as_a_timeline() {
    let acts = [Act::reply(503), Act::reset(), Act::reply(200), Act::hang()];
    let server = Server::h2_in_memory(Sequence::new(acts));
    let pipe = TokioIo::new(server.connect().unwrap());
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), pipe).await.unwrap();
    tokio::spawn(connection);

    sleep(Duration::from_millis(500)).await;
    client.send_request(request("/a")).await.unwrap();
    sleep(Duration::from_millis(104)).await;
    client.send_request(request("/b?c=d")).await.unwrap_err();
    sleep(Duration::from_millis(1)).await;
    client.send_request(request("/a")).await.unwrap();
    let hanging = client.send_request(request("/a"));
    tokio::time::timeout(Duration::from_secs(1), hanging).await.unwrap_err();

    let log = server.log();
    assert_eq!(
        Timeline::from_log(&log).to_string(),
        "0ms GET /a -> 503; +104ms GET /b?c=d -> reset; +1ms GET /a -> 200; +0ms GET /a -> hang"
    );
    assert_eq!(
        Timeline::of_id(&log, "/a").to_string(),
        "0ms GET /a -> 503; +105ms GET /a -> 200; +0ms GET /a -> hang"
    );
}

#[tokio::test(start_paused = true)]
async fn a_recorder_tells_what_came_of_each_call() {
    let recorder = Recorder::new();
    let inner = service_fn(|request: Request<Empty<Bytes>>| async move {
        sleep(Duration::from_millis(50)).await;
        match request.uri().path() {
            "/fails" => Err(io::Error::other("broken")),
            "/hangs" => std::future::pending().await,
            _ => Ok(Response::builder().status(StatusCode::NO_CONTENT).body(()).unwrap()),
        }
    });
    let mut service = recorder.layer().layer(inner);
    sleep(Duration::from_millis(7)).await;
    for path in ["/answers?a=b", "/fails"] {
        let _ = service.ready().await.unwrap().call(request(path)).await;
    }
    drop(service.ready().await.unwrap().call(request("/hangs")));
    sleep(Duration::from_millis(104)).await;
    let _waiting = service.ready().await.unwrap().call(request("/hangs"));

    assert_eq!(
        recorder.timeline().to_string(),
        "0ms GET /answers?a=b -> 204; +50ms GET /fails -> error; +50ms GET /hangs -> dropped; \
         +104ms GET /hangs -> pending"
    );
}
