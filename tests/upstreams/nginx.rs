use std::time::Duration;

use bartizan_cache::{CacheLayer, CacheStatus};
use bartizan_core::{Delivery, delivery};
use bartizan_retry::ReplayLayer;
use bartizan_test::bodies::{self, Step};
use bytes::Bytes;
use http::Version;
use http_body::SizeHint;
use http_body_util::{BodyExt, Full};
use tokio::task::JoinSet;
use tower::{Layer, ServiceBuilder, ServiceExt};

use crate::client::{Answer, SETTINGS, Settings, Stack, get, request, send, stack};
use crate::server::nginx;

const HELLO: &[(&str, &[u8])] = &[("hello", b"hello world")];

/// Of what nginx throttles here, it lets one pass every 250 ms.
const PATIENT: Settings = Settings { attempts: 20, backoff: Duration::from_millis(300), ..SETTINGS };

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn ranges_and_validators_get_through() {
    let upstream = nginx(HELLO).await;
    let stack = stack(upstream.connector("plain.sock"), SETTINGS);
    let whole = send(&stack, get("/hello")).await.unwrap();
    assert_eq!((whole.status.as_u16(), &whole.body[..]), (200, &b"hello world"[..]));
    let (etag, modified) = (whole.header("etag"), whole.header("last-modified"));
    for (headers, status, body, range) in [
        (&[("if-none-match", etag)][..], 304, "", ""),
        (&[("if-none-match", "\"other\"")], 200, "hello world", ""),
        (&[("if-modified-since", modified)], 304, "", ""),
        (&[("range", "bytes=2-4")], 206, "llo", "bytes 2-4/11"),
        (&[("range", "bytes=-3")], 206, "rld", "bytes 8-10/11"),
        (&[("range", "bytes=99-")], 416, "", "bytes */11"),
        (&[("range", "bytes=0-0"), ("if-range", etag)], 206, "h", "bytes 0-0/11"),
        (&[("range", "bytes=0-0"), ("if-range", "\"other\"")], 200, "hello world", ""),
    ] {
        let answer = send(&stack, request("GET", "/hello", headers)).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.attempts), (status, 1), "{headers:?}");
        assert_eq!(answer.header("content-range"), range, "{headers:?}");
        // Errors have a page of nginx's own.
        assert!(status > 400 || answer.body == body, "{headers:?}: {:?}", answer.body);
    }
    let head = send(&stack, request("HEAD", "/hello", &[])).await.unwrap();
    assert_eq!((head.header("content-length"), head.body.len()), ("11", 0));
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn a_part_is_completed_with_the_rest_that_it_lacks() {
    let large: Vec<u8> = (0..=255).cycle().take(1024 * 1024).collect();
    let upstream = nginx(&[("large", &large)]).await;
    for (socket, h2) in [("plain.sock", false), ("h2.sock", true)] {
        let stack = stack(upstream.connector(socket), Settings { h2, ..SETTINGS });
        let cache = CacheLayer::rfc9111().status().layer(stack);
        // How long ago nginx's file was written decides how long its parts are fresh, so the last one is asked for anew in any case, as stale or by request.
        for (field, told, body) in [
            (Some(("range", "bytes=0-99999")), "fwd=uri-miss; fwd-status=206; stored", &large[..100_000]),
            (
                Some(("range", "bytes=50000-199999")),
                "fwd=partial; fwd-status=206; stored",
                &large[50_000..200_000],
            ),
            (None, "fwd=partial; fwd-status=206; stored", &large),
            (Some(("cache-control", "no-cache")), "fwd-status=304; stored", &large),
        ] {
            let response = cache.clone().oneshot(request("GET", "/large", field.as_slice())).await.unwrap();
            let status = response.extensions().get::<CacheStatus>().expect("it tells").to_string();
            let is_part = field.is_some_and(|(name, _)| name == "range");
            assert_eq!(response.status() == 206, is_part, "{field:?}");
            assert!(status.ends_with(told), "{field:?}: {status}");
            let got = response.into_body().collect().await.unwrap().to_bytes();
            assert!(got == body, "{field:?}: {} bytes", got.len());
        }
    }
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn a_connection_is_used_again() {
    let upstream = nginx(HELLO).await;
    let connector = upstream.connector("plain.sock");
    let stack = stack(connector.clone(), SETTINGS);
    for nth in 1..=100 {
        assert_eq!(send(&stack, get("/hello")).await.unwrap().header("x-nth"), nth.to_string());
    }
    assert_eq!(connector.connections(), 1);
}

/// After a 412 nginx closes the connection, although the answer says keep-alive, so the next call may go to one
/// that is just being closed.
#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn a_connection_that_breaks_its_promise_fails_no_call() {
    let upstream = nginx(HELLO).await;
    let connector = upstream.connector("plain.sock");
    let stack = stack(connector.clone(), SETTINGS);
    for nth in 1..=50 {
        let precondition = request("GET", "/hello", &[("if-match", "\"other\"")]);
        assert_eq!(send(&stack, precondition).await.unwrap().status, 412);
        let answer = send(&stack, get("/hello")).await.unwrap();
        assert!(answer.status == 200 && answer.body == "hello world", "{answer:?}");
        assert!(connector.connections() > nth, "the server keeps them open");
    }
}

async fn at_once(stack: &impl Stack<Full<Bytes>>, path: &'static str, calls: usize) -> Vec<Answer> {
    let mut tasks = JoinSet::new();
    for _ in 0..calls {
        let stack = stack.clone();
        tasks.spawn(async move { send(&stack, get(path)).await.expect("an answer") });
    }
    tasks.join_all().await
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn a_server_that_retires_its_connections_fails_no_call() {
    let upstream = nginx(HELLO).await;
    // On HTTP/2 all 50 go to the same connection, and what comes after its tenth is sent back by GOAWAY: several
    // times, for the last of them.
    for (socket, h2, attempts) in [("short.sock", false, 1), ("h2-short.sock", true, 20)] {
        let connector = upstream.connector(socket);
        let stack = stack(connector.clone(), Settings { attempts, h2, ..SETTINGS });
        let mut answers = at_once(&stack, "/hello", 50).await;
        for _ in 0..200 {
            answers.push(send(&stack, get("/hello")).await.unwrap());
        }
        assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == "hello world"));
        assert!(connector.connections() >= 25, "10 requests each: {}", connector.connections());
    }
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn h2_carries_all_calls_over_one_connection() {
    let large: Vec<u8> = (0..=255).cycle().take(1024 * 1024).collect();
    let upstream = nginx(&[("hello", b"hello world"), ("large", &large)]).await;
    for (socket, h2, version) in [("plain.sock", false, Version::HTTP_11), ("h2.sock", true, Version::HTTP_2)]
    {
        let connector = upstream.connector(socket);
        let stack = stack(connector.clone(), Settings { h2, ..SETTINGS });
        let answer = send(&stack, get("/large")).await.unwrap();
        assert!(answer.body == large, "{version:?}: {} bytes", answer.body.len());
        let answers = at_once(&stack, "/hello", 50).await;
        assert!(answers.iter().all(|answer| answer.status == 200 && answer.version == version));
        assert!(!h2 || connector.connections() == 1, "{}", connector.connections());
    }
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn a_throttled_call_gets_through_later() {
    let upstream = nginx(HELLO).await;
    for (path, status) in [("/limited503/hello", 503), ("/limited429/hello", 429)] {
        let once = stack(upstream.connector("plain.sock"), Settings { attempts: 1, ..SETTINGS });
        let answers = at_once(&once, path, 10).await;
        let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        statuses.dedup();
        assert_eq!(statuses, [200, status], "{path}");

        let patient = stack(upstream.connector("plain.sock"), PATIENT);
        let answers = at_once(&patient, path, 5).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{path}: {answers:?}");
        assert!(answers.iter().any(|answer| answer.attempts > 1), "{path}: nothing was throttled");
    }
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn a_throttled_stream_is_replayed_byte_for_byte() {
    let upstream = nginx(&[]).await;
    let patient = stack(upstream.connector("plain.sock"), PATIENT);
    let stack = ServiceBuilder::new().layer(ReplayLayer::default()).service(patient);
    let mut attempts = 0;
    for _ in 0..3 {
        let steps = [Step::data("one, "), Step::Wait(Duration::from_millis(5)), Step::data("two")];
        let body = bodies::Body::frames(steps).with_size_hint(SizeHint::default());
        let answer = send(&stack, request("PUT", "/limited/anything", &[]).map(|_| body)).await.unwrap();
        assert_eq!(answer.json()["data"], "one, two", "after {} attempts", answer.attempts);
        attempts += answer.attempts;
    }
    assert!(attempts > 3, "nothing was throttled");
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn a_gateway_without_its_upstream_is_tried_again() {
    let upstream = nginx(&[]).await;
    let stack = stack(upstream.connector("plain.sock"), SETTINGS);
    for (method, attempts) in [("GET", 3), ("POST", 1)] {
        let answer = send(&stack, request(method, "/nobody/", &[])).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.attempts), (502, attempts), "{method}");
    }
}

#[tokio::test]
#[ignore = "needs httpbin and nginx: cargo xtask test"]
async fn a_server_that_hangs_up_is_tried_again() {
    let upstream = nginx(&[]).await;
    for (method, attempts) in [("GET", 3), ("POST", 1)] {
        let connector = upstream.connector("plain.sock");
        let stack = stack(connector.clone(), SETTINGS);
        let error = send(&stack, request(method, "/hangs-up", &[])).await.unwrap_err();
        assert_eq!(delivery(&*error), Delivery::Incomplete, "{method}");
        assert_eq!(connector.connections(), attempts, "{method}");
    }
}
