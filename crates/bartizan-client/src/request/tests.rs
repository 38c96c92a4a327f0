use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};

use bartizan_core::{Attempts, Rejection, RetryOverride, find_source};
use bartizan_test::bodies::{self, Step};
use bartizan_timeout::{
    AttemptTimedOut, AttemptTimeoutLayer, BodyTimeoutLayer, DeadlineExceeded, MinThroughput,
};
use http_body_util::BodyExt;
use serde::Deserialize;
use tower::service_fn;

use super::*;
use crate::asked::Joined;
use crate::chained::chained;
use crate::{BoxClient, Client};

const SECOND: Duration = Duration::from_secs(1);

type Seen = Arc<Mutex<Vec<Request<Bytes>>>>;

/// What [`upstream`] makes: the client's service, not boxed.
trait Upstream<R>:
    Service<Request<Full<Bytes>>, Response = Response<R>, Error = BoxError, Future: Send> + Clone + Send + Sync
{
}

impl<R, S> Upstream<R> for S where
    S: Service<Request<Full<Bytes>>, Response = Response<R>, Error = BoxError, Future: Send>
        + Clone
        + Send
        + Sync
{
}

/// Gives each call what `answer` returns, and keeps the requests.
fn upstream<R: Send + 'static>(
    answer: impl Fn() -> Response<R> + Clone + Send + Sync + 'static,
) -> (Client<impl Upstream<R>>, Seen) {
    let seen = Seen::default();
    let kept = seen.clone();
    let service = service_fn(move |request: Request<Full<Bytes>>| {
        let (kept, answer) = (kept.clone(), answer.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            kept.lock().unwrap().push(Request::from_parts(head, body));
            Ok(answer())
        }
    });
    (Client::new(service), seen)
}

fn json(status: u16, text: &'static str) -> impl Fn() -> Response<Full<Bytes>> + Clone {
    move || Response::builder().status(status).body(Full::from(text)).unwrap()
}

#[derive(Debug, Deserialize, PartialEq)]
struct User {
    name: String,
    roles: Vec<String>,
}

#[tokio::test]
async fn verbs_with_json_in_and_out() {
    let (client, seen) = upstream(json(200, r#"{"name":"alice","roles":["admin"]}"#));
    let body = serde_json::json!({"name": "alice"});
    let alice = User { name: "alice".into(), roles: vec!["admin".into()] };
    assert_eq!(client.get("/users/1").fetch().await.unwrap(), Some(alice));
    for request in [
        client.post("/users").json(&body),
        client.put("/users/1").json(&body),
        client.patch("/users/1").json(&body),
        client.delete("/users/1"),
        client.head("/users/1"),
    ] {
        request.send().await.unwrap();
    }
    let seen = seen.lock().unwrap();
    let lines: Vec<String> = seen
        .iter()
        .map(|request| {
            let media_type = request.headers().get(CONTENT_TYPE).map_or("-", |value| value.to_str().unwrap());
            let body = String::from_utf8_lossy(request.body());
            format!("{} {} {media_type} {body}", request.method(), request.uri())
        })
        .collect();
    assert_eq!(
        lines,
        [
            "GET /users/1 - ",
            r#"POST /users application/json {"name":"alice"}"#,
            r#"PUT /users/1 application/json {"name":"alice"}"#,
            r#"PATCH /users/1 application/json {"name":"alice"}"#,
            "DELETE /users/1 - ",
            "HEAD /users/1 - ",
        ]
    );
    assert_eq!(seen[0].headers()[ACCEPT], "application/json");
    assert!(seen[1].headers().get(ACCEPT).is_none(), "nobody asked to read JSON");
}

#[tokio::test]
async fn targets_queries_and_forms() {
    let (client, seen) = upstream(json(200, ""));
    for (target, expected) in [
        ("users", "/users"),
        ("/users", "/users"),
        ("", "/"),
        ("users/a:b", "/users/a:b"),
        ("search?u=http://x", "/search?u=http://x"),
        ("https://api.example.com/v1", "https://api.example.com/v1"),
        ("*", "*"),
    ] {
        client.get(target).send().await.unwrap();
        assert_eq!(seen.lock().unwrap().pop().unwrap().uri().to_string(), expected, "{target}");
    }
    client.get("/a?x=1").query(&[("q", "a b&c"), ("y", "ü")]).query(&[("z", 2)]).send().await.unwrap();
    assert_eq!(seen.lock().unwrap().pop().unwrap().uri().to_string(), "/a?x=1&q=a+b%26c&y=%C3%BC&z=2");
    client.get("http://a.example").query(&[("q", "1")]).send().await.unwrap();
    assert_eq!(seen.lock().unwrap().pop().unwrap().uri().to_string(), "http://a.example/?q=1");
    let nothing: [(&str, &str); 0] = [];
    client.get("/a").query(&nothing).send().await.unwrap();
    assert_eq!(seen.lock().unwrap().pop().unwrap().uri().to_string(), "/a");
    client.post("/a").form(&[("q", "a b")]).send().await.unwrap();
    let form = seen.lock().unwrap().pop().unwrap();
    assert_eq!(form.headers()[CONTENT_TYPE], "application/x-www-form-urlencoded");
    assert_eq!(form.body(), "q=a+b");
}

#[tokio::test]
async fn the_callers_headers_stand() {
    let (client, seen) = upstream(json(200, "{}"));
    let mut more = HeaderMap::new();
    more.append("x-a", HeaderValue::from_static("2"));
    more.append("x-a", HeaderValue::from_static("3"));
    client
        .post("/a")
        .header("content-type", "application/vnd.api+json")
        .header("accept", "text/plain")
        .header("x-a", "1")
        .headers(more)
        .json(&1)
        .fetch::<serde_json::Value>()
        .await
        .unwrap();
    let request = seen.lock().unwrap().pop().unwrap();
    assert_eq!(request.headers()[CONTENT_TYPE], "application/vnd.api+json");
    assert_eq!(request.headers()[ACCEPT], "text/plain");
    assert_eq!(request.headers().get_all("x-a").iter().collect::<Vec<_>>(), ["2", "3"]);
}

#[tokio::test]
async fn a_default_accept_comes_before_what_fetch_asks_for() {
    let (client, seen) = upstream(json(200, "7"));
    let github = Header::new("accept", "application/vnd.github+json").unwrap();
    let defaults = crate::DefaultHeadersLayer::new().if_absent(github);
    let client = Client::new(defaults.layer(client.into_inner()));
    client.get("/a").fetch_one::<u32>().await.unwrap();
    client.get("/a").header("accept", "application/json").fetch_one::<u32>().await.unwrap();
    let accepts: Vec<_> =
        seen.lock().unwrap().iter().map(|request| request.headers()[ACCEPT].clone()).collect();
    assert_eq!(accepts, ["application/vnd.github+json", "application/json"], "the caller's own stands");
}

#[tokio::test]
async fn what_cannot_be_built_is_told_and_not_sent() {
    let (client, seen) = upstream(json(200, ""));
    let map = std::collections::HashMap::from([((1, 2), 3)]);
    let table = [
        (client.get("/a").header("x-a", "line\nbreak").header("b b", "c"), "header `x-a` has the byte 0x0a"),
        (client.get("http://[::1"), "invalid"),
        (client.get("/a b"), "invalid uri character"),
        (client.get("/a#b"), "a fragment"),
        (client.post("/a").json(&map), "key must be a string"),
        (client.get("/a").query(&7), "top-level"),
    ];
    for (request, expected) in table {
        let error = request.send().await.unwrap_err();
        assert!(error.is_request() && error.to_string().contains(expected), "{error}");
        assert!(error.as_status().is_none() && !error.is_timeout() && !error.is_refused());
    }
    assert_eq!(seen.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn an_answer_that_is_not_2xx_is_an_error_with_all_it_said() {
    for status in [300, 304, 400, 404, 409, 500, 503] {
        let (client, _) = upstream(move || {
            Response::builder().status(status).header("x-id", "7").body(Full::from("no\nsuch user")).unwrap()
        });
        let error = client.get("http://me:pw@a.example/users?key=s3cret").send().await.unwrap_err();
        assert_eq!(error.status().unwrap(), status);
        assert_eq!(error.as_status(), error.status());
        assert_eq!(error.headers().unwrap()["x-id"], "7");
        assert_eq!(error.body_text(), Some("no\nsuch user"));
        assert_eq!(error.problem(), None);
        assert_eq!((error.method(), error.url()), (&Method::GET, "http://a.example/users?key=.."));
        let text = format!("{error} {error:?}");
        assert!(text.contains("no\\nsuch user"), "{text}");
        assert!(!text.contains("s3cret") && !text.contains("pw"), "{text}");
    }
}

#[tokio::test]
async fn the_json_of_an_error_is_at_hand_and_shown_as_it_is() {
    let (client, _) = upstream(json(422, r#"{"message":"Validation \u0007 Failed"}"#));
    let error = client.post("/a").send().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"POST /a: 422 Unprocessable Entity: {"message":"Validation \u0007 Failed"}"#
    );
    let body: serde_json::Value = error.body_json().unwrap();
    assert_eq!(body["message"], "Validation \u{7} Failed");
    assert_eq!(error.body_json::<Vec<u32>>(), None);
}

#[tokio::test]
async fn problem_details_are_read_and_shown() {
    let body = r#"{"title":"Out of credit","detail":"30, but 50 needed","balance":30}"#;
    for (media_type, is_problem) in [
        ("application/problem+json", true),
        ("Application/Problem+JSON; charset=utf-8", true),
        ("application/json", false),
    ] {
        let (client, _) = upstream(move || {
            Response::builder().status(403).header(CONTENT_TYPE, media_type).body(Full::from(body)).unwrap()
        });
        let error = client.get("/a").send().await.unwrap_err();
        assert_eq!(error.problem().is_some(), is_problem, "{media_type}");
        if is_problem {
            assert_eq!(error.problem().unwrap().member("balance"), Some(&30.into()));
            assert_eq!(error.to_string(), "GET /a: 403 Forbidden: 30, but 50 needed");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_text_of_an_error_is_bounded_in_size_and_time() {
    let (client, _) =
        upstream(|| Response::builder().status(500).body(bodies::Body::endless("x".repeat(1000))).unwrap());
    let error = client.get("/a").send().await.unwrap_err();
    assert_eq!(error.body_text().unwrap().len(), 64 * 1024);
    assert!(error.to_string().len() < 300);

    let (client, _) = upstream(|| {
        let body =
            bodies::Body::frames([Step::data("so far"), Step::Wait(3600 * SECOND), Step::data("never")]);
        Response::builder().status(500).body(body).unwrap()
    });
    let error = client.get("/a").send().await.unwrap_err();
    assert_eq!(error.body_text(), Some("so far"));

    let (client, _) = upstream(|| {
        Response::builder()
            .status(500)
            .body(bodies::Body::frames([Step::data("so far"), Step::Error]))
            .unwrap()
    });
    let error = client.get("/a").send().await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.body_text()), (500, Some("so far")));
}

#[tokio::test]
async fn no_body_is_none_and_only_an_error_where_one_must_be() {
    for status in [200, 204] {
        let (client, _) = upstream(json(status, ""));
        assert_eq!(client.get("/a").fetch::<User>().await.unwrap(), None);
        let error = client.get("/a").fetch_one::<User>().await.unwrap_err();
        assert!(error.is_decode() && error.to_string().contains("without a body"), "{error}");
    }
}

#[tokio::test]
async fn json_that_does_not_fit_names_the_place() {
    for (text, place) in [
        (r#"{"name":"a","roles":["x",7]}"#, "roles[1]: invalid type: integer `7`"),
        (r#"{"name":"a"}"#, "missing field `roles`"),
        (r#"{"name":"a","roles":[]"#, "EOF"),
        (r#"{"name":"a","roles":[]} x"#, "trailing characters"),
        ("<html>", "expected value"),
    ] {
        let (client, _) = upstream(json(200, text));
        let error = client.get("/a").fetch::<User>().await.unwrap_err();
        assert!(error.is_decode() && error.to_string().contains(place), "{error}");
        assert_eq!(error.status(), None);
    }
}

#[tokio::test]
async fn bodies_are_read_whole_up_to_the_limit_and_streamed_without_one() {
    let frames = || Response::new(bodies::Body::frames(["ab", "", "cd", "ef"].map(Step::data)));
    let (client, _) = upstream(frames);
    assert_eq!(client.get("/a").send().await.unwrap().text().await.unwrap().body(), "abcdef");
    let client = client.body_limit(6);
    assert_eq!(client.get("/a").send().await.unwrap().bytes().await.unwrap().into_body(), "abcdef");
    let client = client.body_limit(5);
    let error = client.get("/a").send().await.unwrap().bytes().await.unwrap_err();
    assert!(error.is_body() && error.to_string().contains("more than 5 bytes"), "{error}");
    let streamed = client.get("/a").send().await.unwrap().into_body();
    assert_eq!(streamed.collect().await.unwrap().to_bytes(), "abcdef");
}

#[tokio::test]
async fn a_length_beyond_the_limit_is_refused_before_it_is_read() {
    let probe = Arc::new(Mutex::new(None));
    let kept = probe.clone();
    let (client, _) = upstream(move || {
        let body = bodies::Body::frames([Step::data("abcdef")]);
        *kept.lock().unwrap() = Some(body.probe());
        Response::new(body)
    });
    let error = client.body_limit(5).get("/a").send().await.unwrap().bytes().await.unwrap_err();
    assert!(error.is_body());
    assert_eq!(probe.lock().unwrap().as_ref().unwrap().polls(), 0);
}

#[tokio::test]
async fn text_that_is_no_utf_8_and_a_body_that_breaks_off_are_told_apart() {
    let (client, _) = upstream(|| Response::new(Full::from(&b"\xff"[..])));
    assert!(client.get("/a").send().await.unwrap().text().await.unwrap_err().is_decode());
    let (client, _) = upstream(|| Response::new(bodies::Body::frames([Step::data("a"), Step::Error])));
    let error = client.get("/a").send().await.unwrap().text().await.unwrap_err();
    assert!(error.is_body() && !error.is_decode(), "{error}");
}

fn hangs()
-> impl Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = BoxError, Future: Send> + Clone
{
    service_fn(|_| std::future::pending())
}

#[tokio::test(start_paused = true)]
async fn time_outs_are_told_apart_and_amount_to_408() {
    let client = Client::new(AttemptTimeoutLayer::new(30 * SECOND).layer(hangs()));
    let error = client.get("http://a.example/").send().await.unwrap_err();
    assert!(error.is_timeout() && find_source::<AttemptTimedOut>(&error).is_some());
    assert_eq!(error.as_status(), Some(http::StatusCode::REQUEST_TIMEOUT));
    assert_eq!(error.status(), None, "nobody answered");
    assert_eq!(
        error.to_string(),
        "GET http://a.example/: attempt at a.example timed out after 30s (limit 30s)"
    );

    let error = Client::new(hangs()).get("/").timeout(2 * SECOND).send().await.unwrap_err();
    assert!(error.is_timeout() && !error.is_refused());
    assert_eq!(find_source::<DeadlineExceeded>(&error).unwrap().elapsed(), 2 * SECOND);

    let (client, _) = upstream(json(408, ""));
    assert!(client.get("/").send().await.unwrap_err().is_timeout());
    let (client, _) = upstream(json(504, ""));
    assert!(!client.get("/").send().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn a_refusal_says_until_when() {
    let refusing = service_fn(|_: Request<Full<Bytes>>| async {
        Err::<Response<Full<Bytes>>, BoxError>(Rejection::new(Some(3 * SECOND)).into())
    });
    let error = Client::new(refusing).get("/a").send().await.unwrap_err();
    assert!(error.is_refused() && !error.is_timeout());
    assert_eq!(error.retry_in(), Some(3 * SECOND));
    assert_eq!(error.as_status(), Some(http::StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(error.to_string(), "GET /a: nothing was sent; may be tried again in 3s");
}

#[tokio::test]
async fn one_call_may_be_different() {
    let (client, seen) = upstream(json(200, ""));
    let three = NonZeroU32::new(3).unwrap();
    client.post("/a").no_retry().max_attempts(three).safe_to_repeat().extension("mine").send().await.unwrap();
    let request = seen.lock().unwrap().pop().unwrap();
    let retry = CallContext::of(request.extensions()).unwrap().retry();
    assert!(retry.off && retry.safe_to_repeat);
    assert_eq!(retry.attempts, Some(three));
    assert_eq!(request.extensions().get(), Some(&"mine"));
    client.get("http://a.example/a").send().await.unwrap();
    let request = seen.lock().unwrap().pop().unwrap();
    assert_eq!(CallContext::of(request.extensions()).unwrap().retry(), RetryOverride::default());
    assert!(request.extensions().get::<&str>().is_none());
}

/// A head at once, and one byte of the body.
fn stalls(status: u16) -> impl Upstream<bodies::Body> {
    service_fn(move |_: Request<Full<Bytes>>| async move {
        let body = bodies::Body::frames([Step::data("a")]).then_never();
        Ok(Response::builder().status(status).body(body).unwrap())
    })
}

async fn after<T>(reading: impl Future<Output = Result<T, Error>>) -> (Duration, Error) {
    let start = tokio::time::Instant::now();
    let error = tokio::time::timeout(3600 * SECOND, reading).await.expect("it ends").err().unwrap();
    (start.elapsed(), error)
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_read_ends_with_the_stacks_deadline_and_with_the_calls_own() {
    let client = Client::new(DeadlineLayer::new(5 * SECOND).layer(stalls(200)));
    let other = Client::new(stalls(200));
    for (seconds, (elapsed, error)) in [
        (5, after(client.get("/a").fetch::<User>()).await),
        (5, after(client.get("/a").fetch_one::<User>()).await),
        (5, after(async { client.get("/a").send().await?.bytes().await }).await),
        (5, after(async { client.get("/a").send().await?.text().await }).await),
        (2, after(client.get("/a").timeout(2 * SECOND).fetch::<User>()).await),
        (2, after(other.get("/a").timeout(2 * SECOND).fetch::<User>()).await),
        (2, after(async { other.get("/a").timeout(2 * SECOND).send().await?.text().await }).await),
    ] {
        assert_eq!(elapsed, seconds * SECOND, "{error}");
        assert!(error.is_timeout() && error.is_body(), "{error}");
        assert_eq!(error.as_status(), Some(http::StatusCode::REQUEST_TIMEOUT));
        assert_eq!(find_source::<DeadlineExceeded>(&error).unwrap().body_bytes(), Some(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_streamed_has_no_deadline() {
    let slow = service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, BoxError>(Response::new(bodies::Body::frames([Step::Wait(60 * SECOND), Step::data("a")])))
    });
    let client = Client::new(DeadlineLayer::new(5 * SECOND).layer(slow));
    let streamed = client.get("/a").timeout(2 * SECOND).send().await.unwrap().into_body();
    assert_eq!(streamed.collect().await.unwrap().to_bytes(), "a");
}

#[tokio::test(start_paused = true)]
async fn the_text_of_an_error_is_waited_for_no_longer_than_the_call_may_take() {
    let stack = Client::new(DeadlineLayer::new(2 * SECOND).layer(stalls(500)));
    let own = Client::new(stalls(500));
    for (elapsed, error) in
        [(after(stack.get("/a").send()).await), (after(own.get("/a").timeout(2 * SECOND).send()).await)]
    {
        assert_eq!(elapsed, 2 * SECOND);
        assert_eq!(error.status().unwrap(), 500);
        assert_eq!(error.body_text(), Some("a"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_cut_off_by_its_guard_is_a_time_out() {
    let floor = MinThroughput::new(9, SECOND).unwrap();
    let guard = BodyTimeoutLayer::new(3 * SECOND);
    for guard in [guard.clone(), guard.min_throughput(floor)] {
        let error = Client::new(guard.layer(stalls(200))).get("/a").fetch::<User>().await.unwrap_err();
        assert!(error.is_timeout() && error.is_body(), "{error}");
    }
}

#[tokio::test]
async fn a_reply_has_status_headers_facts_and_body() {
    let (client, _) = upstream(|| {
        let mut response =
            Response::builder().status(201).header("location", "/users/7").body(Full::from("7")).unwrap();
        response.extensions_mut().insert(Attempts(NonZeroU32::new(2).unwrap()));
        response
    });
    let reply = client.post("/users").fetch_reply::<u32>().await.unwrap();
    assert_eq!(
        (reply.status().as_u16(), &reply.headers()["location"], reply.attempts()),
        (201, &"/users/7".parse().unwrap(), 2)
    );
    assert_eq!(reply.body(), &Some(7));
    assert_eq!(format!("{reply:?}"), "Reply(POST /users: 201 Created)");
    assert_eq!(reply.into_response().into_body(), Some(7));
}

#[tokio::test]
async fn a_boxed_client_has_a_name_and_is_the_same() {
    fn shareable<T: Clone + Send + Sync + 'static>(value: T) -> T {
        value
    }
    let (client, seen) = upstream(json(200, "7"));
    let client: BoxClient = shareable(client.body_limit(1).boxed());
    assert_eq!(client.get("/a").fetch_one::<u32>().await.unwrap(), 7);
    assert_eq!(seen.lock().unwrap().len(), 1);
    let task = tokio::spawn({
        let client = client.clone();
        async move { client.get("/b").fetch_one::<u32>().await }
    });
    assert_eq!(task.await.unwrap().unwrap(), 7);
    let (client, _) = upstream(json(200, "77"));
    assert!(
        client.body_limit(1).boxed().get("/a").fetch::<u32>().await.unwrap_err().is_body(),
        "the limit is kept"
    );
}

#[tokio::test]
async fn a_body_may_be_of_another_type() {
    let echo = service_fn(|request: Request<bodies::Body>| async {
        Ok::<_, BoxError>(Response::new(request.into_body()))
    });
    let body = bodies::Body::frames([Step::data("two "), Step::data("parts")]);
    let reply = Client::new(echo).put("/a").body(body).send().await.unwrap();
    assert_eq!(reply.text().await.unwrap().body(), "two parts");
}

#[test]
fn debug_shows_no_secret() {
    let builder = Client::new(hangs())
        .get("http://me:pw@a.example/?key=s3cret")
        .header("authorization", "Bearer s3cret");
    let text = format!("{builder:?}");
    assert!(text.contains("key=..") && !text.contains("s3cret") && !text.contains("pw"), "{text}");
}

#[tokio::test]
async fn every_error_names_the_url_that_was_joined() {
    let base = crate::BaseUrlLayer::new(crate::BaseUrl::new("https://api.example.com/v1").unwrap());
    let below = |answer: Response<Full<Bytes>>| {
        let (client, _) = upstream(move || answer.clone());
        Client::new(base.layer(client.into_inner()))
    };
    let answer =
        |status: u16, text: &'static str| Response::builder().status(status).body(Full::from(text)).unwrap();
    let said = "https://api.example.com/v1/users?key=..";
    let request = |answer| below(answer).get("users").query(&[("key", "s3cret")]);

    let error = request(answer(404, "")).send().await.unwrap_err();
    assert_eq!((error.url(), &*error.to_string()), (said, &*format!("GET {said}: 404 Not Found")));
    assert_eq!(request(answer(200, "[")).fetch::<u32>().await.unwrap_err().url(), said);
    assert_eq!(request(answer(200, "")).fetch_one::<u32>().await.unwrap_err().url(), said);
    let reply = request(answer(200, "7")).send().await.unwrap();
    assert_eq!(format!("{reply:?}"), format!("Reply(GET {said}: 200 OK)"));

    let refused = below(answer(200, "")).get("../users").send().await.unwrap_err();
    assert_eq!(refused.url(), "/../users", "there is no joined one");
    let failing = base.layer(service_fn(async |_: Request<Full<Bytes>>| {
        Err::<Response<Full<Bytes>>, BoxError>("no luck".into())
    }));
    let error = Client::new(failing).get("users").send().await.unwrap_err();
    assert_eq!(error.to_string(), "GET https://api.example.com/v1/users: no luck");
}

#[tokio::test]
async fn the_place_for_the_joined_url_does_not_reach_a_retry() {
    let base = crate::BaseUrlLayer::new(crate::BaseUrl::new("https://api.example.com/v1").unwrap());
    let (client, seen) = upstream(json(200, ""));
    Client::new(base.layer(client.into_inner())).get("users").send().await.unwrap();
    assert!(seen.lock().unwrap()[0].extensions().get::<Joined>().is_none(), "a retry would copy it");
}

#[tokio::test]
async fn a_failed_call_tells_the_whole_chain() {
    let client = Client::new(service_fn(async |_: Request<Full<Bytes>>| {
        let url = "error sending request for url (https://me:s3cret@api.example.com/a?token=s3cret)";
        Err::<Response<Full<Bytes>>, BoxError>(chained(&[url, "connection refused\nby the host"]))
    }));
    let error = client.get("http://a.example/").send().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GET http://a.example/: error sending request for url (https://api.example.com/a?token=..): connection refused"
    );
}

#[tokio::test]
async fn a_connect_that_failed_is_told_by_any_transport() {
    let cases: [(fn() -> BoxError, bool); 7] = [
        (|| io::Error::from(ErrorKind::ConnectionRefused).into(), true),
        (|| io::Error::from(ErrorKind::AddrNotAvailable).into(), true),
        (|| io::Error::other(io::Error::from(ErrorKind::ConnectionRefused)).into(), true),
        (|| io::Error::from(ErrorKind::ConnectionReset).into(), false),
        (|| io::Error::from(ErrorKind::HostUnreachable).into(), false),
        (|| io::Error::from(ErrorKind::TimedOut).into(), false),
        (|| "connection refused".into(), false),
    ];
    for (failure, expected) in cases {
        let failing = service_fn(move |_: Request<Full<Bytes>>| {
            std::future::ready(Err::<Response<Full<Bytes>>, _>(failure()))
        });
        let error = Client::new(failing).get("http://a.example/").send().await.unwrap_err();
        assert_eq!(error.is_connect(), expected, "{error}");
    }

    let (client, _) = upstream(|| {
        let refused = |_| io::Error::from(ErrorKind::ConnectionRefused);
        Response::new(bodies::Body::frames([Step::Error]).map_err(refused))
    });
    let error = client.get("http://a.example/").send().await.unwrap().text().await.unwrap_err();
    assert!(error.is_body() && !error.is_connect(), "there was an answer: {error}");
}

#[tokio::test]
async fn an_error_tells_how_many_attempts_were_made() {
    let two = NonZeroU32::new(2).unwrap();
    let spent = move |_: Request<Full<Bytes>>| {
        let error = bartizan_core::RetriesSpent::new(two, io::Error::from(ErrorKind::ConnectionReset).into());
        std::future::ready(Err::<Response<Full<Bytes>>, BoxError>(error.into()))
    };
    let answers = move |attempts: Option<Attempts>| {
        service_fn(move |_: Request<Full<Bytes>>| {
            let mut response = Response::builder().status(503).body(Full::<Bytes>::default()).unwrap();
            if let Some(attempts) = attempts {
                response.extensions_mut().insert(attempts);
            }
            std::future::ready(Ok::<_, BoxError>(response))
        })
    };
    let error = Client::new(service_fn(spent)).get("/a").send().await.unwrap_err();
    assert_eq!(
        (error.attempts(), error.to_string()),
        (Some(2), "GET /a: gave up after 2 attempts: connection reset".into())
    );
    for (attempts, expected) in [(Some(Attempts(two)), 2), (None, 1)] {
        let error = Client::new(answers(attempts)).get("/a").send().await.unwrap_err();
        assert_eq!(error.attempts(), Some(expected));
    }
    let plain = service_fn(|_: Request<Full<Bytes>>| {
        std::future::ready(Err::<Response<Full<Bytes>>, BoxError>("no".into()))
    });
    assert_eq!(Client::new(plain).get("/a").send().await.unwrap_err().attempts(), None);
}
