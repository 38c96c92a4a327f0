//! The layer as a whole, over a scripted origin and paused time.

use std::collections::VecDeque;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bartizan_core::{CallContext, WallClock};
use bartizan_test::alloc;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, advance};
use tower::{Layer, Service, ServiceExt};

use super::*;

mod background;
mod growing;
mod parts;
mod people;
mod posted;
mod races;
mod reuse;
mod store;
mod storing;
mod together;
mod variants;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// `Sun, 06 Nov 1994 08:49:37 GMT`, and from then on paused time.
pub(crate) fn clock() -> WallClock {
    let start = Instant::now();
    WallClock::from_fn(move || SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777) + start.elapsed())
}

/// `None`: it is not reached.
type Answers = VecDeque<Option<Response<Full<Bytes>>>>;

/// What the origin says next; 500 when it has nothing more to say.
#[derive(Clone, Default)]
pub(crate) struct Origin {
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<(Method, String, HeaderMap)>>>,
}

impl Origin {
    pub(crate) fn of(answers: impl IntoIterator<Item = Response<Full<Bytes>>>) -> Self {
        let origin = Self::default();
        origin.answers.lock().unwrap().extend(answers.into_iter().map(Some));
        origin
    }

    /// Is not reached the next time.
    fn then_unreachable(self) -> Self {
        self.answers.lock().unwrap().push_back(None);
        self
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn last(&self) -> HeaderMap {
        self.asked.lock().unwrap().last().unwrap().2.clone()
    }
}

impl Service<Request<Full<Bytes>>> for Origin {
    type Response = Response<Full<Bytes>>;
    type Error = &'static str;
    type Future = Ready<Result<Response<Full<Bytes>>, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let (head, _) = request.into_parts();
        self.asked.lock().unwrap().push((head.method, head.uri.to_string(), head.headers));
        let answer = self.answers.lock().unwrap().pop_front();
        ready(answer.unwrap_or_else(|| Some(answer_of(500, &[], ""))).ok_or("unreachable"))
    }
}

pub(crate) fn answer_of(status: u16, fields: &[(&str, &str)], body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status);
    for (name, value) in fields {
        response = response.header(*name, *value);
    }
    response.body(Full::from(body)).unwrap()
}

pub(crate) fn request(method: &str, uri: &str, fields: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Full::default()).unwrap()
}

pub(crate) const URI: &str = "http://a.example/x?y";

#[derive(Debug, PartialEq)]
pub(crate) struct Got {
    pub(crate) status: u16,
    age: Option<String>,
    body: String,
}

pub(crate) async fn send(
    cache: &Cache<Origin>,
    request: Request<Full<Bytes>>,
) -> Result<(Got, HeaderMap), &'static str> {
    let response = cache.clone().oneshot(request).await?;
    let (head, body) = response.into_parts();
    let age = head.headers.get("age").map(|age| age.to_str().unwrap().to_owned());
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    Ok((Got { status: head.status.as_u16(), age, body }, head.headers))
}

pub(crate) async fn get(cache: &Cache<Origin>, fields: &[(&str, &str)]) -> Got {
    send(cache, request("GET", URI, fields)).await.unwrap().0
}

fn got(status: u16, age: Option<u64>, body: &str) -> Got {
    Got { status, age: age.map(|age| age.to_string()), body: body.to_owned() }
}

pub(crate) fn cache(origin: &Origin) -> Cache<Origin> {
    CacheLayer::rfc9111().wall_clock(clock()).layer(origin.clone())
}

#[tokio::test(start_paused = true)]
async fn what_is_fresh_is_answered_from_memory_with_its_age() {
    let origin =
        Origin::of([answer_of(200, &[("cache-control", "max-age=10")], "one"), answer_of(200, &[], "two")]);
    let cache = cache(&origin);
    assert_eq!(get(&cache, &[]).await, got(200, None, "one"));
    advance(9 * SECOND).await;
    assert_eq!(get(&cache, &[]).await, got(200, Some(9), "one"));
    assert_eq!(origin.asked(), 1);
    advance(SECOND).await;
    assert_eq!(get(&cache, &[]).await, got(200, None, "two"));
}

#[tokio::test(start_paused = true)]
async fn what_is_stale_is_validated_and_freshened() {
    let fields = [("cache-control", "max-age=10"), ("etag", "\"a\""), ("x-old", "1")];
    let origin = Origin::of([
        answer_of(200, &fields, "one"),
        answer_of(304, &[("cache-control", "max-age=20"), ("etag", "\"a\""), ("x-new", "2")], ""),
    ]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    advance(10 * SECOND).await;
    let (answer, headers) = send(&cache, request("GET", URI, &[])).await.unwrap();
    assert_eq!(answer, got(200, Some(0), "one"));
    assert_eq!((&headers["x-old"], &headers["x-new"]), (&"1".parse().unwrap(), &"2".parse().unwrap()));
    assert_eq!(origin.last()["if-none-match"], "\"a\"");
    advance(19 * SECOND).await;
    assert_eq!(get(&cache, &[]).await, got(200, Some(19), "one"));
    assert_eq!(origin.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_304_to_the_caches_own_question_answers_the_clients() {
    let origin = Origin::of([
        answer_of(200, &[("cache-control", "no-cache"), ("etag", "\"a\"")], "one"),
        answer_of(304, &[("etag", "\"a\"")], ""),
        answer_of(304, &[("etag", "\"a\"")], ""),
    ]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    assert_eq!(get(&cache, &[("if-none-match", "\"a\"")]).await, got(304, Some(0), ""));
    assert_eq!(get(&cache, &[("if-none-match", "\"b\"")]).await, got(200, Some(0), "one"));
    assert_eq!(origin.last()["if-none-match"], "\"a\"", "ours, in the place of the client's");
}

#[tokio::test(start_paused = true)]
async fn who_wants_nothing_stored_is_not_asked_for_by_what_is_stored() {
    let says = [("cache-control", "no-cache"), ("etag", "\"a\"")];
    let origin = Origin::of([answer_of(200, &says, "one"), answer_of(200, &says, "two")]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    assert_eq!(get(&cache, &[("cache-control", "no-store")]).await, got(200, None, "two"));
    assert!(!origin.last().contains_key("if-none-match"), "of a 304 nothing could be stored");
}

#[tokio::test(start_paused = true)]
async fn a_304_about_something_else_is_asked_again_without_conditions() {
    let origin = Origin::of([
        answer_of(200, &[("cache-control", "no-cache"), ("etag", "\"a\"")], "one"),
        answer_of(304, &[("etag", "\"b\"")], ""),
        answer_of(200, &[("cache-control", "max-age=9"), ("etag", "\"b\"")], "two"),
    ]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    assert_eq!(get(&cache, &[]).await, got(200, None, "two"));
    assert!(!origin.last().contains_key("if-none-match"));
    assert_eq!(get(&cache, &[]).await, got(200, Some(0), "two"));
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_stored_is_not() {
    for (status, fields, request) in [
        (200, &[("cache-control", "No-Store, max-age=9")][..], &[][..]),
        (200, &[("cache-control", "max-age=9")], &[("cache-control", "no-store")]),
        (200, &[("cache-control", "max-age=9"), ("vary", "accept, *")], &[]),
        (302, &[], &[]),
        (500, &[], &[]),
        (412, &[("cache-control", "max-age=9")], &[("if-match", "\"a\"")]),
        (416, &[("cache-control", "max-age=9")], &[("range", "bytes=9-")]),
        (206, &[("cache-control", "max-age=9"), ("content-range", "bytes 0-2/3")], &[]),
        (200, &[("cache-control", "max-age=9"), ("content-length", "4")], &[]),
    ] {
        let origin = Origin::of([answer_of(status, fields, "one"), answer_of(200, &[], "two")]);
        let cache = cache(&origin);
        get(&cache, request).await;
        get(&cache, request).await;
        assert_eq!(origin.asked(), 2, "{status} {fields:?} {request:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shared_cache_keeps_nothing_that_is_somebodys() {
    for (fields, request, is_stored) in [
        (&[("cache-control", "max-age=9")][..], &[][..], true),
        (&[("cache-control", "private, max-age=9")], &[], false),
        (&[("cache-control", "max-age=9")], &[("authorization", "a")], false),
        (&[("cache-control", "public, max-age=9")], &[("authorization", "a")], true),
        (&[("cache-control", "s-maxage=9")], &[("authorization", "a")], true),
        (&[("cache-control", "s-maxage=a, max-age=9")], &[("authorization", "a")], false),
        (&[("cache-control", "max-age=9, must-revalidate")], &[("authorization", "a")], true),
        (&[("cache-control", "max-age=0, s-maxage=9")], &[], true),
    ] {
        let origin = Origin::of([answer_of(200, fields, "one"), answer_of(200, &[], "two")]);
        let cache = CacheLayer::rfc9111().shared().wall_clock(clock()).layer(origin.clone());
        get(&cache, request).await;
        get(&cache, request).await;
        assert_eq!(origin.asked() == 1, is_stored, "{fields:?} {request:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_private_cache_answers_nobody_with_what_others_got() {
    let fresh = || answer_of(200, &[("cache-control", "max-age=99")], "his");
    let origin = Origin::of((0..9).map(|_| fresh()));
    let cache = cache(&origin);
    for (fields, asked) in [(&[][..], 1), (&[("authorization", "a")], 2), (&[("authorization", "b")], 3)] {
        for _ in 0..2 {
            get(&cache, fields).await;
            assert_eq!(origin.asked(), asked, "{fields:?}");
        }
    }
    let of = |partition: &str| {
        let mut request = request("GET", URI, &[]);
        CallContext::edit(request.extensions_mut()).set_partition(partition);
        request
    };
    for (partition, asked) in [("x", 4), ("y", 5), ("x", 5)] {
        send(&cache, of(partition)).await.unwrap();
        assert_eq!(origin.asked(), asked, "{partition}");
    }
}

#[tokio::test(start_paused = true)]
async fn variants_live_side_by_side() {
    let variant =
        |body| answer_of(200, &[("cache-control", "max-age=99"), ("vary", "Accept-Language")], body);
    let origin = Origin::of([variant("en"), variant("de"), variant("none")]);
    let cache = cache(&origin);
    for (fields, body) in [
        (&[("accept-language", "en")][..], "en"),
        (&[("accept-language", "de")], "de"),
        (&[], "none"),
        (&[("accept-language", "en")], "en"),
        (&[("accept-language", "de")], "de"),
        (&[], "none"),
    ] {
        assert_eq!(get(&cache, fields).await.body, body, "{fields:?}");
    }
    assert_eq!(origin.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn requests_may_ask_for_more_than_freshness() {
    let fields = [("cache-control", "max-age=10")];
    for (age, asks, is_hit) in [
        (5, "", true),
        (5, "no-cache", false),
        (5, "max-age=5", true),
        (5, "max-age=4", false),
        (5, "min-fresh=5", true),
        (5, "min-fresh=6", false),
        (12, "max-stale=2", true),
        (12, "max-stale=1", false),
        (12, "max-stale", true),
        (12, "only-if-cached", false),
    ] {
        let origin = Origin::of([answer_of(200, &fields, "one"), answer_of(200, &[], "two")]);
        let cache = cache(&origin);
        get(&cache, &[]).await;
        advance(age * SECOND).await;
        let answer = get(&cache, &[("cache-control", asks)]).await;
        assert_eq!(answer.body == "one", is_hit, "{age} {asks}");
        if asks == "only-if-cached" {
            assert_eq!((answer.status, origin.asked()), (504, 1));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_changes_something_invalidates_it_for_everybody() {
    let fresh = || answer_of(200, &[("cache-control", "max-age=99")], "one");
    for (method, status, uri, location, is_invalidated) in [
        ("POST", 201, URI, None, true),
        ("DELETE", 204, URI, None, true),
        ("PURGE", 302, URI, None, true),
        ("POST", 404, URI, None, false),
        ("OPTIONS", 200, URI, None, false),
        ("POST", 200, "http://a.example/other", None, false),
        ("POST", 200, "http://a.example/other", Some("/x?y"), true),
        ("POST", 200, "http://a.example/other", Some("http://A.example:80/x?y"), true),
        ("POST", 200, "http://b.example/other", Some("http://a.example/x?y"), false),
    ] {
        let fields: Vec<_> = location.map(|location| ("location", location)).into_iter().collect();
        let origin = Origin::of([fresh(), fresh(), answer_of(status, &fields, ""), fresh(), fresh()]);
        let cache = cache(&origin);
        get(&cache, &[]).await;
        get(&cache, &[("authorization", "b")]).await;
        advance(SECOND).await;
        send(&cache, request(method, uri, &[])).await.unwrap();
        advance(SECOND).await;
        get(&cache, &[]).await;
        get(&cache, &[("authorization", "b")]).await;
        assert_eq!(
            origin.asked(),
            if is_invalidated { 5 } else { 3 },
            "{method} {status} {uri} {location:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_stands_in_for_an_origin_that_is_not_reached() {
    for (fields, is_answered) in [
        (&[("cache-control", "max-age=10")][..], true),
        (&[("cache-control", "max-age=10, must-revalidate")], false),
        (&[("cache-control", "no-cache")], false),
    ] {
        let origin = Origin::of([answer_of(200, fields, "one")]).then_unreachable();
        let cache = cache(&origin);
        get(&cache, &[]).await;
        advance(20 * SECOND).await;
        let answer = send(&cache, request("GET", URI, &[])).await;
        assert_eq!(
            answer.map(|(answer, _)| answer).ok(),
            is_answered.then(|| got(200, Some(20), "one")),
            "{fields:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_5xx_is_passed_on_unless_a_stale_answer_is_allowed() {
    for (says, asks, status, body) in [
        ("max-age=10", "", 503, "down"),
        ("max-age=10, stale-if-error=20", "", 500, "one"),
        ("max-age=10, stale-if-error=20", "", 501, "down"),
        ("max-age=10, stale-if-error=20", "", 502, "one"),
        ("max-age=10, stale-if-error=20", "", 503, "one"),
        ("max-age=10, stale-if-error=20", "", 504, "one"),
        ("max-age=10, stale-if-error=20", "", 404, "down"),
        ("max-age=10, stale-if-error=5", "", 503, "down"),
        ("max-age=10", "stale-if-error=20", 503, "one"),
        ("max-age=10, stale-if-error=20, must-revalidate", "", 503, "down"),
        ("max-age=10, stale-if-error=20", "no-cache", 503, "down"),
    ] {
        let origin =
            Origin::of([answer_of(200, &[("cache-control", says)], "one"), answer_of(status, &[], "down")]);
        let cache = cache(&origin);
        get(&cache, &[]).await;
        advance(20 * SECOND).await;
        assert_eq!(get(&cache, &[("cache-control", asks)]).await.body, body, "{says} {asks} {status}");
    }
}

#[tokio::test(start_paused = true)]
async fn parts_heads_and_conditions_are_answered_from_what_is_stored() {
    let fields = [
        ("cache-control", "max-age=99"),
        ("etag", "\"a\""),
        ("content-length", "6"),
        ("content-type", "text/plain"),
        ("content-encoding", "x"),
        ("content-language", "en"),
    ];
    let origin = Origin::of([answer_of(200, &fields, "abcdef")]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    let (part, headers) = send(&cache, request("GET", URI, &[("range", "bytes=2-3")])).await.unwrap();
    assert_eq!(part, got(206, Some(0), "cd"));
    assert_eq!(
        (&headers["content-range"], &headers["content-length"]),
        (&"bytes 2-3/6".parse().unwrap(), &"2".parse().unwrap())
    );
    let (head, headers) = send(&cache, request("HEAD", URI, &[])).await.unwrap();
    assert_eq!((head, &headers["content-length"]), (got(200, Some(0), ""), &"6".parse().unwrap()));
    let (refusal, headers) = send(&cache, request("GET", URI, &[("range", "bytes=9-")])).await.unwrap();
    assert_eq!((refusal, &headers["content-length"]), (got(416, Some(0), ""), &"0".parse().unwrap()));
    assert!(["type", "encoding", "language"].iter().all(|of| !headers.contains_key(format!("content-{of}"))));
    assert_eq!(get(&cache, &[("if-none-match", "W/\"a\"")]).await, got(304, Some(0), ""));
    assert_eq!(origin.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_incomplete_is_stored() {
    let origin = Origin::of((0..2).map(|_| answer_of(200, &[("cache-control", "max-age=99")], "one")));
    let cache = cache(&origin);
    let response = cache.clone().oneshot(request("GET", URI, &[])).await.unwrap();
    drop(response);
    get(&cache, &[]).await;
    assert_eq!(origin.asked(), 2, "its body was dropped unread");
}

#[tokio::test(start_paused = true)]
async fn by_age_alone_200s_are_kept_whatever_they_say() {
    for (status, says, asks, is_stored) in [
        (200, "", "", true),
        (200, "max-age=0", "", true),
        (200, "no-cache", "", true),
        (200, "private", "", true),
        (200, "", "max-age=0", true),
        (200, "no-store", "", false),
        (200, "", "no-store", false),
        (404, "", "", false),
    ] {
        let origin = Origin::of((0..3).map(|_| answer_of(status, &[("cache-control", says)], "one")));
        let cache = CacheLayer::classic().layer(origin.clone());
        let asks = [("cache-control", asks)];
        get(&cache, &asks).await;
        advance(299 * SECOND).await;
        get(&cache, &asks).await;
        assert_eq!(origin.asked() == 1, is_stored, "{status} {says} {asks:?}");
        advance(SECOND).await;
        get(&cache, &asks).await;
        assert_eq!(origin.asked(), if is_stored { 2 } else { 3 }, "{status} {says} {asks:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hit_allocates_four_times_at_most_however_long_it_is_and_twice_more_with_status() {
    let fields = [
        ("cache-control", "max-age=99"),
        ("content-type", "application/json"),
        ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("etag", "\"a\""),
        ("vary", "accept"),
    ];
    let mut counted = Vec::new();
    for (length, layer) in [
        (128, CacheLayer::rfc9111()),
        (1024 * 1024, CacheLayer::rfc9111()),
        (128, CacheLayer::rfc9111().status()),
    ] {
        let body = Box::leak("x".repeat(length).into_boxed_str());
        let cache = layer.wall_clock(clock()).layer(Origin::of([answer_of(200, &fields, body)]));
        // The first copy of a value makes it one that can be shared.
        for _ in 0..2 {
            get(&cache, &[("accept", "*/*")]).await;
        }
        let mut ready = cache.clone();
        let request = request("GET", URI, &[("accept", "*/*")]);
        let (response, counts) = alloc::count(|| {
            let mut hit = std::pin::pin!(ready.call(request));
            hit.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop()))
        });
        let Poll::Ready(Ok(response)) = response else { panic!("a hit waits for nothing") };
        assert_eq!(response.status(), if response.headers().contains_key("age") { 200 } else { 0 });
        counted.push(counts.allocations + counts.reallocations);
    }
    assert!(counted[0] <= 4 && counted[0] == counted[1] && counted[2] <= 6, "{counted:?}");
}

#[tokio::test(start_paused = true)]
async fn who_asks_may_be_told_by_other_fields() {
    let origin = Origin::of((0..9).map(|_| answer_of(200, &[("cache-control", "max-age=99")], "his")));
    let layer =
        CacheLayer::rfc9111().principals([http::HeaderName::from_static("x-tenant")]).wall_clock(clock());
    let cache = layer.layer(origin.clone());
    for (fields, asked) in [
        (&[("x-tenant", "a")][..], 1),
        (&[("x-tenant", "b")], 2),
        (&[("x-tenant", "a"), ("authorization", "x")], 2),
        (&[], 3),
    ] {
        get(&cache, fields).await;
        assert_eq!(origin.asked(), asked, "{fields:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn targets_without_an_origin_are_told_apart_by_host_or_by_none() {
    let answers = || Origin::of((0..9).map(|_| answer_of(200, &[("cache-control", "max-age=99")], "one")));
    let layer = CacheLayer::rfc9111().wall_clock(clock());
    for (layer, expected) in [(layer.clone(), 2), (layer.authority("a.example".parse().unwrap()), 1)] {
        let origin = answers();
        let cache = layer.layer(origin.clone());
        for host in ["a.example", "b.example", "A.example"] {
            send(&cache, request("GET", "/x", &[("host", host)])).await.unwrap();
        }
        assert_eq!(origin.asked(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_304_may_change_what_a_response_varies_by() {
    let says = [("cache-control", "no-cache"), ("etag", "\"a\"")];
    let varies = [("cache-control", "max-age=99"), ("etag", "\"a\""), ("vary", "accept")];
    let origin =
        Origin::of([answer_of(200, &says, "one"), answer_of(304, &varies, ""), answer_of(200, &[], "two")]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    for (accept, body) in [("x", "one"), ("x", "one"), ("y", "two")] {
        assert_eq!(get(&cache, &[("accept", accept)]).await.body, body, "{accept}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_it_did_is_told_where_that_is_asked_for() {
    let says = [("cache-control", "max-age=10"), ("etag", "\"a\""), ("vary", "accept")];
    let origin = Origin::of([
        answer_of(200, &[says[0], says[1], says[2], ("cache-status", "Inner; hit")], "one"),
        answer_of(304, &says, ""),
        answer_of(200, &[("cache-control", "no-store")], "two"),
        answer_of(200, &says, "three"),
        answer_of(204, &[], ""),
    ])
    .then_unreachable();
    let layer = CacheLayer::rfc9111()
        .status()
        .status_field(http::HeaderName::from_static("bartizan"))
        .wall_clock(clock());
    let cache = layer.layer(origin.clone());
    for (wait, method, fields, told) in [
        (0, "GET", &[][..], "fwd=uri-miss; fwd-status=200; stored"),
        (4, "GET", &[], "hit; ttl=6"),
        (6, "GET", &[], "fwd=stale; fwd-status=304; stored"),
        (0, "GET", &[("accept", "x")], "fwd=vary-miss; fwd-status=200"),
        (0, "GET", &[("cache-control", "no-cache")], "fwd=request; fwd-status=200; stored"),
        (0, "OPTIONS", &[], "fwd=method; fwd-status=204"),
        (30, "GET", &[], "hit; ttl=-20"),
    ] {
        advance(wait * SECOND).await;
        let response = cache.clone().oneshot(request(method, URI, fields)).await.unwrap();
        assert_eq!(
            response.extensions().get::<CacheStatus>().unwrap().to_string(),
            told,
            "{method} {fields:?}"
        );
        let lines: Vec<_> =
            response.headers().get_all("cache-status").iter().map(|line| line.to_str().unwrap()).collect();
        assert_eq!(lines.last().unwrap(), &format!("bartizan; {told}"));
        response.into_body().collect().await.unwrap();
    }
    let silent = self::cache(&Origin::of([answer_of(200, &says, "one")]));
    let response = silent.oneshot(request("GET", URI, &[])).await.unwrap();
    assert!(response.extensions().is_empty() && !response.headers().contains_key("cache-status"));
}

#[tokio::test(start_paused = true)]
async fn what_stands_in_for_a_failure_that_the_origin_told_is_no_hit() {
    let stored = || answer_of(200, &[("cache-control", "max-age=10, stale-if-error=99")], "one");
    let dates = [("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("expires", "Sun, 06 Nov 1994 08:49:32 GMT")];
    let expired = answer_of(200, &dates, "one");
    for (origin, told) in [
        (Origin::of([stored(), answer_of(503, &[], "")]), "fwd=stale; fwd-status=503"),
        (Origin::of([stored()]).then_unreachable(), "hit; ttl=-5"),
        (Origin::of([expired]).then_unreachable(), "hit; ttl=-20"),
    ] {
        let cache = CacheLayer::rfc9111().status().wall_clock(clock()).layer(origin);
        get(&cache, &[]).await;
        advance(15 * SECOND).await;
        let response = cache.oneshot(request("GET", URI, &[])).await.unwrap();
        assert_eq!(response.extensions().get::<CacheStatus>().unwrap().to_string(), told);
    }
}

#[tokio::test(start_paused = true)]
async fn under_a_name_that_is_no_token_it_tells_as_a_string() {
    for (name, told) in [("c3", "c3; "), ("*c", "*c; "), ("3c", "\"3c\"; "), ("_c", "\"_c\"; ")] {
        let origin = Origin::of([answer_of(200, &[], "one")]);
        let cache = CacheLayer::rfc9111().status_field(name.parse().unwrap()).layer(origin);
        let (_, headers) = send(&cache, request("GET", URI, &[])).await.unwrap();
        assert!(headers["cache-status"].to_str().unwrap().starts_with(told), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn by_age_alone_a_shared_cache_keeps_nothing_that_is_somebodys() {
    for (says, request, asked) in [
        ("max-age=9", &[("authorization", "a")][..], 2),
        ("private", &[], 2),
        ("public", &[("authorization", "a")], 1),
        ("s-maxage=9", &[("authorization", "a")], 1),
        ("must-revalidate", &[("authorization", "a")], 1),
        ("", &[], 1),
    ] {
        let origin = Origin::of((0..2).map(|_| answer_of(200, &[("cache-control", says)], "his")));
        let cache = CacheLayer::classic().shared().layer(origin.clone());
        get(&cache, request).await;
        get(&cache, &[]).await;
        assert_eq!(origin.asked(), asked, "{says} {request:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn conditions_that_only_the_origin_knows_go_there_as_they_are() {
    for (name, value) in [("if-match", "\"old\""), ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT")] {
        for (age, answer, status) in [(0, 412, 412), (20, 412, 412), (20, 503, 503)] {
            let says = [("cache-control", "max-age=10, stale-if-error=99"), ("etag", "\"old\"")];
            let origin = Origin::of([answer_of(200, &says, "one"), answer_of(answer, &[], "")]);
            let cache = cache(&origin);
            get(&cache, &[]).await;
            advance(age * SECOND).await;
            assert_eq!(get(&cache, &[(name, value)]).await.status, status, "{name} {age}");
            assert_eq!((origin.asked(), &origin.last()[name]), (2, &value.parse().unwrap()));
            assert!(!origin.last().contains_key("if-none-match"), "{name} {age}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_of_another_status_makes_what_is_stored_stale() {
    let says = [("cache-control", "max-age=10")];
    let origin =
        Origin::of([answer_of(404, &says, "none"), answer_of(200, &says, ""), answer_of(200, &says, "one")]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    advance(10 * SECOND).await;
    send(&cache, request("HEAD", URI, &[])).await.unwrap();
    assert_eq!(get(&cache, &[]).await, got(200, None, "one"));
}

#[tokio::test(start_paused = true)]
async fn a_304_without_a_date_is_of_when_it_came() {
    let says = [
        ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("expires", "Sun, 06 Nov 1994 08:49:47 GMT"),
        ("etag", "\"a\""),
    ];
    let not_modified = || answer_of(304, &[("etag", "\"a\"")], "");
    let origin = Origin::of([answer_of(200, &says, "one"), not_modified(), not_modified()]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    advance(20 * SECOND).await;
    get(&cache, &[]).await;
    get(&cache, &[]).await;
    assert_eq!(origin.asked(), 3, "it expired ten seconds ago");
}

#[tokio::test(start_paused = true)]
async fn what_a_304_chose_is_the_newest() {
    let says = |tag| [("cache-control", "max-age=99"), ("etag", tag)];
    let varies = [says("\"a\"")[0], says("\"a\"")[1], ("vary", "accept")];
    let origin = Origin::of([
        answer_of(200, &varies, "older"),
        answer_of(200, &says("\"b\""), "newer"),
        answer_of(304, &says("\"a\""), ""),
    ]);
    let cache = cache(&origin);
    let fresh = [("cache-control", "no-cache")];
    for (fields, body) in [(&[][..], "older"), (&fresh, "newer"), (&fresh, "older"), (&[], "older")] {
        assert_eq!(get(&cache, fields).await.body, body);
        advance(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_that_vary_what_a_304_chose_is_the_newest() {
    let says = |tag, vary| [("cache-control", "max-age=99"), ("etag", tag), ("vary", vary)];
    let origin = Origin::of([
        answer_of(200, &says("\"a\"", "accept"), "older"),
        answer_of(200, &says("\"b\"", "accept-language"), "newer"),
        answer_of(304, &says("\"a\"", "accept"), ""),
    ]);
    let cache = cache(&origin);
    let fresh = [("cache-control", "no-cache")];
    for (fields, body) in
        [(&[][..], "older"), (&fresh, "newer"), (&[], "newer"), (&fresh, "older"), (&[], "older")]
    {
        assert_eq!(get(&cache, fields).await.body, body);
        advance(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_varies_anew_answers_no_more_as_it_did() {
    let says = [("cache-control", "max-age=99"), ("etag", "\"a\"")];
    let varies = [says[0], says[1], ("vary", "accept")];
    let origin =
        Origin::of([answer_of(200, &says, "one"), answer_of(304, &varies, ""), answer_of(200, &[], "two")]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    get(&cache, &[("accept", "x"), ("cache-control", "no-cache")]).await;
    assert_eq!(get(&cache, &[("accept", "y")]).await.body, "two");
}

#[tokio::test(start_paused = true)]
async fn a_vary_that_is_not_stored_counts_after_a_304_too() {
    let says = [("cache-control", "max-age=9, no-cache=\"vary\""), ("etag", "\"a\""), ("vary", "accept")];
    let origin = Origin::of([
        answer_of(200, &says, "one"),
        answer_of(304, &says[..2], ""),
        answer_of(200, &[], "two"),
    ]);
    let cache = cache(&origin);
    get(&cache, &[("accept", "x")]).await;
    advance(10 * SECOND).await;
    assert_eq!(get(&cache, &[("accept", "x")]).await.body, "one");
    assert_eq!(get(&cache, &[("accept", "y")]).await.body, "two");
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_earlier_takes_no_newer_ones_place() {
    let says = [("cache-control", "max-age=99")];
    let origin = Origin::of([answer_of(200, &says, "one"), answer_of(200, &says, "two")]);
    let cache = cache(&origin);
    let slow = cache.clone().oneshot(request("GET", URI, &[])).await.unwrap();
    advance(SECOND).await;
    let newer = cache.clone().oneshot(request("GET", URI, &[("range", "bytes=0-")])).await.unwrap();
    newer.into_body().collect().await.unwrap();
    slow.into_body().collect().await.unwrap();
    assert_eq!(get(&cache, &[]).await.body, "two");
}

#[tokio::test(start_paused = true)]
async fn who_says_for_how_long_a_stale_answer_does_is_heeded() {
    for (says, asks, is_answered) in [
        ("max-age=10", "", true),
        ("max-age=10, stale-if-error=5", "", false),
        ("max-age=10, stale-if-error=10", "", true),
        ("max-age=10", "stale-if-error=5", false),
        ("max-age=10, stale-if-error=5", "stale-if-error=10", true),
        ("max-age=10", "no-cache", false),
    ] {
        let origin = Origin::of([answer_of(200, &[("cache-control", says)], "one")]).then_unreachable();
        let cache = cache(&origin);
        get(&cache, &[]).await;
        advance(20 * SECOND).await;
        let answer = send(&cache, request("GET", URI, &[("cache-control", asks)])).await;
        assert_eq!(answer.is_ok(), is_answered, "{says} {asks}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_304_brings_no_field_that_is_not_stored() {
    let says = [("cache-control", "max-age=10, private=\"set-cookie\""), ("etag", "\"a\"")];
    let renewed = [("etag", "\"a\""), ("set-cookie", "his")];
    let origin = Origin::of([answer_of(200, &says, "one"), answer_of(304, &renewed, "")]);
    let cache = CacheLayer::rfc9111().shared().wall_clock(clock()).layer(origin.clone());
    get(&cache, &[]).await;
    advance(10 * SECOND).await;
    get(&cache, &[]).await;
    let (answer, headers) = send(&cache, request("GET", URI, &[])).await.unwrap();
    assert_eq!((answer, origin.asked()), (got(200, Some(0), "one"), 2));
    assert!(!headers.contains_key("set-cookie"));
}

#[tokio::test(start_paused = true)]
async fn what_private_lists_is_stored_in_a_private_cache_alone() {
    for is_shared in [false, true] {
        let says = [("cache-control", "max-age=10, private=\"x-a\""), ("x-a", "1")];
        let layer = CacheLayer::rfc9111().wall_clock(clock());
        let layer = if is_shared { layer.shared() } else { layer };
        let cache = layer.layer(Origin::of([answer_of(200, &says, "one")]));
        get(&cache, &[]).await;
        let (_, headers) = send(&cache, request("GET", URI, &[])).await.unwrap();
        assert_eq!(headers.contains_key("x-a"), !is_shared);
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_without_room_for_one_more_field_is_passed_on() {
    let mut full = answer_of(200, &[("cache-control", "max-age=9"), ("etag", "\"a\"")], "one");
    for name in 0.. {
        let name = http::HeaderName::try_from(format!("x-{name}")).unwrap();
        if full.headers_mut().try_insert(name, "x".parse().unwrap()).is_err() {
            break;
        }
    }
    let origin = Origin::of([full.clone(), full]);
    let layer = CacheLayer::rfc9111().status_field(http::HeaderName::from_static("bartizan"));
    let cache = layer.layer(origin.clone());
    for _ in 0..2 {
        assert_eq!(get(&cache, &[("range", "bytes=0-1")]).await.body, "one");
    }
    assert_eq!(origin.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn as_many_fields_as_are_kept_are_stored_and_one_more_is_not() {
    for (by_304, fields, asked) in [(false, 1024, 2), (false, 1025, 3), (true, 1024, 2), (true, 1025, 4)] {
        let says = answer_of(200, &[("cache-control", "max-age=9"), ("etag", "\"a\"")], "one");
        let mut long = says.clone();
        for name in 2..fields {
            let name = http::HeaderName::try_from(format!("x-{name}")).unwrap();
            long.headers_mut().insert(name, "x".parse().unwrap());
        }
        let mut answers = vec![long.clone(), long.clone(), long.clone(), long.clone()];
        if by_304 {
            *answers[1].status_mut() = http::StatusCode::NOT_MODIFIED;
            answers[0] = says;
        }
        let origin = Origin::of(answers);
        let cache = cache(&origin);
        get(&cache, &[]).await;
        advance(9 * SECOND).await;
        for _ in 0..2 {
            assert_eq!(get(&cache, &[]).await.body, "one");
        }
        assert_eq!(origin.asked(), asked, "{by_304} {fields}");
    }
}
