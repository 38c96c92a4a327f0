use bartizan_test::server::{Act, Seen, Sequence, Server};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

async fn h1(server: &Server) -> http1::SendRequest<Full<Bytes>> {
    let (client, connection) = http1::handshake(TokioIo::new(server.connect().unwrap())).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn h2(server: &Server) -> http2::SendRequest<Full<Bytes>> {
    let pipe = TokioIo::new(server.connect().unwrap());
    let (client, connection) = http2::handshake(TokioExecutor::new(), pipe).await.unwrap();
    tokio::spawn(connection);
    client
}

fn get_root(server: &Server) -> Request<Full<Bytes>> {
    Request::get(server.uri("/")).header("host", "x").body(Full::default()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn delays_over_h1_take_their_time_and_no_more() {
    let act = Act::reply(200).body("hello").delay(60 * SECOND).slow_body(2, SECOND);
    let server = Server::h1_in_memory(Sequence::new([act.clone(), act.slow_head(SECOND), Act::hang()]));
    let mut client = h1(&server).await;

    // Three pieces; a slow head adds its status line, one field and the empty line.
    for (head, body) in [(60, 3), (63, 3)] {
        let start = Instant::now();
        let answer = client.send_request(get_root(&server)).await.unwrap();
        assert_eq!(start.elapsed(), head * SECOND);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hello");
        assert_eq!(start.elapsed(), (head + body) * SECOND);
    }
    client.ready().await.unwrap();
    assert!(tokio::time::timeout(3600 * SECOND, client.send_request(get_root(&server))).await.is_err());
    let arrived: Vec<_> = server.log().requests().iter().map(|seen| seen.arrived).collect();
    assert_eq!(arrived, [0, 63, 129].map(Duration::from_secs));
}

#[tokio::test(start_paused = true)]
async fn delays_over_h2_take_their_time_and_no_more() {
    let act = Act::reply(200).body("hello").delay(60 * SECOND).slow_body(2, SECOND);
    let server = Server::h2_in_memory(Sequence::new([act.clone(), act.slow_head(SECOND), Act::hang()]));
    let mut client = h2(&server).await;

    // Three pieces; a slow head adds its status and one field.
    for (head, body) in [(60, 3), (62, 3)] {
        let start = Instant::now();
        let answer = client.send_request(get_root(&server)).await.unwrap();
        assert_eq!(start.elapsed(), head * SECOND);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hello");
        assert_eq!(start.elapsed(), (head + body) * SECOND);
    }
    assert!(tokio::time::timeout(3600 * SECOND, client.send_request(get_root(&server))).await.is_err());
    let arrived: Vec<_> = server.log().requests().iter().map(|seen| seen.arrived).collect();
    assert_eq!(arrived, [0, 63, 128].map(Duration::from_secs));
}

#[tokio::test(start_paused = true)]
async fn a_goaway_lets_lower_streams_finish_and_disowns_higher_ones() {
    let script = |seen: &Seen| match seen.sequence {
        0 => Act::reply(200).body("hello").delay(5 * SECOND),
        1 => Act::goaway().delay(2 * SECOND),
        _ => Act::hang(),
    };
    let server = Server::h2_in_memory(script);
    let client = h2(&server).await;
    let [mut first, mut second, mut third] = [(); 3].map(|()| client.clone());
    let (lower, goaway, higher) = tokio::join!(
        first.send_request(get_root(&server)),
        second.send_request(get_root(&server)),
        third.send_request(get_root(&server)),
    );
    for error in [goaway.unwrap_err(), higher.unwrap_err()] {
        assert!(source::<::h2::Error>(&error).is_some_and(|error| error.is_go_away() && error.is_remote()));
    }
    assert_eq!(lower.unwrap().into_body().collect().await.unwrap().to_bytes(), "hello");
    let processed: Vec<_> = server.log().requests().iter().map(|seen| seen.processed).collect();
    assert_eq!(processed, [true, false, false]);
}

#[tokio::test]
async fn then_close_announces_nothing_and_closes() {
    let act = Act::reply(200).body("hello").then_close();
    let server = Server::h1_in_memory(act.clone());
    let pipe = TokioIo::new(server.connect().unwrap());
    let (mut client, connection) = http1::handshake(pipe).await.unwrap();
    let closed = tokio::spawn(connection);
    let answer = client.send_request(get_root(&server)).await.unwrap();
    assert!(!answer.headers().contains_key("connection"));
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hello");
    in_time(closed).await.unwrap().unwrap();

    let server = Server::h2_in_memory(act);
    let pipe = TokioIo::new(server.connect().unwrap());
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), pipe).await.unwrap();
    let closed = tokio::spawn(connection);
    let answer = client.send_request(get_root(&server)).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hello");
    // An error or none: that hangs on whether the client had a frame to send when the pipe broke.
    let _ = in_time(closed).await.unwrap();
    client.send_request(get_root(&server)).await.unwrap_err();
    assert!(server.log().requests()[0].finished);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_client_that_left_is_not_finished() {
    for h2_too in [false, true] {
        let act = Act::reply(200).delay(60 * SECOND);
        let server = if h2_too { Server::h2_in_memory(act) } else { Server::h1_in_memory(act) };
        let request = get_root(&server);
        let left = if h2_too {
            let mut client = h2(&server).await;
            tokio::time::timeout(SECOND, client.send_request(request)).await.is_err()
        } else {
            let mut client = h1(&server).await;
            tokio::time::timeout(SECOND, client.send_request(request)).await.is_err()
        };
        assert!(left);
        tokio::time::sleep(3600 * SECOND).await;
        assert!(!server.log().requests()[0].finished);
    }
}

#[tokio::test]
async fn a_pipe_that_was_reset_ends() {
    let server = Server::h1_in_memory(Act::reset());
    assert!(h1(&server).await.send_request(get_root(&server)).await.unwrap_err().is_incomplete_message());
}

#[tokio::test]
async fn a_server_on_a_socket_offers_no_pipe() {
    let server = Server::h1(Act::reply(200)).await.unwrap();
    assert_eq!(server.connect().unwrap_err().kind(), std::io::ErrorKind::Unsupported);
}

#[tokio::test]
async fn dropping_the_server_ends_its_pipes() {
    for server in [Server::h1_in_memory(Act::hang()), Server::h2_in_memory(Act::hang())] {
        let mut client = server.connect().unwrap();
        drop(server);
        let mut rest = Vec::new();
        in_time(tokio::io::AsyncReadExt::read_to_end(&mut client, &mut rest)).await.unwrap();
    }
}
