//! Targeted fields, and groups.

use bytes::Bytes;
use http::{HeaderName, Method, Request};
use http_body_util::{BodyExt, Full};
use tokio::time::{advance, sleep};
use tower::{Layer, ServiceExt};

use crate::tests::{Origin, SECOND, answer_of, cache, clock, get, request, send};
use crate::*;

#[tokio::test(start_paused = true)]
async fn a_targeted_field_stands_for_cache_control() {
    let fields = [("cache-control", "no-store"), ("cdn-cache-control", "max-age=9")];
    for (targets, asked) in [(vec![], 2), (vec![HeaderName::from_static("cdn-cache-control")], 1)] {
        let origin = Origin::of((0..2).map(|_| answer_of(200, &fields, "one")));
        let layer = CacheLayer::rfc9111().shared().targets(targets).wall_clock(clock());
        let cache = layer.layer(origin.clone());
        get(&cache, &[]).await;
        get(&cache, &[]).await;
        assert_eq!(origin.asked(), asked);
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_it_already_hears_of_the_targeted_field() {
    let target = HeaderName::from_static("example-cache-control");
    let origin = Origin::of([answer_of(200, &[(target.as_str(), "max-age=9"), ("etag", "\"a\"")], "one")]);
    let cache = CacheLayer::rfc9111().targets([target.clone()]).wall_clock(clock()).layer(origin);
    get(&cache, &[]).await;
    let asks = request("GET", "http://a.example/x?y", &[("if-none-match", "\"a\"")]);
    let (answer, headers) = send(&cache, asks).await.unwrap();
    assert_eq!((answer.status, &headers[&target]), (304, &"max-age=9".parse().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_group_is_invalidated_with_one_word() {
    let fresh = |group| answer_of(200, &[("cache-control", "max-age=99"), ("cache-groups", group)], "one");
    let origin = Origin::of([
        fresh("\"scripts\", \"a\""),
        fresh("\"styles\""),
        answer_of(200, &[("cache-group-invalidation", "\"scripts\"")], ""),
        fresh("\"scripts\""),
    ]);
    let cache = cache(&origin);
    for (method, uri, asked) in [
        ("GET", "http://a.example/1", 1),
        ("GET", "http://a.example/2", 2),
        ("POST", "http://a.example/3", 3),
        ("GET", "http://a.example/2", 3),
        ("GET", "http://a.example/1", 4),
        ("GET", "http://a.example/1", 4),
    ] {
        advance(SECOND).await;
        send(&cache, request(method, uri, &[])).await.unwrap();
        assert_eq!(origin.asked(), asked, "{method} {uri}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_after_a_group_was_invalidated_waits_for_nothing_of_it_that_was_asked_for_before() {
    let fresh = |body| answer_of(200, &[("cache-control", "max-age=99"), ("cache-groups", "\"g\"")], body);
    let invalidates = answer_of(204, &[("cache-group-invalidation", "\"g\"")], "");
    let origin = Origin::of([invalidates, fresh("old"), fresh("new")]);
    let cache = CacheLayer::rfc9111().layer(tower::service_fn(move |request: Request<Full<Bytes>>| {
        let origin = origin.clone();
        async move {
            if *request.method() == Method::GET {
                sleep(3 * SECOND).await;
            }
            origin.oneshot(request).await
        }
    }));
    let after = async |seconds: u32, method, uri| {
        sleep(seconds * SECOND).await;
        let response = cache.clone().oneshot(request(method, uri, &[])).await.unwrap();
        response.into_body().collect().await.unwrap().to_bytes()
    };
    let (one, other) = ("http://a.example/1", "http://a.example/2");
    let (before, _, afterwards) =
        tokio::join!(after(0, "GET", one), after(1, "POST", other), after(2, "GET", one));
    assert_eq!((before, afterwards), ("old".into(), "new".into()));
}

#[tokio::test(start_paused = true)]
async fn a_304_may_put_a_response_into_another_group() {
    let says = |group| [("cache-control", "max-age=10"), ("etag", "\"a\""), ("cache-groups", group)];
    let origin = Origin::of([
        answer_of(200, &says("\"scripts\""), "one"),
        answer_of(304, &says("\"styles\""), ""),
        answer_of(200, &[("cache-group-invalidation", "\"styles\"")], ""),
        answer_of(200, &[], "two"),
    ]);
    let cache = cache(&origin);
    for (method, uri, asked) in [
        ("GET", "http://a.example/1", 1),
        ("GET", "http://a.example/1", 2),
        ("POST", "http://a.example/2", 3),
        ("GET", "http://a.example/1", 4),
    ] {
        send(&cache, request(method, uri, &[])).await.unwrap();
        assert_eq!(origin.asked(), asked, "{method} {uri}");
        advance(if asked == 1 { 10 * SECOND } else { SECOND }).await;
    }
}
