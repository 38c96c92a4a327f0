use std::io;

use bartizan_test::server::{Act, Seen, Sequence, Server};
use http::{Method, StatusCode};

use super::*;

fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    source::<io::Error>(error).map(io::Error::kind)
}

fn is_incomplete(error: &(dyn Error + 'static)) -> bool {
    source::<hyper::Error>(error).is_some_and(hyper::Error::is_incomplete_message)
}

#[tokio::test]
async fn a_reply_arrives_and_the_connection_is_kept() {
    let server =
        Server::h1(Act::reply(201).header("x-a", "1").header("x-a", "2").body("hello")).await.unwrap();
    let client = h1_client();
    let answer = post(&client, &server, "/a?b=c", "sent").await.unwrap();
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(answer.headers["content-length"], "5");
    assert_eq!(answer.body(), b"hello");
    get(&client, &server, "/again").await.unwrap();

    let log = server.log();
    log.until(|seen| seen.iter().all(|seen| seen.finished)).await;
    assert_eq!(log.connections(), 1);
    let seen = &log.by_id("/a?b=c")[0];
    assert_eq!((seen.sequence, seen.connection), (0, 0));
    assert_eq!((&seen.method, seen.path.as_str()), (&Method::POST, "/a?b=c"));
    assert_eq!((seen.body.as_slice(), seen.body_len, seen.complete), (&b"sent"[..], 4, true));
    assert_eq!((seen.act, seen.status, seen.processed), ("reply", Some(StatusCode::CREATED), true));
    assert_eq!(seen.headers["x-request-id"], "/a?b=c");
    assert_eq!(log.counts().into_iter().collect::<Vec<_>>(), [("reply", 2)]);
}

#[tokio::test]
async fn a_sequence_repeats_its_last_act() {
    let server = Server::h1(Sequence::new([Act::reply(503), Act::reply(200)])).await.unwrap();
    let client = h1_client();
    for status in [503, 200, 200] {
        assert_eq!(get(&client, &server, "/").await.unwrap().status, status);
    }
}

#[tokio::test]
async fn a_closure_decides_by_what_it_sees() {
    let script = |seen: &Seen| Act::reply(if seen.method == Method::POST { 405 } else { 200 });
    let server = Server::h1(script).await.unwrap();
    assert_eq!(post(&h1_client(), &server, "/", "").await.unwrap().status, 405);
    assert_eq!(get(&h1_client(), &server, "/").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_head_request_gets_the_length_and_no_body() {
    let server = Server::h1(Act::reply(200).body("hello")).await.unwrap();
    let client = h1_client();
    let answer = send(&client, request(&server, Method::HEAD, "/", full(""))).await.unwrap();
    assert_eq!((&answer.headers["content-length"], answer.body()), (&"5".parse().unwrap(), &b""[..]));
    assert_eq!(get(&client, &server, "/").await.unwrap().body(), b"hello");
    assert_eq!(server.log().connections(), 1);
}

#[tokio::test]
async fn chunks_and_trailers_go_both_ways() {
    let server = Server::h1(Act::reply(200).body("hello").trailers(trailers())).await.unwrap();
    let mut request = request(&server, Method::POST, "/", with_trailers("abc"));
    // hyper sends a body of known length in chunks only if told so.
    request.headers_mut().insert("transfer-encoding", "chunked".parse().unwrap());
    request.headers_mut().insert("trailer", "x-sum".parse().unwrap());
    let answer = send(&h1_client(), request).await.unwrap();
    assert_eq!(answer.headers["transfer-encoding"], "chunked");
    assert_eq!(answer.rest.unwrap(), (Bytes::from("hello"), Some(trailers())));

    let seen = &server.log().requests()[0];
    assert_eq!(seen.headers["transfer-encoding"], "chunked");
    assert_eq!((seen.body.as_slice(), seen.complete), (&b"abc"[..], true));
    assert_eq!(seen.trailers, Some(trailers()));
}

#[tokio::test]
async fn a_lying_content_length_leaves_the_body_incomplete() {
    let server = Server::h1(Act::reply(200).body("hello").lying_content_length(10)).await.unwrap();
    let answer = get(&h1_client(), &server, "/").await.unwrap();
    assert_eq!(answer.headers["content-length"], "10");
    assert_eq!(io_kind(&answer.rest.unwrap_err()), Some(io::ErrorKind::UnexpectedEof));
    assert_eq!(server.log().counts()["reply"], 1);
}

#[tokio::test]
async fn an_early_answer_does_not_wait_for_the_body() {
    let server = Server::h1(Act::reply(413).early()).await.unwrap();
    let answer =
        send(&h1_client(), request(&server, Method::POST, "/", Endless::default().boxed())).await.unwrap();
    assert_eq!(answer.status, 413);
    let log = server.log();
    in_time(log.until(|seen| seen[0].body == b"begun")).await;
    assert!(!log.requests()[0].complete);
}

#[tokio::test]
async fn a_reset_is_a_connection_reset() {
    let server = Server::h1(Act::reset()).await.unwrap();
    let error = post(&h1_client(), &server, "/", "sent").await.err().unwrap();
    assert_eq!(io_kind(&error), Some(io::ErrorKind::ConnectionReset));
    let seen = &server.log().requests()[0];
    assert_eq!((seen.act, seen.status, seen.complete, seen.finished), ("reset", None, true, true));
    assert!(seen.processed);
}

#[tokio::test]
async fn a_reset_after_the_head_loses_the_body() {
    let server = Server::h1(Act::reset_after_head().header("x-a", "1")).await.unwrap();
    let answer = get(&h1_client(), &server, "/").await.unwrap();
    assert_eq!((answer.status, &answer.headers["x-a"]), (StatusCode::OK, &"1".parse().unwrap()));
    assert_eq!(io_kind(&answer.rest.unwrap_err()), Some(io::ErrorKind::ConnectionReset));
    assert_eq!(server.log().counts()["reset-after-head"], 1);
}

#[tokio::test]
async fn a_reset_in_the_body_comes_after_so_many_bytes() {
    let server = Server::h1(Act::reset_mid_body(3).body("hello")).await.unwrap();
    let mut body =
        in_time(h1_client().request(request(&server, Method::GET, "/", full("")))).await.unwrap().into_body();
    let first = in_time(body.frame()).await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "hel");
    let error = in_time(body.frame()).await.unwrap().unwrap_err();
    assert_eq!(io_kind(&error), Some(io::ErrorKind::ConnectionReset));
    assert_eq!(server.log().requests()[0].status, Some(StatusCode::OK));
}

#[tokio::test]
async fn a_half_close_ends_inside_the_head() {
    let server = Server::h1(Act::half_close()).await.unwrap();
    let error = get(&h1_client(), &server, "/").await.err().unwrap();
    assert!(is_incomplete(&error), "{error:?}");
    assert_eq!(server.log().requests()[0].act, "half-close");
}

#[tokio::test]
async fn a_hang_lasts_until_the_client_leaves() {
    let server = Server::h1(Act::hang()).await.unwrap();
    let client = h1_client();
    let waiting = tokio::spawn(client.request(request(&server, Method::GET, "/", full(""))));
    in_time(server.log().until(|seen| seen.iter().any(|seen| seen.act == "hang"))).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waiting.is_finished());
    waiting.abort();
    let seen = &server.log().requests()[0];
    assert_eq!((seen.act, seen.status, seen.finished), ("hang", None, false));
}

#[tokio::test]
async fn acts_that_close_send_nothing() {
    for act in [Act::close(), Act::goaway(), Act::refuse_stream()] {
        let name = act.name();
        let server = Server::h1(act).await.unwrap();
        let error = get(&h1_client(), &server, "/").await.err().unwrap();
        assert!(is_incomplete(&error), "{error:?}");
        let seen = &server.log().requests()[0];
        assert_eq!((seen.act, seen.processed), (name, true));
    }
}

#[tokio::test]
async fn an_interim_response_comes_first() {
    let server = Server::h1(Act::reply(200).interim(103)).await.unwrap();
    let (interim, mut interims) = tokio::sync::mpsc::unbounded_channel();
    let mut request = request(&server, Method::GET, "/", full(""));
    hyper::ext::on_informational(&mut request, move |response| interim.send(response.status()).unwrap());
    assert_eq!(send(&h1_client(), request).await.unwrap().status, 200);
    assert_eq!(interims.recv().await.unwrap(), StatusCode::EARLY_HINTS);
}

#[tokio::test]
async fn dropping_the_server_closes_its_connections_and_its_port() {
    let server = Server::h1(Act::hang()).await.unwrap();
    let (client, log) = (h1_client(), server.log());
    let waiting = tokio::spawn(client.request(request(&server, Method::GET, "/", full(""))));
    in_time(log.until(|seen| seen.len() == 1)).await;
    let addr = server.addr();
    drop(server);
    in_time(waiting).await.unwrap().unwrap_err();
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}
