use std::time::Duration;

use bartizan_core::find_source;
use bartizan_retry::ReplayLayer;
use bartizan_test::bodies::{self, Step};
use bartizan_timeout::{AttemptTimedOut, DeadlineExceeded};
use bytes::Bytes;
use http::Method;
use http_body::SizeHint;
use http_body_util::Full;
use tower::ServiceBuilder;

use crate::client::{SETTINGS, Settings, Stack, get, request, send, stack};
use crate::server::httpbin;
use crate::upstream::Upstream;

const SECOND: Duration = Duration::from_secs(1);

async fn start(settings: Settings) -> (Upstream, impl Stack<Full<Bytes>>) {
    let upstream = httpbin().await;
    let stack = stack(upstream.connector("httpbin.sock"), settings);
    (upstream, stack)
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn a_status_takes_the_attempts_it_deserves() {
    let (_upstream, stack) = start(SETTINGS).await;
    let final_ones = [200, 201, 204, 301, 400, 401, 404, 418, 501].map(|status| ("GET", status, 1));
    let passing_ones = [408, 425, 429, 500, 502, 503, 504].map(|status| ("GET", status, 3));
    let methods =
        [("HEAD", 503, 3), ("PUT", 503, 3), ("DELETE", 503, 3), ("POST", 503, 1), ("PATCH", 503, 1)];
    for (method, status, attempts) in [&final_ones[..], &passing_ones, &methods].concat() {
        let answer = send(&stack, request(method, &format!("/status/{status}"), &[])).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.attempts), (status, attempts), "{method} {status}");
    }
    let with_key = request("POST", "/status/503", &[("idempotency-key", "\"k\"")]);
    assert_eq!(send(&stack, with_key).await.unwrap().attempts, 3);
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn a_redirect_is_passed_through() {
    let (_upstream, stack) = start(SETTINGS).await;
    for (path, status, location) in [
        ("/status/301", 301, "/redirect/1"),
        ("/relative-redirect/2", 302, "/relative-redirect/1"),
        ("/absolute-redirect/2", 302, "http://upstream.test/absolute-redirect/1"),
        ("/redirect-to?url=https://other.test/a&status_code=307", 307, "https://other.test/a"),
    ] {
        let answer = send(&stack, get(path)).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.header("location")), (status, location), "{path}");
        assert_eq!(answer.attempts, 1, "{path}");
    }
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn a_coded_body_stays_as_it_was_sent() {
    let (_upstream, stack) = start(SETTINGS).await;
    for (path, coding, first) in [("/gzip", "gzip", &[0x1f, 0x8b][..]), ("/deflate", "deflate", &[0x78])] {
        let answer = send(&stack, get(path)).await.unwrap();
        assert_eq!(answer.header("content-encoding"), coding);
        assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "{path}");
        assert!(answer.body.starts_with(first), "{path}: {:?}", answer.body);
    }
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn a_chunked_body_arrives_whole() {
    let (_upstream, stack) = start(SETTINGS).await;
    let answer = send(&stack, get("/stream/20")).await.unwrap();
    assert_eq!(answer.header("transfer-encoding"), "chunked");
    let lines = answer.body.split_inclusive(|byte| *byte == b'\n');
    let ids: Vec<_> = lines
        .map(|line| serde_json::from_slice::<serde_json::Value>(line).expect("a line is JSON")["id"].as_u64())
        .collect();
    assert_eq!(ids, (0..20).map(Some).collect::<Vec<_>>());

    // The same bytes, in chunks of other sizes.
    let path = |chunk| format!("/stream-bytes/50000?seed=7&chunk_size={chunk}");
    let (small, large) =
        (send(&stack, get(&path(100))).await.unwrap(), send(&stack, get(&path(20_000))).await);
    assert_eq!(small.body.len(), 50_000);
    assert_eq!(small.body, large.unwrap().body);
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn the_two_clocks_are_told_apart() {
    let (_upstream, slow) = start(SETTINGS).await;
    assert_eq!(send(&slow, get("/delay/1")).await.unwrap().attempts, 1);

    let attempt = Duration::from_millis(200);
    let (upstream, stack) = start(Settings { attempt, ..SETTINGS }).await;
    let error = send(&stack, get("/delay/2")).await.unwrap_err();
    let timed_out = find_source::<AttemptTimedOut>(&*error).expect("the attempt's clock");
    assert_eq!((timed_out.limit(), timed_out.host()), (attempt, Some("upstream.test")));
    assert!(find_source::<DeadlineExceeded>(&*error).is_none());

    let connector = upstream.connector("httpbin.sock");
    let settings = Settings { deadline: 2 * attempt, ..SETTINGS };
    let stack = crate::client::stack(connector.clone(), settings);
    let error = send(&stack, get("/delay/2")).await.unwrap_err();
    let exceeded = find_source::<DeadlineExceeded>(&*error).expect("the call's clock");
    assert_eq!((exceeded.total(), exceeded.was_sent()), (2 * attempt, true));
    assert!(find_source::<AttemptTimedOut>(&*error).is_none());
    assert_eq!(connector.connections(), 1, "no attempt after the deadline");
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn the_clocks_stop_at_the_head() {
    let (_upstream, stack) = start(Settings { attempt: SECOND, deadline: 2 * SECOND, ..SETTINGS }).await;
    let answer = send(&stack, get("/drip?numbytes=4&duration=3&delay=0")).await.unwrap();
    assert_eq!((&answer.body[..], answer.attempts), (&b"****"[..], 1));
    let error = send(&stack, get("/drip?numbytes=1&duration=0&delay=3")).await.unwrap_err();
    assert!(find_source::<DeadlineExceeded>(&*error).is_some(), "{error}");
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn credentials_and_validators_get_through() {
    let (_upstream, stack) = start(SETTINGS).await;
    for (path, header, status) in [
        ("/basic-auth/u/p", ("authorization", "Basic dTpw"), 200),
        ("/basic-auth/u/p", ("authorization", "Basic dTpx"), 401),
        ("/basic-auth/u/p", ("accept", "*/*"), 401),
        ("/hidden-basic-auth/u/p", ("authorization", "Basic dTpx"), 404),
        ("/bearer", ("authorization", "Bearer token"), 200),
        ("/bearer", ("authorization", "Basic dTpw"), 401),
        // httpbin sends these validators without quotes.
        ("/etag/x", ("if-none-match", "y"), 200),
        ("/etag/x", ("if-none-match", "x"), 304),
        ("/etag/x", ("if-match", "y"), 412),
        ("/cache", ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"), 304),
    ] {
        let answer = send(&stack, request("GET", path, &[header])).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.attempts), (status, 1), "{path} with {header:?}");
        assert_eq!(answer.header("www-authenticate").is_empty(), status != 401, "{path} with {header:?}");
    }
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn what_is_sent_is_what_arrives() {
    let (_upstream, stack) = start(SETTINGS).await;
    let odd = "\0\r\n\t\"\\ \u{7f} é € 𝄞".to_owned();
    let large: String = ('!'..='~').cycle().take(1024 * 1024).collect();
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        for text in [&odd, &large] {
            let head = [("content-type", "text/plain; charset=utf-8"), ("x-odd", "a, b;c=\"d\"  e")];
            let path = "/anything/a%20b?q=%C3%A9&q=2";
            let request = request(method.as_str(), path, &head).map(|_| Full::from(text.clone()));
            let answer = send(&stack, request).await.unwrap();
            let seen = answer.json();
            assert_eq!(seen["method"], method.as_str());
            assert!(seen["data"] == **text, "{method}: {} bytes", text.len());
            assert_eq!(seen["args"]["q"], serde_json::json!(["é", "2"]));
            assert_eq!(seen["headers"]["Content-Length"], text.len().to_string());
            assert_eq!(seen["headers"]["X-Odd"], head[1].1);
        }
    }
    let answer = send(&stack, request("HEAD", "/get", &[])).await.unwrap();
    assert!(answer.body.is_empty() && answer.header("content-length") != "0", "{answer:?}");
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn a_stream_arrives_whole_through_the_replay_layer() {
    let upstream = httpbin().await;
    let stack = ServiceBuilder::new()
        .layer(ReplayLayer::default())
        .service(stack(upstream.connector("httpbin.sock"), SETTINGS));
    for (path, status, attempts) in [("/anything", 200, 1), ("/status/503", 503, 3)] {
        let steps = [Step::data("one, "), Step::Wait(Duration::from_millis(20)), Step::data("two")];
        let body = bodies::Body::frames(steps).with_size_hint(SizeHint::default());
        let answer = send(&stack, request("PUT", path, &[]).map(|_| body)).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.attempts), (status, attempts), "{path}");
        if status == 200 {
            let seen = answer.json();
            assert_eq!(
                (&seen["data"], &seen["headers"]["Transfer-Encoding"]),
                (&"one, two".into(), &"chunked".into())
            );
        }
    }
}
