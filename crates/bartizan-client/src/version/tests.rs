use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bartizan_core::{PathTemplate, WallClock};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use proptest::prelude::*;
use tower::{Layer, ServiceExt, service_fn};

use super::*;

fn sent(version: &ApiVersion, mut request: Request<()>) -> Request<()> {
    version.put_on(&mut request);
    request
}

fn uri_of(version: &ApiVersion, uri: &str) -> String {
    sent(version, Request::get(uri).body(()).unwrap()).uri().to_string()
}

#[test]
fn a_header_is_set_unless_the_request_has_it() {
    let version = ApiVersion::header("X-Api-Version", "2").unwrap();
    let request = sent(&version, Request::get("/").body(()).unwrap());
    assert_eq!(request.headers()["x-api-version"], "2");
    let request = sent(&version, Request::get("/").header("x-api-version", "1").body(()).unwrap());
    assert_eq!(request.headers().get_all("x-api-version").iter().collect::<Vec<_>>(), ["1"]);
}

#[test]
fn a_media_type_takes_the_place_of_wider_ones_only() {
    let own = "application/vnd.example.v2+json; charset=utf-8";
    let version = ApiVersion::media_type(own).unwrap();
    for (accept, expected) in [
        (&[][..], &[own][..]),
        (&["*/*"], &[own]),
        (&[""], &[own]),
        (&["application/json"], &[own]),
        (&["Application/JSON;q=0.9, */*; q=0.1"], &[own]),
        (&["application/json", "application/*"], &[own]),
        (&["text/csv"], &["text/csv"]),
        (&["application/json, text/csv"], &["application/json, text/csv"]),
        (&["application/json", "text/csv"], &["application/json", "text/csv"]),
        (&["application/vnd.example.v1+json"], &["application/vnd.example.v1+json"]),
        (&["text/*"], &["text/*"]),
        (&["application/json; x=\"a,b\""], &["application/json; x=\"a,b\""]),
    ] {
        let mut request = Request::get("/").body(()).unwrap();
        for field in accept {
            request.headers_mut().append("accept", HeaderValue::from_static(field));
        }
        let request = sent(&version, request);
        let fields: Vec<_> = request.headers().get_all("accept").iter().collect();
        assert_eq!(fields, expected, "{accept:?}");
    }
}

#[test]
fn an_accept_that_is_not_ascii_stays() {
    let version = ApiVersion::media_type("application/vnd.example.v2+json").unwrap();
    let mut request = Request::get("/").body(()).unwrap();
    request.headers_mut().insert("accept", HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(sent(&version, request).headers()["accept"].as_bytes(), b"\xff");
}

#[test]
fn a_parameter_is_appended_unless_the_query_has_it() {
    let version = ApiVersion::query("api-version", "2025 06/01").unwrap();
    const OWN: &str = "api-version=2025%2006%2F01";
    for (before, after) in [
        ("/x", format!("/x?{OWN}")),
        ("/x?", format!("/x?{OWN}")),
        ("/x?a=1&b=%2f+&a", format!("/x?a=1&b=%2f+&a&{OWN}")),
        ("/x?a&", format!("/x?a&{OWN}")),
        ("/x?my-api-version=1", format!("/x?my-api-version=1&{OWN}")),
        ("http://u:p@a.example:8080", format!("http://u:p@a.example:8080/?{OWN}")),
        ("https://a.example/x?a=1", format!("https://a.example/x?a=1&{OWN}")),
        ("/x?api-version=1", "/x?api-version=1".to_owned()),
        ("/x?a=1&api%2Dversion", "/x?a=1&api%2Dversion".to_owned()),
    ] {
        assert_eq!(uri_of(&version, before), after, "{before}");
    }
}

#[test]
fn a_prefix_is_put_before_the_path_unless_it_is_there() {
    let version = ApiVersion::path("/api/v2").unwrap();
    for (before, after) in [
        ("/users?x=/y", "/api/v2/users?x=/y"),
        ("/", "/api/v2/"),
        ("https://a.example:8443/users", "https://a.example:8443/api/v2/users"),
        ("https://u:p@a.example", "https://u:p@a.example/api/v2/"),
        ("/api/v2", "/api/v2"),
        ("/api/v2/users?x", "/api/v2/users?x"),
        ("https://a.example/api/v2/users", "https://a.example/api/v2/users"),
        ("/api/v20/users", "/api/v2/api/v20/users"),
        ("/api/v1/users?", "/api/v2/api/v1/users?"),
    ] {
        assert_eq!(uri_of(&version, before), after, "{before}");
    }
}

#[test]
fn a_uri_that_can_take_no_version_stays() {
    for version in [ApiVersion::path("/v2").unwrap(), ApiVersion::query("v", "2").unwrap()] {
        assert_eq!(uri_of(&version, "*"), "*");
        let mut connect = Request::connect("a.example:80").body(()).unwrap();
        version.put_on(&mut connect);
        assert_eq!(connect.uri(), "a.example:80");
        let long = format!("/{}", "x".repeat(65_000 + 533));
        assert_eq!(uri_of(&version, &long), long);
    }
}

proptest! {
    #[test]
    fn a_version_twice_is_a_version_once(
        path in "(/[a-z0-9%25.]{0,4}){1,4}", query in proptest::option::of("[a-z=&+]{0,12}"), absolute in any::<bool>(),
    ) {
        let before = format!(
            "{}{path}{}", if absolute { "http://a.example" } else { "" }, query.map(|q| format!("?{q}")).unwrap_or_default()
        );
        prop_assume!(before.parse::<Uri>().is_ok());
        let path_and_query = before.strip_prefix("http://a.example").unwrap_or(&before);

        let version = ApiVersion::path("/v2").unwrap();
        let once = uri_of(&version, &before);
        prop_assert!(once.ends_with(path_and_query) && once.contains("/v2"));
        prop_assert_eq!(uri_of(&version, &once), once);

        let version = ApiVersion::query("v", "2").unwrap();
        let once = uri_of(&version, &before);
        prop_assert!(once.starts_with(&before) && (once.ends_with("v=2") || once == before));
        prop_assert_eq!(uri_of(&version, &once), once);
    }
}

#[test]
fn what_cannot_be_sent_is_refused_with_the_fix() {
    let error = |result: Result<ApiVersion, InvalidVersion>| result.unwrap_err().to_string();
    assert!(error(ApiVersion::header("x version", "2")).contains("`x version` is no header name"));
    assert!(error(ApiVersion::header("x-v", "2\n")).contains("0x0a at position 1"));
    assert!(error(ApiVersion::header("x-v", " ")).contains("header `x-v` lacks a name or a value"));
    assert!(error(ApiVersion::query("v", "")).contains("query parameter `v` lacks"));
    assert!(error(ApiVersion::query("", "2")).contains("query parameter `` lacks"));
    for bad in ["", "json", "application/", "/json", "*/*", "a/*", "a/b, c/d", "a/b c", "a/b; x=\n", "a/b/c"]
    {
        let text = error(ApiVersion::media_type(bad));
        assert!(
            text.contains("is not one media type; use one such as") && text.starts_with('`'),
            "{bad}: {text}"
        );
    }
    for (bad, why) in [
        ("", "begin with a slash"),
        ("/", "begin with a slash"),
        ("v2", "begin with a slash"),
        ("/v2/", "without one"),
        ("/a//b", "empty"),
        ("/a/../b", "dots"),
        ("/.", "dots"),
        ("/v2?x", "percent-encoded"),
        ("/v2#x", "percent-encoded"),
        ("/v 2", "percent-encoded"),
        ("/%2", "percent-encoded"),
        ("/%zz", "percent-encoded"),
        ("/é", "percent-encoded"),
    ] {
        let text = error(ApiVersion::path(bad));
        assert!(text.contains(why) && text.ends_with("; use one such as `/v2`"), "{bad}: {text}");
    }
    for good in ["/v2", "/api/v2", "/v2.1", "/%20", "/~a:b@c"] {
        assert!(ApiVersion::path(good).is_ok(), "{good}");
    }
}

fn at(seconds: u64) -> Option<SystemTime> {
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

fn fields(fields: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |&(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    let mut headers = HeaderMap::new();
    for (name, value) in fields.iter().map(pair) {
        headers.append(name, value);
    }
    headers
}

/// 2023-11-14.
fn clock() -> WallClock {
    WallClock::fixed(at(1_700_000_000).unwrap())
}

fn read(pairs: &[(&'static str, &str)]) -> Option<Deprecated> {
    Deprecated::read(&fields(pairs), &clock())
}

#[test]
fn deprecation_is_read_in_its_forms() {
    for (field, since) in [
        ("@1688169599", Some(at(1_688_169_599))),
        ("@0", Some(at(0))),
        ("@1688169599;x=1", Some(at(1_688_169_599))),
        ("@253402300799", Some(at(253_402_300_799))),
        ("true", Some(None)),
        ("True", Some(None)),
        ("?1", Some(None)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(at(784_111_777))),
        ("Sunday, 06-Nov-94 08:49:37 GMT", Some(at(784_111_777))),
        ("", None),
        ("false", None),
        ("?0", None),
        ("@", None),
        ("@-", None),
        ("@1.5", None),
        ("@+5", None),
        ("@1688169599x", None),
        ("@1234567890123456", None),
        ("1688169599", None),
        ("2023-06-30", None),
    ] {
        let read = read(&[("deprecation", field)]);
        assert_eq!(read.as_ref().map(Deprecated::since), since, "{field}");
        assert!(read.is_none_or(|read| read.is_deprecated() && read.sunset().is_none()), "{field}");
    }
    let before_1970 = read(&[("deprecation", "@-1")]).unwrap().since().unwrap();
    assert_eq!(SystemTime::UNIX_EPOCH.duration_since(before_1970).unwrap(), Duration::from_secs(1));
}

#[test]
fn a_sunset_alone_is_announced() {
    let read = read(&[("sunset", "Sun, 06 Nov 1994 08:49:37 GMT")]).unwrap();
    assert_eq!((read.is_deprecated(), read.since(), read.sunset()), (false, None, at(784_111_777)));
}

#[test]
fn the_first_field_that_can_be_read_counts() {
    let read = read(&[
        ("deprecation", "soon"),
        ("deprecation", "@5"),
        ("deprecation", "@6"),
        ("sunset", "never"),
        ("sunset", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ]);
    let read = read.unwrap();
    assert_eq!((read.since(), read.sunset()), (at(5), at(784_111_777)));
}

#[test]
fn links_tell_more_and_announce_nothing_alone() {
    let link =
        ("link", "</v3>; rel=\"successor-version\", </why>; rel=\"deprecation sunset\", </no>; rel=sunset");
    assert_eq!(read(&[link]), None);
    let read = read(&[("deprecation", "true"), link]).unwrap();
    assert_eq!(read.successor(), Some("/v3"));
    assert_eq!((read.deprecation_link(), read.sunset_link()), (Some("/why"), Some("/why")));
}

/// What the hook was told: method, host and path, and whether it is the last.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<(String, bool)>>>);

impl Hook for Told {
    fn deprecated(&self, notice: &Notice<'_>) {
        let endpoint = format!("{} {} {}", notice.method, notice.host.unwrap_or("-"), notice.path);
        self.0.lock().unwrap().push((endpoint, notice.is_last));
    }
}

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap()).into_iter().map(|(endpoint, _)| endpoint).collect()
    }
}

/// Announces the end of all but `/stays`.
fn upstream()
-> impl tower::Service<Request<()>, Response = Response<()>, Error = Infallible, Future: Send> + Clone {
    service_fn(|request: Request<()>| async move {
        let mut response = Response::new(());
        if request.uri().path() != "/stays" {
            response.headers_mut().insert("deprecation", HeaderValue::from_static("@1"));
        }
        Ok::<_, Infallible>(response)
    })
}

async fn call(layer: &ApiVersionLayer<Told>, request: Request<()>) -> Response<()> {
    layer.layer(upstream()).oneshot(request).await.unwrap()
}

fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_reported_once_and_its_fact_is_in_every_response() {
    let told = Told::default();
    let layer = ApiVersionLayer::watch_only().hook(told.clone());
    for uri in ["http://u:p@a.example/x?token=1", "http://a.example/x?token=2", "http://a.example/x"] {
        let response = call(&layer, get(uri)).await;
        assert!(response.extensions().get::<Deprecated>().is_some_and(|d| d.since() == at(1)), "{uri}");
    }
    assert_eq!(told.take(), ["GET a.example /x"]);
    call(&layer, Request::post("http://a.example/x").body(()).unwrap()).await;
    call(&layer, get("http://b.example/x")).await;
    call(&layer, get("/x")).await;
    assert_eq!(told.take(), ["POST a.example /x", "GET b.example /x", "GET - /x"]);
}

#[tokio::test(start_paused = true)]
async fn a_response_that_says_nothing_gets_nothing() {
    let told = Told::default();
    let response = call(&ApiVersionLayer::watch_only().hook(told.clone()), get("/stays")).await;
    assert!(response.extensions().is_empty());
    assert_eq!(told.take(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_template_makes_one_endpoint_of_many_paths() {
    let told = Told::default();
    let layer = ApiVersionLayer::watch_only().hook(told.clone());
    for (id, template) in
        [(1, PathTemplate::from_static("/users/{id}")), (2, PathTemplate::new("/users/{id}".to_owned()))]
    {
        let mut request = get(&format!("http://a.example/users/{id}"));
        request.extensions_mut().insert(template);
        call(&layer, request).await;
    }
    assert_eq!(told.take(), ["GET a.example /users/{id}"]);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_1024_endpoints_are_reported() {
    let told = Told::default();
    let layer = ApiVersionLayer::watch_only().hook(told.clone());
    for nth in 0..1030 {
        let response = call(&layer, get(&format!("/{nth}"))).await;
        assert!(response.extensions().get::<Deprecated>().is_some());
    }
    let all = told.0.lock().unwrap();
    assert_eq!(all.len(), 1024);
    let last: Vec<usize> = all.iter().enumerate().filter(|(_, one)| one.1).map(|(at, _)| at).collect();
    assert_eq!(last, [1023]);
}

#[tokio::test(start_paused = true)]
async fn the_path_is_reported_as_it_was_sent() {
    let told = Told::default();
    let layer = ApiVersionLayer::new(ApiVersion::path("/v2").unwrap()).hook(told.clone());
    call(&layer, get("/users")).await;
    assert_eq!(told.take(), ["GET - /v2/users"]);
}

#[tokio::test(start_paused = true)]
async fn disabled_sends_and_reads_nothing() {
    let told = Told::default();
    let response = call(&ApiVersionLayer::disabled().hook(told.clone()), get("/x")).await;
    assert!(response.extensions().is_empty());
    assert_eq!(told.take(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn the_wall_clock_decides_the_century_and_is_not_read_for_silent_answers() {
    let upstream = service_fn(|request: Request<()>| async move {
        let mut response = Response::new(());
        if request.method() == Method::GET {
            let sunset = HeaderValue::from_static("Sunday, 06-Nov-94 08:49:37 GMT");
            response.headers_mut().insert("sunset", sunset);
        }
        Ok::<_, Infallible>(response)
    });
    let layer = ApiVersionLayer::watch_only().wall_clock(clock());
    let response = layer.layer(upstream).oneshot(get("/")).await.unwrap();
    assert_eq!(response.extensions().get::<Deprecated>().unwrap().sunset(), at(784_111_777));

    let layer = ApiVersionLayer::watch_only().wall_clock(WallClock::from_fn(|| unreachable!("it was read")));
    layer.layer(upstream).oneshot(Request::post("/").body(()).unwrap()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_inner_error_passes_untouched() {
    let failing = service_fn(|_: Request<()>| async { Err::<Response<()>, _>(std::fmt::Error) });
    let error: std::fmt::Error =
        ApiVersionLayer::watch_only().layer(failing).oneshot(get("/")).await.unwrap_err();
    assert_eq!(error, std::fmt::Error);
}

#[test]
fn debug_shows_neither_query_nor_user() {
    let request = get("http://user:secret@a.example/x?token=secret");
    assert_eq!(format!("{:?}", Endpoint::of(&request)), "GET a.example/x");
}
