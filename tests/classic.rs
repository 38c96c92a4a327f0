//! What the client does that everyone writes by hand, in one place: base URL, default headers, interceptors, a time-out,
//! errors with status and text, verbs with JSON. Once as layers that are composed by hand, and once as the client of one line over
//! a socket.

#![allow(missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_client::intercept::InterceptLayer;
use bartizan_client::{BaseUrl, BaseUrlLayer, BoxClient, Client, DefaultHeadersLayer};
use bartizan_core::{BoxError, Header};
use bartizan_retry::RetryLayer;
use bartizan_test::server::{Act, Seen, Server};
use bartizan_timeout::AttemptTimeoutLayer;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tower::{ServiceBuilder, service_fn};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: &str) {
        self.0.lock().expect("no test panicked").push(what.to_owned());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no test panicked"))
    }
}

/// `/slow` takes a minute, `/missing` is 404, `/nothing` is 204; all else tells what was asked for.
async fn upstream(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, BoxError> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let response = Response::builder();
    Ok(match head.uri.path() {
        "/v1/slow" => {
            sleep(Duration::from_secs(60)).await;
            response.body(Full::default())?
        }
        "/v1/missing" => response.status(404).body(Full::from("no such user"))?,
        "/v1/nothing" => response.status(204).body(Full::default())?,
        _ => {
            let body: Value = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
            let seen = json!({
                "method": head.method.as_str(),
                "url": head.uri.to_string(),
                "body": body,
                "headers": fields(&head.headers),
            });
            response.body(Full::from(seen.to_string()))?
        }
    })
}

fn fields(headers: &HeaderMap) -> Value {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), Value::from(String::from_utf8_lossy(value.as_bytes())))
    };
    headers.iter().map(text).collect()
}

fn client(log: &Log) -> Result<BoxClient, BoxError> {
    let stack = ServiceBuilder::new()
        .layer(BaseUrlLayer::new(BaseUrl::new("https://api.x/v1")?))
        .layer(DefaultHeadersLayer::new().if_absent(Header::new("x-a", "default")?).content_type_json())
        .layer(
            InterceptLayer::new()
                .on_request_with(log.clone(), async |log, mut request| {
                    sleep(Duration::from_millis(5)).await;
                    log.note("first, awaited");
                    request.headers_mut().insert("x-signed", "yes".parse()?);
                    Ok(request)
                })
                .on_request_with(log.clone(), async |log, request| {
                    log.note("second");
                    Ok(request)
                })
                .on_response_with(log.clone(), async |log, response| {
                    log.note("response");
                    Ok(response)
                }),
        )
        .layer(AttemptTimeoutLayer::new(Duration::from_secs(30)))
        .service(service_fn(upstream));
    Ok(Client::new(stack).boxed())
}

#[tokio::test(start_paused = true)]
async fn verbs_join_the_base_url_and_merge_headers_under_the_requests_own() -> Result<(), BoxError> {
    let (log, body) = (Log::default(), json!({"name": "alice"}));
    let client = client(&log)?;
    for (method, target, own, expected_url, expected_a) in [
        (Method::GET, "users", None, "https://api.x/v1/users", "default"),
        (Method::POST, "/users", Some("own"), "https://api.x/v1/users", "own"),
        (Method::PUT, "/users/1", None, "https://api.x/v1/users/1", "default"),
        (Method::PATCH, "users/1?full=1", Some("own"), "https://api.x/v1/users/1?full=1", "own"),
        (Method::DELETE, "users/1", None, "https://api.x/v1/users/1", "default"),
    ] {
        let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(&method);
        let mut request = client.request(method.clone(), target);
        if let Some(own) = own {
            request = request.header("x-a", own);
        }
        if has_body {
            request = request.json(&body);
        }
        let seen: Value = request.fetch_one().await?;
        assert_eq!((&seen["method"], &seen["url"]), (&method.as_str().into(), &expected_url.into()));
        assert_eq!(
            (&seen["headers"]["x-a"], &seen["headers"]["x-signed"]),
            (&expected_a.into(), &"yes".into())
        );
        assert_eq!(seen["body"], if has_body { body.clone() } else { Value::Null });
        let content_type = if has_body { "application/json".into() } else { Value::Null };
        assert_eq!(seen["headers"]["content-type"], content_type, "only when there is a body");
        assert_eq!(log.take(), ["first, awaited", "second", "response"]);
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn after_thirty_seconds_the_call_is_a_time_out_of_kind_408() -> Result<(), BoxError> {
    let start = Instant::now();
    let error = client(&Log::default())?.get("slow").send().await.expect_err("a time-out");
    assert_eq!(start.elapsed().as_secs(), 30);
    assert!(error.is_timeout());
    assert_eq!(error.as_status().map(|status| status.as_u16()), Some(408));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn not_ok_is_an_error_with_status_and_text_and_no_content_is_nothing() -> Result<(), BoxError> {
    let client = client(&Log::default())?;
    let error = client.get("missing").fetch::<Value>().await.expect_err("404");
    assert_eq!(
        (error.status().map(|status| status.as_u16()), error.body_text()),
        (Some(404), Some("no such user"))
    );
    assert_eq!(error.to_string(), "GET https://api.x/v1/missing: 404 Not Found: no such user");
    assert_eq!(client.delete("nothing").fetch::<Value>().await?, None);
    Ok(())
}

/// One call through the client of one line, what was sent, and what came of it.
struct Case {
    call: (Method, &'static str),
    own: Option<&'static str>,
    body: Option<Value>,
    sent: (&'static str, &'static str),
    noted: [&'static str; 3],
    outcome: Result<Option<Value>, (u16, &'static str)>,
}

fn cases() -> [Case; 8] {
    let (passed, failed) = (["first, awaited", "second", "response"], ["first, awaited", "second", "error"]);
    let alice = || Some(json!({"name": "alice"}));
    let case = |method, target, sent, own| Case {
        call: (method, target),
        own,
        body: None,
        sent: (sent, own.unwrap_or("default")),
        noted: passed,
        outcome: Ok(alice()),
    };
    [
        case(Method::GET, "users/1", "/v1/users/1", None),
        case(Method::GET, "/users/1?full=1", "/v1/users/1?full=1", Some("own")),
        Case { body: alice(), ..case(Method::POST, "users", "/v1/users", None) },
        Case { body: alice(), ..case(Method::PUT, "users/1", "/v1/users/1", Some("own")) },
        Case { body: alice(), ..case(Method::PATCH, "users/1", "/v1/users/1", None) },
        Case { outcome: Ok(None), ..case(Method::DELETE, "nothing", "/v1/nothing", None) },
        Case { outcome: Err((404, "no such user")), ..case(Method::GET, "missing", "/v1/missing", None) },
        Case { outcome: Err((408, "")), noted: failed, ..case(Method::GET, "slow", "/v1/slow", Some("own")) },
    ]
}

#[tokio::test]
async fn the_client_of_one_line_does_all_of_it_over_a_socket() -> Result<(), BoxError> {
    let server = Server::h1(|seen: &Seen| match seen.path.as_str() {
        "/v1/slow" => Act::hang(),
        "/v1/missing" => Act::reply(404).body("no such user"),
        "/v1/nothing" => Act::reply(204),
        _ => Act::reply(200).body(r#"{"name":"alice"}"#),
    })
    .await?;
    let log = Log::default();
    let client = bartizan::Client::builder(&server.uri("/v1"))
        .default_header("x-a", "default")
        .attempt_timeout(AttemptTimeoutLayer::new(Duration::from_millis(300)))
        .retry(RetryLayer::disabled())
        .intercept(
            InterceptLayer::new()
                .on_request_with(log.clone(), async |log, mut request| {
                    tokio::task::yield_now().await;
                    log.note("first, awaited");
                    request.headers_mut().insert("x-signed", "yes".parse()?);
                    Ok(request)
                })
                .on_request_with(log.clone(), async |log, request| {
                    log.note("second");
                    Ok(request)
                })
                .on_response_with(log.clone(), async |log, response| {
                    log.note("response");
                    Ok(response)
                })
                .on_error_with(log.clone(), async |log, error| {
                    log.note("error");
                    Err(error)
                }),
        )
        .build()?;
    for Case { call: (method, target), own, body, sent: (path, x_a), noted, outcome } in cases() {
        let mut request = client.request(method.clone(), target);
        if let Some(own) = own {
            request = request.header("x-a", own);
        }
        if let Some(body) = &body {
            request = request.json(body);
        }
        let result = request.fetch::<Value>().await;

        let seen = server.log().requests().pop().expect("it was sent");
        assert_eq!((seen.method.as_str(), seen.path.as_str()), (method.as_str(), path));
        assert_eq!((&seen.headers["x-a"], &seen.headers["x-signed"]), (&x_a.parse()?, &"yes".parse()?));
        let json = body.as_ref().map(|_| "application/json".parse()).transpose()?;
        assert_eq!(seen.headers.get("content-type"), json.as_ref(), "only when there is a body");
        assert_eq!(seen.body, body.map(|body| body.to_string()).unwrap_or_default().as_bytes());
        assert_eq!(log.take(), noted);
        match (result, outcome) {
            (Ok(answer), Ok(expected)) => assert_eq!(answer, expected),
            (Err(error), Err((status, text))) => {
                assert_eq!(error.as_status().map(|status| status.as_u16()), Some(status));
                assert_eq!(error.body_text().unwrap_or_default(), text);
                assert_eq!(error.is_timeout(), status == 408);
                assert_eq!(error.url(), server.uri(path));
            }
            (result, _) => panic!("{method} {target}: {result:?}"),
        }
    }
    Ok(())
}
