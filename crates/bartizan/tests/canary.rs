//! A secret in every place that can hold one, and all that the API shows and logs looked through for it.
//!
//! Not looked at is what `http` shows: the `Request` of [`RequestBuilder::build`] and the header fields of an answer are its
//! types, and their `Debug` keeps only values that are marked as sensitive. A [`Header`] is the same. Paths are shown
//! everywhere, and so are versions.
//!
//! # What other crates log
//!
//! What is marked as sensitive: none of it. What is not:
//!
//! | crate | what it logs |
//! |---|---|
//! | `h2` | frames, streams and windows at TRACE and DEBUG, tens of thousands of events, and no header field or body in any of them |
//! | `hyper_util` | at TRACE the key of its pool, which is scheme and authority: with the user information of a target that has some. A base URL takes none |
//! | `hyper` | nothing: its events need `--cfg hyper_unstable_tracing` |
//! | `tower_http` | nothing in what the client uses of it |
//! | `rustls` | nothing through `tracing`, and nothing through `log` without its feature `logging` |
#![cfg(all(
    feature = "auth-server",
    feature = "circuit-breaker",
    feature = "client",
    feature = "private-key-jwt",
    feature = "rate-limit",
    feature = "tracing"
))]

#[path = "canary/auth.rs"]
mod auth;
#[path = "canary/detector.rs"]
mod detector;
#[path = "canary/oauth.rs"]
mod oauth;
#[path = "canary/recorder.rs"]
mod recorder;

use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::fmt::Debug;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan::Client;
use bartizan::circuit_breaker::{CircuitBreakerLayer, Settings, Trip};
use bartizan::client::intercept::{InterceptLayer, Refused};
use bartizan::client::version::{self, ApiVersion, ApiVersionLayer};
use bartizan::client::{
    BaseUrl, BaseUrlLayer, BoxClient, ByLink, Client as AnyClient, DefaultHeadersLayer, NextPage,
    RequestBuilder,
};
use bartizan::core::{
    BoxError, CallContext, Header, Key, KeyBy, Origin, PerKey, Replay, ReplayBody, RequestHead, Subject,
};
use bartizan::rate_limit::bulkhead::BulkheadLayer;
use bartizan::rate_limit::{Quota, RateLimitLayer};
use bartizan::retry::{self, Backoff, Budget, ReplayLayer, RetryLayer};
use bartizan::timeout::{self, AttemptTimeoutLayer, DeadlineLayer};
use bartizan_test::server::{Act, Seen, Server};
use bytes::Bytes;
use detector::{marked, plain};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

/// `user:` and a secret of [`plain`], in base64.
const BASIC: &str = "Basic dXNlcjpjYW5hcnktczNjcmV0fn5+fmJhc2lj";

/// Where other crates log what is not marked.
const OTHERS: [&str; 1] = ["hyper_util::client::legacy::pool"];

/// Long enough for an answer on a busy machine, and short enough to be waited for often.
const SOON: Duration = Duration::from_millis(100);

/// What shows a secret.
#[derive(Default)]
struct Leaks {
    found: Vec<String>,
    /// How calls ended.
    ends: BTreeSet<&'static str>,
}

impl Leaks {
    fn look_at(&mut self, what: &str, text: &str) {
        if detector::has_plain(text) || detector::has_marked(text) {
            self.found.push(format!("{what}: {text}"));
        }
    }

    fn value(&mut self, what: &str, value: &impl Debug) {
        self.look_at(what, &format!("{value:?} {value:#?}"));
    }

    fn error(&mut self, what: &str, error: &(dyn Error + 'static)) {
        self.look_at(what, &chain(error));
    }

    fn result<T: Debug>(&mut self, what: &str, result: Result<T, bartizan::client::Error>) {
        let error = match result {
            Ok(value) => {
                self.ends.insert("success");
                return self.value(what, &value);
            }
            Err(error) => error,
        };
        self.error(what, &error);
        self.ends.insert(match () {
            () if error.is_connect() => "connect",
            () if error.is_timeout() => "timeout",
            () if error.is_refused() => "refused",
            () if error.is_request() => "request",
            () if error.is_decode() => "decode",
            () if error.is_body() => "body",
            () if error.status().is_some() => "status",
            () => "other",
        });
    }

    #[track_caller]
    fn assert_none(&self) {
        assert!(self.found.is_empty(), "{:#?}", self.found);
        let logged = recorder::logged();
        assert!(logged.leaks.is_empty(), "{:#?}", logged.leaks);
        assert!(logged.foreign.iter().all(|target| OTHERS.contains(&&**target)), "{:?}", logged.foreign);
    }
}

/// An error and all its sources, as `Display` and as `Debug`.
fn chain(error: &(dyn Error + 'static)) -> String {
    let all = std::iter::successors(Some(error), |&error| error.source());
    all.map(|error| format!("{error} {error:?} {error:#?}; ")).collect()
}

fn soon() -> RetryLayer {
    let backoff = Backoff::exponential(SOON / 100, SOON / 20).expect("1 is below 5");
    RetryLayer::new().backoff(backoff).throttled_backoff(backoff).budget(Budget::none())
}

/// With a secret wherever a request takes one.
fn filled<S>(request: RequestBuilder<S>) -> RequestBuilder<S> {
    let mut call = CallContext::default();
    call.set_partition(plain("partition"));
    let mut more = HeaderMap::new();
    let mut value = HeaderValue::from_str(&marked("proxy-authorization")).expect("a header value");
    value.set_sensitive(true);
    more.insert("proxy-authorization", value);
    request
        .extension(call)
        .header("authorization", BASIC)
        .header("x-api-key", &plain("x-api-key"))
        .header("cookie", &format!("session={}", plain("cookie")))
        .header("idempotency-key", &plain("idempotency-key"))
        .headers(more)
        .query(&[("token", plain("query"))])
}

/// Whatever goes wrong, by path.
fn act(other: &str, seen: &Seen) -> Act {
    let location = format!("{other}/ok?token={}", plain("location"));
    let text =
        |name: &str| seen.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    match seen.path.split('?').next().unwrap_or_default() {
        "/v1/missing" => Act::reply(404).body("not here"),
        "/v1/down" => Act::reply(503),
        "/v1/throttled" => Act::reply(429).header("retry-after", "0"),
        "/v1/hang" => Act::hang(),
        "/v1/reset" => Act::reset(),
        "/v1/broken" => Act::reset_mid_body(3).body("hello"),
        "/v1/empty" => Act::reply(204),
        "/v1/odd" => Act::reply(200).body(r#"{"a":"text"}"#),
        "/v1/away" => Act::reply(307).header("location", &location),
        "/v1/nowhere" => Act::reply(307).header("location", &format!("http://[{}", plain("broken-location"))),
        "/v1/elsewhere" => {
            Act::reply(200).header("link", &format!("<{location}>; rel=\"next\"")).body(r#"{"a":"1"}"#)
        }
        "/v1/pages" => Act::reply(200)
            .header("link", &format!("</v1/down?cursor={}>; rel=\"next\"", plain("cursor")))
            .body("{}"),
        "/v1/ending" => Act::reply(200).header("deprecation", "@1688169599").body("{}"),
        "/v1/echo" => Act::reply(401).body(text("x-api-key")),
        "/v1/echo-down" => Act::reply(503).header("x-echo", &text("x-api-key")).body(text("x-api-key")),
        _ => Act::reply(200).body("{}"),
    }
}

/// Calls of all kinds.
async fn call_all(leaks: &mut Leaks, client: &BoxClient) {
    for path in [
        "ok",
        "missing",
        "down",
        "throttled",
        "hang",
        "reset",
        "broken",
        "empty",
        "odd",
        "away",
        "nowhere",
        "elsewhere",
        "ending",
    ] {
        let target = format!("{path}?key={}", plain("target"));
        let request = filled(client.post(&target)).json(&json!({ "password": plain("json") }));
        leaks.value(path, &request);
        leaks.result(path, request.fetch_one::<HashMap<String, u32>>().await);
        let request = filled(client.put(&target)).form(&[("password", plain("form"))]);
        leaks.result(path, request.send().await);
        leaks.result(path, filled(client.get(&target)).timeout(SOON * 3).no_retry().send().await);
    }
    for path in ["pages", "elsewhere"] {
        let mut pages = filled(client.get(path)).pages::<Value>();
        leaks.value(path, &pages);
        while let Some(page) = pages.next().await {
            leaks.value(path, &pages);
            leaks.result(path, page);
        }
        let cursor = |_: &Value| Some(plain("cursor"));
        let mut pages = filled(client.get(path)).pages_by("cursor", cursor);
        for _ in 0..3 {
            if let Some(page) = pages.next().await {
                leaks.result(path, page);
            }
            leaks.value(path, &pages);
        }
    }
    let small = client.clone().body_limit(1);
    leaks.result("too large", filled(small.get("ok")).send().await.expect("a head").bytes().await);
    let secret = plain("reference");
    for target in [
        format!("//evil.example/?{secret}"),
        format!("http://user:{secret}@evil.example/"),
        format!("http://evil.example/?token={secret}"),
        format!("../up?token={secret}"),
        format!("a%2e%2e/%2e%2e?{secret}"),
        format!("a b?token={secret}"),
        format!("a?token={secret} \n"),
        format!("a#{secret}"),
    ] {
        leaks.result("refused", client.get(&target).send().await);
        leaks.value("refused", &client.get(&target));
    }
    let broken = format!("{}\r\nx: y", plain("broken-header"));
    let unfit = HashMap::from([((1, 2), plain("unfit"))]);
    for request in [
        client.get("a").header("authorization", &broken),
        client.get("a").header("a b", &plain("bad-name")),
        client.get("a").query(&[("a", vec![plain("nested")])]),
        client.post("a").form(&json!({ "a": { "b": plain("nested") } })),
        client.post("a").json(&unfit),
    ] {
        leaks.value("cannot be built", &request);
        leaks.result("cannot be built", request.build());
    }
    // `other` is a connection that broke, and a page that is not followed.
    let all = ["body", "decode", "other", "refused", "request", "status", "success", "timeout"];
    assert!(leaks.ends.iter().eq(&all), "{:?}", leaks.ends);
}

/// That what a server says is shown in its error, and nowhere else.
async fn call_echo(leaks: &mut Leaks, client: &BoxClient) {
    for path in ["echo", "echo-down"] {
        let error = filled(client.get(path)).send().await.expect_err("no success");
        assert!(detector::has_plain(&error.to_string()), "the server said so: {error}");
        assert!(detector::has_plain(error.body_text().unwrap_or_default()));
        leaks.look_at("echo", error.url());
        let bare = client.get(path).send().await.expect_err("no success");
        leaks.error("no echo", &bare);
    }
}

/// Shows each event to a test.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn tell(&self, event: &impl Debug) {
        self.0.lock().expect("no test panicked").push(format!("{event:?}"));
    }
}

impl timeout::Hook for Told {
    fn timed_out(&self, event: timeout::TimedOut<'_>) {
        self.tell(&event);
    }
}

impl version::Hook for Told {
    fn deprecated(&self, notice: &version::Notice<'_>) {
        self.tell(notice);
    }
}

impl retry::Hook for Told {
    fn retrying(&self, event: &retry::Retrying<'_>) {
        self.tell(event);
    }

    fn stopped(&self, event: &retry::Stopped<'_>) {
        self.tell(event);
    }
}

/// A stack of all layers by hand, and its client.
fn stack(
    leaks: &mut Leaks,
    base: &str,
    told: &Told,
    http: HttpClient<hyper_util::client::legacy::connect::HttpConnector, ReplayBody<Full<Bytes>>>,
) -> BoxClient {
    let base = BaseUrlLayer::new(BaseUrl::new(base).expect("a base URL"));
    let headers = DefaultHeadersLayer::new()
        .if_absent(Header::new("x-default", &marked("if-absent")).expect("a header").sensitive())
        .overriding(Header::new("x-overriding", &plain("overriding")).expect("a header"))
        .append(Header::new("x-appended", &plain("appended")).expect("a header"));
    let version = ApiVersionLayer::new(ApiVersion::header("x-api-version", "2").expect("a version"));
    let version = version.hook(told.clone());
    let deadline = DeadlineLayer::new(SOON * 20).hook(told.clone());
    let interceptors = InterceptLayer::new().on_request(async |mut request: Request<_>| {
        let mut token = HeaderValue::from_str(&marked("interceptor"))?;
        token.set_sensitive(true);
        request.headers_mut().insert("x-token", token);
        request.headers_mut().insert("x-unmarked", plain("interceptor").parse()?);
        Ok(request)
    });
    let timeout = AttemptTimeoutLayer::new(SOON).hook(told.clone());
    leaks.value("BaseUrlLayer", &base);
    leaks.value("DefaultHeadersLayer", &headers);
    leaks.value("ApiVersionLayer", &version);
    leaks.value("DeadlineLayer", &deadline);
    leaks.value("InterceptLayer", &interceptors);
    leaks.value("AttemptTimeoutLayer", &timeout);
    let mut service = ServiceBuilder::new()
        .layer(base)
        .layer(headers)
        .layer(version)
        .layer(deadline)
        .layer(ReplayLayer::default())
        .layer(soon().hook(told.clone()))
        .layer(interceptors)
        .layer(timeout)
        .service(http);
    leaks.value("the stack", &service);
    let request = filled(AnyClient::new(()).get("ok")).build().expect("a request");
    leaks.value("a future", &service.call(request));
    let client = AnyClient::new(service);
    leaks.value("Client", &client);
    let client = client.boxed();
    leaks.value("BoxClient", &client);
    leaks.value("BoxedService", &client.clone().into_inner());
    client
}

/// That the secrets were sent at all.
#[track_caller]
fn assert_sent(server: &Server, names: &[&str]) {
    let requests = server.log().requests();
    let ok = requests.iter().find(|seen| seen.path.starts_with("/v1/ok?key=")).expect("it was asked");
    assert!(detector::has_plain(&ok.path) && detector::has_plain(&String::from_utf8_lossy(&ok.body)));
    for name in names {
        let value = ok.headers[*name].to_str().expect("text");
        assert!(detector::has_plain(value) || detector::has_marked(value), "{name}: {value}");
    }
}

const SENT: [&str; 5] = ["authorization", "x-api-key", "cookie", "idempotency-key", "proxy-authorization"];

#[tokio::test]
async fn the_client_of_one_line_shows_nothing() {
    recorder::record();
    let mut leaks = Leaks::default();
    let other = Server::h1(Act::reply(200).body("{}")).await.expect("a loopback port");
    let elsewhere = other.uri("");
    let server = Server::h1(move |seen: &Seen| act(&elsewhere, seen)).await.expect("a loopback port");
    let builder = Client::builder(&server.uri("/v1"))
        .default_header("x-default", &marked("default"))
        .attempt_timeout(AttemptTimeoutLayer::new(SOON))
        .deadline(DeadlineLayer::new(SOON * 20))
        .retry(soon());
    leaks.value("ClientBuilder", &builder);
    let client = builder.build().expect("a valid client");
    leaks.value("Client", &client);
    call_all(&mut leaks, &client).await;
    call_echo(&mut leaks, &client).await;

    let gone = other.uri("");
    for seen in other.log().requests() {
        assert!(
            !detector::has_marked(&format!("{:?}", seen.headers)) && !seen.headers.contains_key("cookie")
        );
    }
    drop(other);
    let client = Client::builder(&gone).retry(soon()).build().expect("a valid client");
    let error = filled(client.get("ok")).send().await.expect_err("nobody listens");
    assert!(error.is_connect());
    leaks.error("connect", &error);
    assert_sent(&server, &[&SENT[..], &["x-default"]].concat());
    leaks.assert_none();
    assert!(
        recorder::logged().by_crate["bartizan_retry"] > 20
            && recorder::logged().by_crate["bartizan_timeout"] > 5
    );
}

#[tokio::test]
async fn a_stack_of_all_layers_over_http_2_shows_nothing() {
    recorder::record();
    let (mut leaks, told) = (Leaks::default(), Told::default());
    let server = Server::h2(|seen: &Seen| act("http://other.example", seen)).await.expect("a loopback port");
    let http = HttpClient::builder(TokioExecutor::new()).http2_only(true).build_http();
    let client = stack(&mut leaks, &server.uri("/v1"), &told, http);
    call_all(&mut leaks, &client).await;
    call_echo(&mut leaks, &client).await;
    let names = ["x-default", "x-overriding", "x-appended", "x-token", "x-unmarked"];
    assert_sent(&server, &[&SENT[..], &names].concat());
    let told = told.0.lock().expect("no test panicked").clone();
    // Retry's events are in the list of what still shows a secret.
    let (retries, others): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|event| event.starts_with("Retrying") || event.starts_with("Stopped"));
    assert!(retries.len() > 20 && others.len() > 5, "{} and {}", retries.len(), others.len());
    leaks.look_at("events", &others.join("\n"));
    leaks.assert_none();
    let logged = recorder::logged();
    assert!(logged.by_crate["h2"] > 100 && logged.by_crate["bartizan_client"] > 0, "{logged:?}");
}

#[tokio::test]
async fn user_information_in_a_target_shows_nothing() {
    recorder::record();
    let mut leaks = Leaks::default();
    let server = Server::h1(Act::hang()).await.expect("a loopback port");
    let target =
        server.uri("/a?token=").replace("//", &format!("//user:{}@", plain("user"))) + &plain("target");
    let http = HttpClient::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let deadline = DeadlineLayer::new(SOON);
    let service = ServiceBuilder::new().layer(deadline).layer(soon()).service(http);
    let client = AnyClient::new(service);
    leaks.value("a request", &client.get(&target));
    leaks.result("deadline", client.get(&target).send().await);
    leaks.result("deadline", client.get(&target).timeout(Duration::ZERO).send().await);
    drop(server);
    leaks.result("connect", client.get(&target).send().await);

    // A refusal that is an answer, for whoever is on the other side.
    let hangs =
        tower::service_fn(|_: Request<()>| std::future::pending::<Result<Response<Full<Bytes>>, BoxError>>());
    let service = AttemptTimeoutLayer::new(SOON).respond().layer(hangs);
    let response =
        service.oneshot(Request::get(&target).body(()).expect("a request")).await.expect("an answer");
    leaks.value("an answer", &response);
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    leaks.look_at("problem", &String::from_utf8_lossy(&body));
    leaks.assert_none();
    assert!(recorder::logged().foreign.iter().eq(&OTHERS), "the table above is not true any more");
}

#[tokio::test]
async fn what_cannot_be_built_shows_nothing() {
    recorder::record();
    let mut leaks = Leaks::default();
    let secret = plain("base");
    for url in [
        format!("https://user:{secret}@api.example.com/v1"),
        format!("https://{secret}@api.example.com"),
        format!("https://user:{secret}#@api.example.com"),
        format!("https://user:{secret}?@api.example.com"),
        format!("https://user:{secret}/@api.example.com"),
        format!("ftp://user:{secret}@api.example.com"),
        format!("https://user:{secret}@api.example.com:port"),
        format!("user:{secret}@api.example.com"),
        format!("https://api.example.com/?token={secret}"),
        format!("https://api.example.com/#{secret}"),
    ] {
        leaks.error("BaseUrl", &BaseUrl::new(&url).expect_err("refused"));
        leaks.error("Client", &Client::builder(&url).build().expect_err("refused"));
    }
    let broken = format!("{}\nx: y", plain("broken"));
    let builder = Client::builder("http://api.example.com").default_header("authorization", &broken);
    leaks.value("ClientBuilder", &builder);
    leaks.error("ClientBuilder", &builder.build().expect_err("refused"));
    leaks.error("Header", &Header::new("authorization", &broken).expect_err("refused"));
    leaks.value("Header", &Header::new("authorization", &marked("header")).expect("a header").sensitive());
    leaks.error("ApiVersion", &ApiVersion::header("x-version", &broken).expect_err("refused"));
    leaks.error("Refused", &Refused::request("no", None));
    leaks.assert_none();
}

#[tokio::test]
async fn what_a_call_is_made_of_shows_nothing() {
    recorder::record();
    let mut leaks = Leaks::default();
    let secret = plain("facts");
    let mut call = CallContext::default();
    call.set_partition(secret.as_str());
    leaks.value("CallContext", &call);
    let uri: Uri = format!("https://user:{secret}@api.example.com/?token={secret}").parse().expect("a URI");
    leaks.value("Origin", &Origin::of(&uri));
    let mut request = Request::get(&uri).header("x-tenant", &secret).body(()).expect("a request");
    request.extensions_mut().insert(call.clone());
    let head = RequestHead::from(&request);
    leaks.value("RequestHead", &head);
    let by_header = KeyBy::header(HeaderName::from_static("x-tenant"));
    for by in [KeyBy::origin(), by_header, KeyBy::path_template(), KeyBy::partition()] {
        leaks.value("Key", &by.key(&head));
        leaks.value("Subject", &Subject::of(&by.key(&head), &uri));
        let values = PerKey::new(by, NonZeroUsize::MIN, |_| true);
        leaks.value("Entry", &values.get(&head, |_| 1));
        leaks.value("PerKey", &values);
    }
    leaks.value("hidden", &Key::hidden(secret.as_bytes()));
    let mut body = ReplayBody::new(Full::new(Bytes::from(secret.clone())), 1024);
    leaks.value("ReplayBody", &body);
    let copy = body.replay();
    leaks.value("ReplayBody, replayed", &(&body, &copy));
    leaks.error("ReplayError", &body.frame().await.expect("an error").expect_err("a newer copy is there"));

    // An interceptor's own error.
    let interceptors = InterceptLayer::new().on_request(async |mut request: Request<_>| {
        request.headers_mut().insert("x-token", format!("{}\n", plain("interceptor")).parse()?);
        Ok(request)
    });
    let never = tower::service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::new(Full::<Bytes>::default()))
    });
    let client = AnyClient::new(ServiceBuilder::new().layer(soon()).layer(interceptors).service(never));
    leaks.error("an interceptor", &filled(client.get("/")).send().await.expect_err("no header value"));
    leaks.assert_none();
}

#[tokio::test]
async fn odd_targets_hooks_and_builders_show_nothing() {
    recorder::record();
    let mut leaks = Leaks::default();
    let url = format!("https://user:{}@api.example.com", plain("base"));
    leaks.value("ClientBuilder", &Client::builder(&url));
    let mut headers = HeaderMap::new();
    let link = format!("</?token={}>; rel=\"next\"", plain("link"));
    headers.insert("link", link.parse().expect("a header value"));
    leaks.value("Following", &NextPage::<()>::next(&mut ByLink, &headers, None));
    let told = Told::default();
    let down = tower::service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::builder().status(503).body(Full::<Bytes>::default()).expect("a response"))
    });
    let service = soon().hook(told.clone()).layer(down);
    let request = filled(AnyClient::new(()).get("http://api.example.com/")).build().expect("a request");
    service.oneshot(request).await.expect("an answer");
    leaks.look_at("Retrying", &told.0.lock().expect("no test panicked").join("\n"));
    let client = AnyClient::new(());
    let password = plain("password");
    for (what, target) in [
        ("a target like a host", format!("//user:{password}@api.example.com/")),
        ("a target with a fragment in its password", format!("https://user:{password}#@api.example.com/")),
        ("a target without a scheme", format!("user:{password}@api.example.com/")),
    ] {
        leaks.value(what, &client.get(&target));
    }
    leaks.assert_none();
}

#[tokio::test(start_paused = true)]
async fn what_limits_and_circuits_say_shows_nothing() {
    recorder::record();
    let mut leaks = Leaks::default();
    let secret = plain("limits");
    let by_secret = || KeyBy::header(HeaderName::from_static("x-api-key"));
    let request = || {
        let uri = format!("https://user:{secret}@api.example.com/{secret}?token={secret}");
        let mut request =
            Request::get(uri).header("x-api-key", &secret).body(Full::<Bytes>::default()).expect("a request");
        CallContext::edit(request.extensions_mut()).set_partition(secret.as_str());
        request
    };
    let throttled = tower::service_fn(async |_: Request<Full<Bytes>>| {
        let response = Response::builder().status(503).header("retry-after", "100");
        Ok::<_, BoxError>(response.body(Full::<Bytes>::from("later")).expect("a response"))
    });

    let limit = RateLimitLayer::new(Quota::classic().burst(1).expect("a quota")).max_wait(Duration::ZERO);
    let gate = RateLimitLayer::without_quota();
    for layer in [limit.without_feedback().key_by(by_secret()), gate] {
        let service = layer.layer(throttled);
        service.clone().oneshot(request()).await.expect("it is answered");
        leaks.error("RateLimited", &*service.oneshot(request()).await.expect_err("it is refused"));
        leaks.value("RateLimitLayer", &layer);
        leaks.value("RateLimiter", &layer.limiters());
    }

    let one = Trip::consecutive(NonZeroU32::MIN);
    let breaker = CircuitBreakerLayer::with_settings(Settings::new().trip(one)).key_by(by_secret());
    let service = breaker.layer(throttled);
    service.clone().oneshot(request()).await.expect("it is answered");
    leaks.error("CircuitOpen", &*service.oneshot(request()).await.expect_err("it is refused"));
    leaks.value("CircuitBreakerLayer", &breaker);
    leaks.value("CircuitBreaker", &breaker.circuits());

    let bulkhead = BulkheadLayer::new(NonZeroUsize::MIN).key_by(by_secret());
    let service = bulkhead.layer(throttled);
    let body = service.clone().oneshot(request()).await.expect("it is answered");
    leaks.value("PermittedBody", body.body());
    leaks.error("BulkheadFull", &*service.oneshot(request()).await.expect_err("it is refused"));
    leaks.value("BulkheadLayer", &bulkhead);
    leaks.assert_none();
}
