use ::h2::Reason;
use bartizan_test::server::{Act, Sequence, Server};
use http::{Method, StatusCode};

use super::*;

fn reason(error: &(dyn Error + 'static)) -> Option<Reason> {
    source::<::h2::Error>(error).filter(|error| error.is_remote()).and_then(::h2::Error::reason)
}

fn is_goaway(error: &(dyn Error + 'static)) -> bool {
    source::<::h2::Error>(error).is_some_and(|error| error.is_go_away() && error.is_remote())
}

#[tokio::test]
async fn a_reply_arrives_and_the_connection_is_kept() {
    let server = Server::h2(Act::reply(201).header("x-a", "1").body("hello")).await.unwrap();
    let client = h2_client();
    let answer = post(&client, &server, "/a?b=c", "sent").await.unwrap();
    assert_eq!((answer.status, &answer.headers["x-a"]), (StatusCode::CREATED, &"1".parse().unwrap()));
    assert_eq!(answer.headers["content-length"], "5");
    assert_eq!(answer.body(), b"hello");
    get(&client, &server, "/again").await.unwrap();

    let log = server.log();
    in_time(log.until(|seen| seen.iter().all(|seen| seen.finished))).await;
    assert_eq!(log.connections(), 1);
    let seen = &log.by_id("/a?b=c")[0];
    assert_eq!((&seen.method, seen.path.as_str()), (&Method::POST, "/a?b=c"));
    assert_eq!((seen.body.as_slice(), seen.body_len, seen.complete), (&b"sent"[..], 4, true));
    assert_eq!((seen.act, seen.status, seen.processed), ("reply", Some(StatusCode::CREATED), true));
}

#[tokio::test]
async fn a_body_beyond_the_windows_arrives_both_ways() {
    let large = Bytes::from(vec![b'l'; 3_000_000]);
    let server = Server::h2(Act::reply(200).body(large.clone())).await.unwrap();
    let request = request(&server, Method::POST, "/", Full::new(large.clone()).boxed());
    assert_eq!(send(&h2_client(), request).await.unwrap().body(), large);
    let seen = &server.log().requests()[0];
    assert_eq!((seen.body_len, seen.body.len()), (3_000_000, 1024 * 1024));
}

#[tokio::test]
async fn a_head_request_gets_the_length_and_no_body() {
    let server = Server::h2(Act::reply(200).body("hello")).await.unwrap();
    let answer = send(&h2_client(), request(&server, Method::HEAD, "/", full(""))).await.unwrap();
    assert_eq!((&answer.headers["content-length"], answer.body()), (&"5".parse().unwrap(), &b""[..]));
}

#[tokio::test]
async fn fields_of_a_connection_are_left_out() {
    let act = Act::reply(200).header("connection", "close").header("transfer-encoding", "chunked");
    let server = Server::h2(act.header("keep-alive", "timeout=1").header("x-a", "1")).await.unwrap();
    let answer = get(&h2_client(), &server, "/").await.unwrap();
    let mut names: Vec<_> = answer.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "x-a"]);
}

#[tokio::test]
async fn trailers_go_both_ways() {
    let server = Server::h2(Act::reply(200).body("hello").chunked().trailers(trailers())).await.unwrap();
    let answer = send(&h2_client(), request(&server, Method::POST, "/", with_trailers("abc"))).await.unwrap();
    assert!(!answer.headers.contains_key("content-length"));
    assert_eq!(answer.rest.unwrap(), (Bytes::from("hello"), Some(trailers())));
    assert_eq!(server.log().requests()[0].trailers, Some(trailers()));
}

#[tokio::test]
async fn a_lying_content_length_is_a_broken_body() {
    let server = Server::h2(Act::reply(200).body("hello").lying_content_length(10)).await.unwrap();
    let answer = get(&h2_client(), &server, "/").await.unwrap();
    assert_eq!(answer.headers["content-length"], "10");
    let error = answer.rest.unwrap_err();
    assert_eq!(source::<::h2::Error>(&error).unwrap().reason(), Some(Reason::PROTOCOL_ERROR));
}

#[tokio::test]
async fn an_early_answer_does_not_wait_for_the_body() {
    let server = Server::h2(Act::reply(413).early()).await.unwrap();
    let answer =
        send(&h2_client(), request(&server, Method::POST, "/", Endless::default().boxed())).await.unwrap();
    assert_eq!(answer.status, 413);
    let log = server.log();
    in_time(log.until(|seen| seen[0].body == b"begun")).await;
    assert!(!log.requests()[0].complete);
}

#[tokio::test]
async fn a_reset_ends_one_stream() {
    let server = Server::h2(Sequence::new([Act::reset(), Act::reply(200)])).await.unwrap();
    let client = h2_client();
    let error = post(&client, &server, "/", "sent").await.err().unwrap();
    assert_eq!(reason(&error), Some(Reason::INTERNAL_ERROR));
    assert_eq!(get(&client, &server, "/").await.unwrap().status, 200);
    let seen = &server.log().requests()[0];
    assert_eq!((seen.act, seen.status, seen.complete, seen.finished), ("reset", None, true, true));
    assert!(seen.processed);
    assert_eq!(server.log().connections(), 1);
}

#[tokio::test]
async fn a_reset_after_the_head_loses_the_body() {
    let server = Server::h2(Act::reset_after_head().header("x-a", "1")).await.unwrap();
    let answer = get(&h2_client(), &server, "/").await.unwrap();
    assert_eq!((answer.status, &answer.headers["x-a"]), (StatusCode::OK, &"1".parse().unwrap()));
    assert_eq!(reason(&answer.rest.unwrap_err()), Some(Reason::INTERNAL_ERROR));
    assert_eq!(server.log().counts()["reset-after-head"], 1);
}

#[tokio::test]
async fn a_reset_in_the_body_comes_after_so_many_bytes() {
    let server = Server::h2(Act::reset_mid_body(3).body("hello")).await.unwrap();
    let client = h2_client();
    let answer = in_time(client.request(request(&server, Method::GET, "/", full("")))).await.unwrap();
    let mut body = answer.into_body();
    let first = in_time(body.frame()).await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "hel");
    let error = in_time(body.frame()).await.unwrap().unwrap_err();
    assert_eq!(reason(&error), Some(Reason::INTERNAL_ERROR));
    assert_eq!(server.log().requests()[0].status, Some(StatusCode::OK));
}

#[tokio::test]
async fn a_half_close_ends_inside_a_frame() {
    let server = Server::h2(Act::half_close()).await.unwrap();
    let error = get(&h2_client(), &server, "/").await.err().unwrap();
    let broken = source::<std::io::Error>(&error).unwrap();
    assert_eq!(broken.to_string(), "bytes remaining on stream");
    assert_eq!(server.log().requests()[0].act, "half-close");
}

#[tokio::test]
async fn a_hang_lasts_until_the_client_leaves() {
    let server = Server::h2(Act::hang()).await.unwrap();
    let client = h2_client();
    let waiting = tokio::spawn(client.request(request(&server, Method::GET, "/", full(""))));
    in_time(server.log().until(|seen| seen.iter().any(|seen| seen.act == "hang"))).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waiting.is_finished());
    waiting.abort();
    let seen = &server.log().requests()[0];
    assert_eq!((seen.act, seen.status, seen.finished), ("hang", None, false));
}

#[tokio::test]
async fn a_close_sends_no_goaway() {
    let server = Server::h2(Act::close()).await.unwrap();
    let error = get(&h2_client(), &server, "/").await.err().unwrap();
    assert!(!is_goaway(&error), "{error:?}");
    assert!(server.log().requests()[0].processed);
}

#[tokio::test]
async fn a_goaway_tells_the_client_that_nothing_was_processed() {
    let server = Server::h2(Sequence::new([Act::goaway(), Act::reply(200)])).await.unwrap();
    let client = h2_client();
    let error =
        send(&client, request(&server, Method::POST, "/", Endless::default().boxed())).await.err().unwrap();
    assert!(is_goaway(&error), "{error:?}");
    assert_eq!(reason(&error), Some(Reason::NO_ERROR));
    let seen = &server.log().requests()[0];
    assert_eq!((seen.act, seen.processed, seen.status), ("goaway", false, None));
    assert_eq!(get(&client, &server, "/").await.unwrap().status, 200);
    assert_eq!(server.log().connections(), 2);
}

#[tokio::test]
async fn a_refused_stream_counts_as_unprocessed() {
    let server = Server::h2(Sequence::new([Act::refuse_stream(), Act::reply(200)])).await.unwrap();
    let client = h2_client();
    let error =
        send(&client, request(&server, Method::POST, "/", Endless::default().boxed())).await.err().unwrap();
    assert_eq!(reason(&error), Some(Reason::REFUSED_STREAM));
    let seen = &server.log().requests()[0];
    assert_eq!((seen.act, seen.processed), ("refuse-stream", false));
    assert_eq!(get(&client, &server, "/").await.unwrap().status, 200);
    assert_eq!(server.log().connections(), 1);
}

#[tokio::test]
async fn an_interim_response_comes_first() {
    let server = Server::h2_in_memory(Act::reply(200).interim(103));
    let (mut client, connection) = ::h2::client::handshake(server.connect().unwrap()).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(server.uri("/")).body(()).unwrap();
    let (mut answer, _) = client.send_request(request, true).unwrap();
    let interim = in_time(std::future::poll_fn(|cx| answer.poll_informational(cx))).await.unwrap().unwrap();
    assert_eq!(interim.status(), 103);
    assert_eq!(in_time(answer).await.unwrap().status(), 200);
}

#[tokio::test]
async fn bytes_that_are_no_preface_end_the_connection() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = Server::h2_in_memory(Act::reply(200));
    let mut client = server.connect().unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    in_time(client.read_to_end(&mut Vec::new())).await.unwrap();
    assert!(server.log().requests().is_empty());
    assert_eq!(server.log().malformed(), 1);
}
