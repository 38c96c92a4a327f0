//! The client of one line, against a server on a socket.
#![cfg(feature = "client")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan::Client;
use bartizan::client::BoxedBody;
use bartizan::client::intercept::{InterceptLayer, Next, Refused};
use bartizan::core::find_source;
use bartizan::retry::{Backoff, Budget, RetryLayer};
use bartizan::timeout::{
    AttemptTimeoutLayer, BodyStalled, BodyTimeoutLayer, DeadlineExceeded, DeadlineLayer,
};
use bartizan_test::server::{Act, Sequence, Server};
use http::Response;
use http_body_util::BodyExt;
use serde_json::{Value, json};

/// `{"name":"alice"}`
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xab\x56\xca\x4b\xcc\x4d\x55\xb2\x52\x4a\xcc\xc9\x4c\x4e\x55\xaa\x05\x00\x51\xa9\xa0\x29\x10\x00\x00\x00";

fn soon() -> RetryLayer {
    let backoff =
        Backoff::exponential(Duration::from_millis(1), Duration::from_millis(5)).expect("1 is below 5");
    RetryLayer::new().backoff(backoff).throttled_backoff(backoff).budget(Budget::none())
}

async fn server(acts: impl IntoIterator<Item = Act>) -> Server {
    Server::h1(Sequence::new(acts)).await.expect("a loopback port")
}

#[tokio::test]
async fn base_url_headers_json_and_retry() {
    let ok = Act::reply(200).header("content-type", "application/json").body(r#"{"name":"alice"}"#);
    let server = server([Act::reply(503), ok]).await;
    let client = Client::builder(&server.uri("/v1"))
        .default_header("x-api-version", "2026-01-01")
        .default_header("accept", "text/plain")
        .retry(soon())
        .build()
        .expect("a valid client");
    let user: Option<Value> =
        client.get("users/7").query(&[("full", "1")]).fetch().await.expect("the second attempt");
    assert_eq!(user, Some(json!({"name": "alice"})));
    let seen = server.log().requests();
    assert_eq!(seen.len(), 2);
    for request in seen {
        assert_eq!(request.path, "/v1/users/7?full=1");
        assert_eq!(request.headers["x-api-version"], "2026-01-01");
        assert_eq!(
            request.headers["accept"], "text/plain",
            "what was set up comes before what `fetch` would ask for"
        );
        assert!(request.headers["accept-encoding"].to_str().is_ok_and(|coding| coding.contains("gzip")));
    }
}

#[tokio::test]
async fn nothing_leaves_the_base_url() {
    let server = server([Act::reply(200)]).await;
    let client = Client::builder(&server.uri("/v1")).build().expect("a valid client");
    for target in ["//evil.example/", "http://evil.example/", "../admin", "users/%2e%2e/%2e%2e/admin"] {
        let error = client.get(target).send().await.expect_err("refused");
        assert!(error.is_refused(), "{target}: {error}");
    }
    assert_eq!(server.log().requests().len(), 0);
}

#[tokio::test]
async fn compressed_answers_are_read_and_left_alone_if_told() {
    let act = || Act::reply(200).header("content-encoding", "gzip").body(GZIP);
    let server = server([act()]).await;
    let client = Client::builder(&server.uri("")).build().expect("a valid client");
    assert_eq!(client.get("/").fetch_one::<Value>().await.expect("JSON"), json!({"name": "alice"}));
    let client = Client::builder(&server.uri("")).no_decompression().build().expect("a valid client");
    let reply = client.get("/").send().await.expect("an answer").bytes().await.expect("a body");
    assert_eq!(reply.body(), GZIP);
    assert!(server.log().requests()[1].headers.get("accept-encoding").is_none());
}

#[tokio::test]
async fn redirects_are_followed_without_credentials_to_another_origin() {
    let other = server([Act::reply(200).body("7")]).await;
    let location = other.uri("/there");
    let first =
        server([Act::reply(307).header("location", "/on"), Act::reply(307).header("location", &location)])
            .await;
    let client = Client::builder(&first.uri(""))
        .default_header("x-api-key", "s3cret")
        .build()
        .expect("a valid client");
    let reply =
        client.post("/start").header("authorization", "Bearer s3cret").json(&1).fetch_one::<u32>().await;
    assert_eq!(reply.expect("the last answer"), 7);
    let seen = first.log().requests();
    assert_eq!((seen[1].path.as_str(), seen[1].body.as_slice()), ("/on", &b"1"[..]));
    assert_eq!(seen[1].headers["x-api-key"], "s3cret");
    let there = &other.log().requests()[0];
    assert_eq!((there.method.as_str(), there.body.as_slice()), ("POST", &b"1"[..]));
    assert!(!format!("{:?}", there.headers).contains("s3cret"), "{:?}", there.headers);

    let none = Client::builder(&first.uri("")).redirects(0).build().expect("a valid client");
    assert_eq!(none.get("/").send().await.expect_err("not 2xx").status().expect("an answer").as_u16(), 307);
}

#[tokio::test]
async fn what_goes_wrong_is_told_apart() {
    let hangs = server([Act::hang()]).await;
    let client = Client::builder(&hangs.uri(""))
        .attempt_timeout(AttemptTimeoutLayer::new(Duration::from_millis(30)))
        .retry(RetryLayer::disabled())
        .build()
        .expect("a valid client");
    let error = client.get("/").send().await.expect_err("a time-out");
    assert!(error.is_timeout() && !error.is_connect(), "{error}");
    assert_eq!(error.as_status().map(|status| status.as_u16()), Some(408));

    let client =
        Client::builder(&hangs.uri("")).deadline(DeadlineLayer::new(Duration::from_millis(30))).build();
    assert!(client.expect("a valid client").get("/").send().await.expect_err("a time-out").is_timeout());

    let gone = hangs.uri("");
    drop(hangs);
    let client = Client::builder(&gone).retry(soon()).build().expect("a valid client");
    let error = client.get("/").send().await.expect_err("nobody listens");
    assert!(error.is_connect() && !error.is_timeout() && !error.is_refused(), "{error}");
    assert!(error.to_string().starts_with(&format!("GET {gone}/: ")), "{error}");
    assert!(error.to_string().contains(": Connection refused"), "the last source: {error}");

    let broken = server([Act::reset_mid_body(3).body("hello")]).await;
    let client = Client::builder(&broken.uri("")).build().expect("a valid client");
    let error = client.get("/").send().await.expect("a head").text().await.expect_err("a broken body");
    assert!(error.is_body(), "{error}");
}

type Log = Arc<Mutex<Vec<&'static str>>>;

fn add(log: &Log, what: &'static str) {
    log.lock().expect("no test panicked").push(what);
}

/// Notes each request, response and error under a name.
macro_rules! noting {
    ($log:expr, $name:literal) => {
        InterceptLayer::new()
            .on_request_with($log.clone(), async |log, request| {
                add(&log, concat!($name, " request"));
                Ok(request)
            })
            .on_response_with($log.clone(), async |log, response| {
                add(&log, concat!($name, " response"));
                Ok(response)
            })
            .on_error_with($log.clone(), async |log, error| {
                add(&log, concat!($name, " error"));
                Err(error)
            })
    };
}

#[tokio::test]
async fn interceptors_run_once_a_call_and_once_an_attempt_each_around_the_later_ones() {
    let server = server([Act::reply(503), Act::reset(), Act::reply(200)]).await;
    let log = Log::default();
    let client = Client::builder(&server.uri(""))
        .retry(soon())
        .intercept(noting!(log, "outer call"))
        .intercept(noting!(log, "inner call"))
        .intercept_attempts(noting!(log, "outer attempt"))
        .intercept_attempts(noting!(log, "inner attempt"))
        .build()
        .expect("a valid client");
    client.get("a").send().await.expect("the third attempt");
    assert_eq!(
        *log.lock().expect("no test panicked"),
        [
            "outer call request",
            "inner call request",
            "outer attempt request",
            "inner attempt request",
            "inner attempt response",
            "outer attempt response",
            "outer attempt request",
            "inner attempt request",
            "inner attempt error",
            "outer attempt error",
            "outer attempt request",
            "inner attempt request",
            "inner attempt response",
            "outer attempt response",
            "inner call response",
            "outer call response",
        ]
    );
}

#[tokio::test]
async fn an_interceptor_sees_the_joined_url_and_may_answer_or_refuse() {
    let server = server([Act::reply(500)]).await;
    let here = server.uri("/v1");
    let client = Client::builder(&here)
        .default_header("x-a", "default")
        .intercept(InterceptLayer::new().on_request_with(here.clone(), async |here, request| {
            let is = |target: &str| *request.uri() == format!("{here}/{target}")[..];
            if is("ping") {
                let default = request.headers()["x-a"].to_str()?;
                return Ok(Next::Answer(Response::new(BoxedBody::from(format!("pong {default}")))));
            }
            if is("empty") {
                return Ok(Next::Answer(Response::new(BoxedBody::empty())));
            }
            Err(Refused::request("nothing else is allowed", None).into())
        }))
        .build()
        .expect("a valid client");
    let reply = client.get("ping").send().await.expect("an answer").text().await.expect("text");
    assert_eq!(reply.body(), "pong default");
    assert_eq!(client.get("empty").fetch::<Value>().await.expect("an answer"), None);
    let error = client.get("users").send().await.expect_err("refused");
    assert!(error.is_refused(), "{error}");
    assert_eq!(
        error.to_string(),
        format!(
            "GET {here}/users: an interceptor refused the request: nothing else is allowed: nothing was sent"
        )
    );
    assert_eq!(server.log().requests().len(), 0);
}

#[tokio::test]
async fn what_an_interceptor_of_the_call_puts_on_stays_behind_at_another_origin() {
    let other = server([Act::reply(200)]).await;
    let location = other.uri("/there");
    let first = server([Act::reply(307).header("location", &location)]).await;
    let mark = |name: &'static str| {
        InterceptLayer::new().on_request_with(name, async |name, mut request| {
            request.headers_mut().insert(name, "s3cret".parse()?);
            Ok(request)
        })
    };
    let client = Client::builder(&first.uri(""))
        .intercept(mark("x-call"))
        .intercept_attempts(mark("x-attempt"))
        .build()
        .expect("a valid client");
    client.get("/").send().await.expect("an answer");
    let (here, there) = (&first.log().requests()[0].headers, &other.log().requests()[0].headers);
    assert!(here.contains_key("x-call") && here.contains_key("x-attempt"));
    assert!(!there.contains_key("x-call"), "a redirect took it along");
    assert!(there.contains_key("x-attempt"), "each attempt is intercepted, as the docs say");
}

#[tokio::test]
async fn http_2_with_prior_knowledge() {
    let server = Server::h2(Act::reply(200).body("7")).await.expect("a loopback port");
    let client = Client::builder(&server.uri("")).http2_only().build().expect("a valid client");
    assert_eq!(client.get("/a").fetch_one::<u32>().await.expect("an answer"), 7);
    let client = Client::builder(&server.uri("")).http1_only().retry(RetryLayer::disabled()).build();
    assert!(
        client.expect("a valid client").get("/a").send().await.is_err(),
        "the server speaks HTTP/2 alone"
    );
}

#[tokio::test]
async fn through_a_proxy_http_has_absolute_targets_and_https_a_tunnel() {
    let proxy = server([Act::reply(200).body("7"), Act::reply(407)]).await;
    let through =
        |base: &str| Client::builder(base).proxy(&proxy.uri("")).retry(RetryLayer::disabled()).build();
    let client = through("http://api.example.com/v1").expect("a valid client");
    assert_eq!(client.get("users?x=1").fetch_one::<u32>().await.expect("the proxy answers"), 7);
    let client = through("https://api.example.com/v1").expect("a valid client");
    let error = client.get("users").send().await.expect_err("the proxy refuses the tunnel");
    assert!(error.is_connect(), "{error}");
    let seen = proxy.log().requests();
    assert_eq!(
        (seen[0].method.as_str(), seen[0].headers["host"].to_str().ok()),
        ("GET", Some("api.example.com"))
    );
    assert_eq!(seen[0].path, "/v1/users?x=1");
    assert_eq!((seen[1].method.as_str(), seen[1].path.as_str()), ("CONNECT", "api.example.com:443"));
    for url in [
        "proxy.example.com:3128",
        "https://proxy.example.com",
        "http://me:s3cret@proxy.example.com",
        "http://p/x",
    ] {
        let error = Client::builder("http://a.example").proxy(url).build().expect_err("no proxy");
        assert!(error.to_string().contains("http://proxy.example.com:3128"), "{error}");
        assert!(!error.to_string().contains("s3cret"));
    }
}

#[test]
fn what_cannot_be_built_is_told() {
    for (url, header, expected) in [
        ("api.example.com", "1", "api.example.com"),
        ("https://api.example.com/?key=s3cret", "1", "query"),
        ("https://api.example.com", "line\nbreak", "x-a"),
    ] {
        let error = Client::builder(url).default_header("x-a", header).build().expect_err("invalid");
        assert!(error.to_string().contains(expected) && !error.to_string().contains("s3cret"), "{error}");
    }
}

#[test]
fn a_root_certificate_that_is_none_is_told_with_the_fix() {
    let wrapped = |what: &str| format!("-----BEGIN CERTIFICATE-----\n{what}\n-----END CERTIFICATE-----\n");
    for (pem, has_source) in [
        (String::new(), false),
        ("0\u{82}\u{1}".to_owned(), false),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned(), false),
        (wrapped("not base64!"), true),
        (wrapped("AAAA"), true),
    ] {
        let builder = Client::builder("https://api.example.com").root_certificate_pem(pem.clone());
        let error = builder.build().expect_err("invalid");
        assert!(error.to_string().contains("`-----BEGIN CERTIFICATE-----`"), "{pem}: {error}");
        assert_eq!(std::error::Error::source(&error).is_some(), has_source, "{pem}: {error:?}");
    }
}

#[test]
fn debug_keeps_what_headers_hold() {
    let builder = Client::builder("https://api.example.com").default_header("x-api-key", "s3cret");
    assert!(!format!("{builder:?} {:?}", builder.clone().build()).contains("s3cret"));
}

#[tokio::test]
async fn a_body_that_stands_still_is_an_error_streamed_or_read() {
    let stands_still = || Act::reply(200).body("hello").slow_body(2, Duration::from_secs(60));
    let server = server([stands_still(), stands_still(), stands_still()]).await;
    let builder = || Client::builder(&server.uri("/")).retry(RetryLayer::disabled());

    let guarded = builder().body_timeout(BodyTimeoutLayer::new(Duration::from_millis(50))).build();
    let guarded = guarded.expect("a valid client");
    let streamed = guarded.get("a").send().await.expect("the head is there").into_body();
    let error = streamed.collect().await.expect_err("the rest is not");
    assert!(find_source::<BodyStalled>(&*error).is_some(), "{error}");
    let error = guarded.get("a").fetch::<Value>().await.expect_err("likewise");
    assert!(error.is_timeout() && error.is_body(), "{error}");

    let client =
        builder().deadline(DeadlineLayer::new(Duration::from_millis(200))).build().expect("a valid client");
    let error = client.get("a").fetch::<Value>().await.expect_err("a body that is read is part of the call");
    assert!(error.is_timeout() && find_source::<DeadlineExceeded>(&error).is_some(), "{error}");
}

#[tokio::test]
async fn a_post_is_sent_again_with_the_key_that_the_client_gives_it() {
    for gives_keys in [true, false] {
        let server = server([Act::reset(), Act::reply(201)]).await;
        let builder = Client::builder(&server.uri("/")).retry(soon());
        let builder = if gives_keys { builder.idempotency_keys() } else { builder };
        let result =
            builder.build().expect("a valid client").post("payments").json(&json!({"cents": 1})).send().await;
        assert_eq!(result.is_ok(), gives_keys);
        let seen = server.log().requests();
        let keys: Vec<_> = seen.iter().map(|request| request.headers.get("idempotency-key")).collect();
        match keys[..] {
            [Some(first), Some(second)] => assert!(gives_keys && first == second),
            _ => assert!(!gives_keys && keys == [None]),
        }
    }
}
