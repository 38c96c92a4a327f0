//! What the client does that everyone writes by hand, in one place: base URL, default headers, interceptors, a time-out,
//! errors with status and text, verbs with JSON.

#![allow(missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_client::intercept::InterceptLayer;
use bartizan_client::{BaseUrl, BaseUrlLayer, BoxClient, Client, DefaultHeadersLayer};
use bartizan_core::{BoxError, Header};
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
    let (before, after, last) = (log.clone(), log.clone(), log.clone());
    let stack = ServiceBuilder::new()
        .layer(BaseUrlLayer::new(BaseUrl::new("https://api.x/v1")?))
        .layer(DefaultHeadersLayer::new().if_absent(Header::new("x-a", "default")?).content_type_json())
        .layer(
            InterceptLayer::new()
                .on_request(move |mut request: Request<_>| {
                    let log = before.clone();
                    async move {
                        sleep(Duration::from_millis(5)).await;
                        log.note("first, awaited");
                        request.headers_mut().insert("x-signed", "yes".parse()?);
                        Ok(request)
                    }
                })
                .on_request(move |request| {
                    after.note("second");
                    async { Ok(request) }
                })
                .on_response(move |response| {
                    last.note("response");
                    async { Ok(response) }
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
