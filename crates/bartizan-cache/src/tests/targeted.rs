//! Targeted fields, and groups.

use http::HeaderName;
use tokio::time::advance;
use tower::Layer;

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
