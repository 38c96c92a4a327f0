//! The fault proxy, between bare sockets and between hyper and the scripted server.

#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

use std::{io, net::SocketAddr, num::NonZeroUsize, time::Duration};

use bartizan_test::{
    proxy::{Fault, FaultProxy, Sequence},
    server::{Act, Server},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const SHORT: Duration = Duration::from_millis(30);
const LONG: Duration = Duration::from_secs(3600);

type Client = legacy::Client<HttpConnector, Empty<Bytes>>;

fn clients() -> [Client; 2] {
    [false, true].map(|h2| {
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.http2_only(h2).retry_canceled_requests(false).build_http()
    })
}

async fn servers(act: Act) -> [Server; 2] {
    [Server::h1(act.clone()).await.unwrap(), Server::h2(act).await.unwrap()]
}

async fn get(client: &Client, proxy: &FaultProxy) -> Result<Result<Bytes, hyper::Error>, legacy::Error> {
    let uri = format!("http://{}/", proxy.addr()).parse().unwrap();
    let exchange = async {
        let answer = client.get(uri).await?;
        Ok(answer.into_body().collect().await.map(|all| all.to_bytes()))
    };
    in_time(exchange).await
}

/// A test that waits for what never comes fails instead of standing still.
async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("the exchange takes no ten seconds")
}

/// Both ends of a connection through a proxy with this fault.
async fn link(fault: Fault) -> (FaultProxy, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = FaultProxy::start(listener.local_addr().unwrap(), fault).await.unwrap();
    let client = TcpStream::connect(proxy.addr()).await.unwrap();
    let (upstream, _) = in_time(listener.accept()).await.unwrap();
    (proxy, client, upstream)
}

/// All that arrives, and how it ended.
async fn read_all(stream: &mut TcpStream) -> (Vec<u8>, Option<io::ErrorKind>) {
    let mut all = Vec::new();
    let end = in_time(stream.read_to_end(&mut all)).await;
    (all, end.err().map(|error| error.kind()))
}

async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn is_silent(stream: &mut TcpStream) -> bool {
    tokio::time::timeout(SHORT, stream.read_u8()).await.is_err()
}

const RESET: Option<io::ErrorKind> = Some(io::ErrorKind::ConnectionReset);

#[tokio::test]
async fn a_pass_changes_nothing() {
    let body = Bytes::from(vec![b'x'; 1_000_000]);
    for (server, client) in servers(Act::reply(200).body(body.clone())).await.into_iter().zip(clients()) {
        let proxy = FaultProxy::start(server.addr(), Fault::Pass).await.unwrap();
        for _ in 0..2 {
            assert_eq!(get(&client, &proxy).await.unwrap().unwrap(), body);
        }
        assert_eq!((proxy.connections(), server.log().connections()), (1, 1));
        assert!(proxy.bytes_down() > 2_000_000);
        assert!(proxy.bytes_up() > 0);
    }
}

#[tokio::test]
async fn a_fin_passes_each_way() {
    let (_proxy, mut client, mut upstream) = link(Fault::Pass).await;
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(read_all(&mut upstream).await, (b"question".to_vec(), None));
    upstream.write_all(b"answer").await.unwrap();
    drop(upstream);
    assert_eq!(read_all(&mut client).await, (b"answer".to_vec(), None));
}

#[tokio::test]
async fn a_refused_connection_is_reset_before_the_upstream_hears_of_it() {
    for (server, client) in servers(Act::reply(200)).await.into_iter().zip(clients()) {
        let plan = Sequence::new([Fault::Refuse, Fault::Pass]);
        let proxy = FaultProxy::start(server.addr(), plan).await.unwrap();
        get(&client, &proxy).await.unwrap_err();
        assert_eq!(server.log().connections(), 0);
        get(&client, &proxy).await.unwrap().unwrap();
        assert_eq!((proxy.connections(), server.log().connections()), (2, 1));
    }
}

#[tokio::test]
async fn a_refusal_is_an_rst() {
    let unused = SocketAddr::from(([127, 0, 0, 1], 9));
    let proxy = FaultProxy::start(unused, Fault::Refuse).await.unwrap();
    let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
    assert_eq!(read_all(&mut client).await, (vec![], RESET));
}

#[tokio::test]
async fn a_delay_comes_before_the_upstream_connection() {
    let servers = servers(Act::reply(200)).await;
    for ((server, first), second) in servers.into_iter().zip(clients()).zip(clients()) {
        let plan = Sequence::new([Fault::Delay(LONG), Fault::Delay(Duration::from_millis(5))]);
        let proxy = FaultProxy::start(server.addr(), plan).await.unwrap();
        let waiting = get(&first, &proxy);
        let accepted = until(|| proxy.connections() == 1);
        tokio::select! { _ = waiting => panic!("an hour passed"), () = accepted => {} }
        assert_eq!(server.log().connections(), 0);
        get(&second, &proxy).await.unwrap().unwrap();
        assert_eq!(server.log().connections(), 1);
    }
}

#[tokio::test]
async fn a_reset_after_bytes_up_hits_both_sides() {
    let (proxy, mut client, mut upstream) = link(Fault::ResetAfterUp(4)).await;
    client.write_all(b"question").await.unwrap();
    assert_eq!(read_all(&mut client).await, (vec![], RESET));
    assert_eq!(read_all(&mut upstream).await, (b"ques".to_vec(), RESET));
    assert_eq!((proxy.bytes_up(), proxy.bytes_down()), (4, 0));
}

#[tokio::test]
async fn a_reset_after_bytes_down_hits_both_sides() {
    let (proxy, mut client, mut upstream) = link(Fault::ResetAfterDown(3)).await;
    client.write_all(b"question").await.unwrap();
    upstream.write_all(b"answer").await.unwrap();
    assert_eq!(read_all(&mut client).await, (b"ans".to_vec(), RESET));
    assert_eq!(read_all(&mut upstream).await, (b"question".to_vec(), RESET));
    assert_eq!((proxy.bytes_up(), proxy.bytes_down()), (8, 3));
}

#[tokio::test]
async fn a_reset_in_the_answer_is_an_error_of_its_body() {
    for (server, client) in servers(Act::reply(200).body(vec![b'x'; 30_000])).await.into_iter().zip(clients())
    {
        let proxy = FaultProxy::start(server.addr(), Fault::ResetAfterDown(5_000)).await.unwrap();
        get(&client, &proxy).await.unwrap().unwrap_err();
        assert_eq!(server.log().counts()["reply"], 1);
        assert_eq!(proxy.bytes_down(), 5_000);
    }
}

#[tokio::test]
async fn a_half_close_still_forwards_what_the_client_sends() {
    let (_proxy, mut client, mut upstream) = link(Fault::HalfCloseAfterDown(3)).await;
    upstream.write_all(b"answer").await.unwrap();
    assert_eq!(read_all(&mut client).await, (b"ans".to_vec(), None));
    client.write_all(b"question").await.unwrap();
    let mut question = [0; 8];
    in_time(upstream.read_exact(&mut question)).await.unwrap();
    assert_eq!(&question, b"question");
}

#[tokio::test]
async fn a_throttle_hands_out_one_helping_a_tick() {
    let bytes = NonZeroUsize::new(4).unwrap();
    let (proxy, mut client, mut upstream) = link(Fault::Throttle { bytes, tick: LONG }).await;
    for stream in [&mut client, &mut upstream] {
        stream.write_all(b"sixteen letters!").await.unwrap();
    }
    for stream in [&mut client, &mut upstream] {
        let mut helping = [0; 4];
        in_time(stream.read_exact(&mut helping)).await.unwrap();
        assert_eq!(&helping, b"sixt");
        assert!(is_silent(stream).await);
    }
    assert_eq!((proxy.bytes_up(), proxy.bytes_down()), (4, 4));
}

#[tokio::test]
async fn a_throttled_answer_arrives_whole() {
    for (server, client) in
        servers(Act::reply(200).body(vec![b'x'; 100_000])).await.into_iter().zip(clients())
    {
        let bytes = NonZeroUsize::new(30_000).unwrap();
        let throttle = Fault::Throttle { bytes, tick: Duration::from_millis(2) };
        let proxy = FaultProxy::start(server.addr(), throttle).await.unwrap();
        assert_eq!(get(&client, &proxy).await.unwrap().unwrap().len(), 100_000);
    }
}

#[tokio::test]
async fn a_black_hole_swallows_what_it_is_sent() {
    for (server, client) in servers(Act::reply(200)).await.into_iter().zip(clients()) {
        let proxy = FaultProxy::start(server.addr(), Fault::BlackHole).await.unwrap();
        let waiting = get(&client, &proxy);
        let swallowed = until(|| proxy.bytes_swallowed() > 0);
        tokio::select! { _ = waiting => panic!("nothing was forwarded"), () = swallowed => {} }
        assert_eq!((proxy.bytes_up(), proxy.bytes_down()), (0, 0));
        assert_eq!(server.log().connections(), 0);
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_on_both_sides() {
    let (_proxy, mut client, mut upstream) = link(Fault::CloseIdle(Duration::from_millis(40))).await;
    client.write_all(b"question").await.unwrap();
    upstream.write_all(b"answer").await.unwrap();
    assert_eq!(read_all(&mut client).await, (b"answer".to_vec(), None));
    assert_eq!(read_all(&mut upstream).await, (b"question".to_vec(), None));
}

#[tokio::test]
async fn an_unreachable_upstream_is_a_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let proxy = FaultProxy::start(addr, Fault::Pass).await.unwrap();
    let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
    assert_eq!(read_all(&mut client).await, (vec![], RESET));
}

#[tokio::test]
async fn dropping_the_proxy_closes_both_sides_and_its_port() {
    let (proxy, mut client, mut upstream) = link(Fault::Pass).await;
    let addr = proxy.addr();
    drop(proxy);
    assert_eq!(read_all(&mut client).await, (vec![], None));
    assert_eq!(read_all(&mut upstream).await, (vec![], None));
    assert!(TcpStream::connect(addr).await.is_err());
}
