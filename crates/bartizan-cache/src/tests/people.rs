//! What callers and operators may say: per-call modes, contents by hand, settings, and what the hook is told.

use std::sync::Mutex;

use bartizan_core::{CacheMode, Rejection};
use bartizan_test::bodies::{Body, Step};
use http::Uri;
use http_body::SizeHint;

use super::*;

const FRESH: (&str, &str) = ("cache-control", "max-age=10");

async fn as_told(
    cache: &Cache<Origin>,
    fields: &[(&str, &str)],
    say: impl FnOnce(&mut CallContext),
) -> String {
    let mut request = request("GET", URI, fields);
    say(CallContext::edit(request.extensions_mut()));
    send(cache, request).await.unwrap().0.body
}

async fn in_mode(cache: &Cache<Origin>, mode: CacheMode) -> String {
    as_told(cache, &[], |call| call.cache_mut().mode = mode).await
}

fn bodies(bodies: &[&'static str], fields: &[(&str, &str)]) -> Origin {
    Origin::of(bodies.iter().map(|body| answer_of(200, fields, body)))
}

#[tokio::test(start_paused = true)]
async fn a_call_may_go_past_the_cache_and_leave_nothing_there() {
    let origin = bodies(&["one", "two"], &[FRESH]);
    let cache = cache(&origin);
    assert_eq!(in_mode(&cache, CacheMode::NoStore).await, "one");
    assert_eq!(get(&cache, &[]).await.body, "two", "one is not stored");
    origin.answers.lock().unwrap().push_back(Some(answer_of(200, &[FRESH], "three")));
    assert_eq!(in_mode(&cache, CacheMode::NoStore).await, "three");
    assert_eq!(get(&cache, &[]).await.body, "two", "and replaces nothing");
}

#[tokio::test(start_paused = true)]
async fn a_get_with_content_goes_past_the_cache() {
    let origin = bodies(&["one", "two", "three"], &[FRESH]);
    let cache = cache(&origin);
    let asks = |content: &'static str| request("GET", URI, &[]).map(|_| Full::from(content));
    for (content, answer) in [("a", "one"), ("b", "two"), ("", "three"), ("", "three")] {
        assert_eq!(send(&cache, asks(content)).await.unwrap().0.body, answer);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_past_the_cache_is_known_to_it() {
    let origin = bodies(&["one", "", "two"], &[FRESH]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    let mut delete = request("DELETE", URI, &[]);
    CallContext::edit(delete.extensions_mut()).cache_mut().mode = CacheMode::NoStore;
    send(&cache, delete).await.unwrap();
    assert_eq!(get(&cache, &[]).await.body, "two");
}

#[tokio::test(start_paused = true)]
async fn a_reload_asks_the_origin_without_conditions_and_is_stored() {
    let origin = bodies(&["one", "two"], &[FRESH, ("etag", "\"1\"")]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    assert_eq!(in_mode(&cache, CacheMode::Reload).await, "two");
    assert!(!origin.last().contains_key("if-none-match"));
    assert_eq!(get(&cache, &[]).await.body, "two");
}

#[tokio::test(start_paused = true)]
async fn that_the_caller_said_so_is_told() {
    for (mode, told) in [(CacheMode::NoStore, Forward::Bypass), (CacheMode::Reload, Forward::Request)] {
        let mut request = request("GET", URI, &[]);
        CallContext::edit(request.extensions_mut()).cache_mut().mode = mode;
        let response = CacheLayer::rfc9111().status().layer(bodies(&["one"], &[])).oneshot(request).await;
        let response = response.unwrap();
        let Some(CacheStatus::Forwarded { why, .. }) = response.extensions().get() else {
            panic!("{mode:?}")
        };
        assert_eq!(*why, told);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_may_be_asked_for_however_old_it_is_unless_it_forbids_that() {
    let no_matter = [("cache-control", "no-cache, max-age=0, min-fresh=9")];
    for (says, layer, answer) in [
        ("max-age=10", CacheLayer::rfc9111(), "one"),
        ("max-age=10, must-revalidate", CacheLayer::rfc9111(), "two"),
        ("no-cache", CacheLayer::rfc9111(), "two"),
        ("", CacheLayer::classic(), "one"),
    ] {
        let origin = bodies(&["one", "two"], &[("cache-control", says)]);
        let cache = layer.wall_clock(clock()).layer(origin.clone());
        let forced = async |cache| {
            as_told(cache, &no_matter, |call| call.cache_mut().mode = CacheMode::ForceCache).await
        };
        assert_eq!(forced(&cache).await, "one");
        advance(1000 * SECOND).await;
        assert_eq!(forced(&cache).await, answer, "{says}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_may_say_how_long_its_answer_is_fresh_but_not_that_it_is_stored() {
    for (says, layer, is_stored) in [
        ("max-age=1", CacheLayer::rfc9111(), true),
        ("", CacheLayer::rfc9111(), true),
        ("", CacheLayer::classic(), true),
        ("no-store", CacheLayer::rfc9111(), false),
        ("private, max-age=9", CacheLayer::rfc9111().shared(), false),
        ("no-store", CacheLayer::classic(), false),
    ] {
        let origin = bodies(&["one", "two", "three"], &[("cache-control", says)]);
        let cache = layer.wall_clock(clock()).layer(origin.clone());
        as_told(&cache, &[], |call| call.cache_mut().ttl = Some(1000 * SECOND)).await;
        advance(999 * SECOND).await;
        assert_eq!(get(&cache, &[]).await.body, if is_stored { "one" } else { "two" }, "{says}");
        advance(SECOND).await;
        assert_ne!(get(&cache, &[]).await.body, "one", "{says}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_is_fresh_for_as_long_as_the_cache_was_told() {
    for (status, fields, lifetime) in [
        (200, &[][..], 60),
        (500, &[], 0),
        (500, &[("cache-control", "public")], 0),
        (200, &[FRESH], 10),
        (200, &[("expires", "0")], 0),
        // A tenth of the time since then.
        (200, &[("last-modified", "Sun, 06 Nov 1994 08:32:57 GMT")], 100),
        (200, &[("cache-control", "no-store")], 0),
    ] {
        let origin = Origin::of([answer_of(status, fields, "one"), answer_of(200, &[], "two")]);
        let layer = CacheLayer::rfc9111().default_ttl(60 * SECOND).wall_clock(clock());
        let cache = layer.layer(origin.clone());
        get(&cache, &[]).await;
        if lifetime > 0 {
            advance((lifetime - 1) * SECOND).await;
            assert_eq!(get(&cache, &[]).await.body, "one", "{fields:?}");
            advance(SECOND).await;
        }
        assert_eq!(get(&cache, &[]).await.body, "two", "{fields:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn for_how_long_a_stale_response_answers_where_the_origin_is_not_reached_is_settable() {
    for (bound, answers) in [(None, [false, false]), (Some(5 * SECOND), [true, false])] {
        let origin = Origin::of([answer_of(200, &[FRESH], "one")]).then_unreachable().then_unreachable();
        let layer = CacheLayer::rfc9111().stale_if_unreachable(bound).wall_clock(clock());
        let cache = layer.layer(origin.clone());
        get(&cache, &[]).await;
        advance(15 * SECOND).await;
        assert_eq!(send(&cache, request("GET", URI, &[])).await.is_ok(), answers[0]);
        advance(SECOND).await;
        assert_eq!(send(&cache, request("GET", URI, &[])).await.is_ok(), answers[1]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_is_not_reached_may_be_told_of_with_a_504() {
    let fields = [("cache-control", "max-age=10, must-revalidate")];
    let origin = Origin::of([answer_of(200, &fields, "one")]).then_unreachable();
    let cache = CacheLayer::rfc9111().respond().wall_clock(clock()).layer(origin.clone());
    get(&cache, &[]).await;
    advance(10 * SECOND).await;
    assert_eq!(get(&cache, &[]).await, got(504, None, ""));
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_what_is_stored_alone_hears_that_nothing_was_sent() {
    for (method, status) in [("GET", 504), ("HEAD", 504), ("DELETE", 204)] {
        let origin = Origin::of([answer_of(204, &[], "")]);
        let request = request(method, URI, &[("cache-control", "only-if-cached")]);
        let response = cache(&origin).oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{method}");
        assert_eq!(response.extensions().get::<Rejection>().is_some(), status == 504, "{method}");
        assert_eq!(origin.asked() == 0, status == 504, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn people_see_what_is_stored_and_nobody_is_asked() {
    let layer = CacheLayer::rfc9111().wall_clock(clock());
    let origin = bodies(&["one"], &[FRESH, ("etag", "\"1\""), ("vary", "x-a")]);
    assert!(layer.get(&request("GET", URI, &[])).is_none());
    send(&layer.layer(origin.clone()), request("GET", URI, &[("x-a", "1")])).await.unwrap();
    advance(20 * SECOND).await;
    let conditional =
        [("x-a", "1"), ("if-none-match", "\"1\""), ("cache-control", "no-cache"), ("range", "bytes=0-0")];
    let seen = layer.get(&request("GET", URI, &conditional)).unwrap();
    assert_eq!(
        (seen.status().as_u16(), &seen.headers()["age"], &seen.body()[..]),
        (200, &"20".parse().unwrap(), &b"one"[..])
    );
    assert!(layer.get(&request("GET", URI, &[("x-a", "2")])).is_none(), "another variant");
    let theirs = [("x-a", "1"), ("authorization", "Bearer x")];
    assert!(layer.get(&request("GET", URI, &theirs)).is_none(), "another principal");
    assert_eq!(origin.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn people_may_put_in_what_the_origin_would_answer_and_nothing_else() {
    let layer = CacheLayer::rfc9111().wall_clock(clock()).max_body(3);
    let origin = bodies(&[], &[]);
    let answer = |fields: &[(&str, &str)]| {
        let (head, _) = answer_of(200, fields, "").into_parts();
        Response::from_parts(head, Bytes::from("one"))
    };
    let insert = |answer| layer.insert(&request("GET", URI, &[]), answer);
    insert(answer(&[FRESH, ("content-length", "3")])).unwrap();
    assert_eq!(get(&layer.layer(origin.clone()), &[]).await, got(200, Some(0), "one"));
    assert_eq!(insert(answer(&[("cache-control", "no-store")])), Err(NotStored::NoStore));
    assert_eq!(insert(answer(&[FRESH, ("content-length", "4")])), Err(NotStored::Incomplete));
    assert_eq!(insert(answer(&[FRESH]).map(|_| Bytes::from("four"))), Err(NotStored::TooLong));
    assert_eq!(layer.insert(&request("PUT", URI, &[]), answer(&[FRESH])), Err(NotStored::Method));
    assert_eq!(origin.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn people_may_remove_a_target_or_all_and_what_is_on_its_way_too() {
    type Forget = fn(&CacheLayer);
    let all: Forget = |layer| layer.clear();
    let one: Forget = |layer| layer.remove(&Uri::from_static("HTTP://A.example:80/x?y"));
    let another: Forget = |layer| layer.remove(&Uri::from_static("http://a.example/x"));
    for (forget, is_forgotten) in [(all, true), (one, true), (another, false)] {
        let origin = bodies(&["one", "two", "three"], &[FRESH]);
        let layer = CacheLayer::rfc9111().wall_clock(clock());
        let cache = layer.layer(origin.clone());
        for who in [&[][..], &[("authorization", "x")]] {
            get(&cache, who).await;
            forget(&layer);
        }
        assert_eq!(get(&cache, &[]).await.body, if is_forgotten { "three" } else { "one" });
        forget(&layer);
        // On its way, and what comes after.
        let origin = bodies(&["one", "two"], &[FRESH]);
        let cache = layer.layer(origin.clone());
        let other = "http://a.example/x?y&z";
        let response = cache.clone().oneshot(request("GET", other, &[])).await.unwrap();
        layer.remove(&Uri::from_static(other));
        response.into_body().collect().await.unwrap();
        assert_eq!(send(&cache, request("GET", other, &[])).await.unwrap().0.body, "two");
        assert_eq!(send(&cache, request("GET", other, &[])).await.unwrap().0.body, "two");
    }
}

#[tokio::test(start_paused = true)]
async fn a_setter_makes_a_new_cache_and_clones_share_one() {
    let origin = bodies(&["one", "two"], &[FRESH]);
    let layer = CacheLayer::rfc9111().wall_clock(clock());
    let clone = layer.clone();
    get(&layer.layer(origin.clone()), &[]).await;
    assert_eq!(get(&clone.layer(origin.clone()), &[]).await.body, "one");
    assert_eq!(get(&clone.max_bytes(1 << 20).layer(origin.clone()), &[]).await.body, "two");
}

/// What the hook was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn hook(&self) -> impl Hook + 'static {
        let told = self.clone();
        move |event: &Event<'_>| {
            let line = match event {
                Event::Answered { target, status } => format!("{target} {status}"),
                Event::Stored { bytes, .. } => format!("stored {bytes}"),
                Event::NotStored { why, .. } => format!("not stored: {}", why.as_str()),
                Event::Invalidated { target } => format!("invalid {target}"),
                Event::NotRefreshed { target } => format!("not refreshed {target}"),
            };
            told.0.lock().unwrap().push(line);
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn the_hook_is_told_of_each_answer_and_of_what_is_stored_without_the_query() {
    let origin = Origin::of([
        answer_of(200, &[("cache-control", "max-age=10, stale-while-revalidate=10")], "one"),
        answer_of(204, &[("location", "/other?secret")], ""),
        answer_of(200, &[("cache-control", "no-store")], "two"),
        answer_of(200, &[FRESH, ("content-length", "9")], "short"),
        answer_of(200, &[FRESH], "longer than that"),
    ]);
    let told = Told::default();
    let layer = CacheLayer::rfc9111().max_body(10).hook(told.hook()).wall_clock(clock());
    let cache = layer.layer(origin.clone());
    let target = "http://a.example/x";
    let missed = |more: &str| format!("{target} fwd=uri-miss; fwd-status=200{more}");

    get(&cache, &[]).await;
    assert_eq!(told.take(), [missed("; stored"), "stored 3".into()]);
    get(&cache, &[]).await;
    assert_eq!(told.take(), [format!("{target} hit; ttl=10")]);
    send(&cache, request("DELETE", URI, &[])).await.unwrap();
    let other = "invalid http://a.example/other".to_owned();
    let passed = format!("{target} fwd=method; fwd-status=204");
    assert_eq!(told.take(), ["not stored: method".into(), format!("invalid {target}"), other, passed]);
    get(&cache, &[]).await;
    assert_eq!(told.take(), ["not stored: no_store".into(), missed("")]);
    get(&cache, &[]).await;
    assert_eq!(told.take(), [missed("; stored"), "not stored: incomplete".into()]);
    get(&cache, &[]).await;
    assert_eq!(told.take(), ["not stored: too_long".into(), missed("")]);
}

#[tokio::test(start_paused = true)]
async fn the_hook_is_told_of_what_breaks_off_and_of_what_is_too_long_on_its_way() {
    let told = Told::default();
    let layer = CacheLayer::rfc9111().max_body(10).hook(told.hook()).wall_clock(clock());
    let origin = bodies(&["one"], &[FRESH]);
    let response = layer.layer(origin).oneshot(request("GET", URI, &[])).await.unwrap();
    drop(response);
    assert_eq!(told.take()[1..], ["not stored: incomplete"]);

    let part = answer_of(206, &[FRESH, ("content-range", "bytes 0-2/9")], "one");
    for answer in [answer_of(200, &[FRESH], "one"), part] {
        let asks = request("GET", URI, &[("range", "bytes=0-2")]);
        let response = layer.layer(Origin::of([answer])).oneshot(asks).await.unwrap();
        layer.clear();
        response.into_body().collect().await.unwrap();
        assert_eq!(told.take()[1..], ["not stored: changed"]);
    }

    let long = tower::service_fn(|_: Request<Full<Bytes>>| async {
        let body = Body::frames([Step::data("longer "), Step::data("than that")])
            .with_size_hint(SizeHint::default());
        Ok::<_, &str>(Response::builder().header(FRESH.0, FRESH.1).body(body).unwrap())
    });
    let response = layer.layer(long).oneshot(request("GET", URI, &[])).await.unwrap();
    response.into_body().collect().await.unwrap();
    assert_eq!(told.take()[1..], ["not stored: too_long"]);
}

#[tokio::test(start_paused = true)]
async fn the_hook_is_told_of_what_is_fetched_in_the_background_in_vain() {
    let in_window = "max-age=10, stale-while-revalidate=100, stale-if-error=100";
    for (says, is_down, is_told) in [
        (in_window, false, true),
        (in_window, true, true),
        ("max-age=10, stale-if-error=100", false, false),
        ("max-age=10, stale-if-error=100", true, false),
    ] {
        let first = Origin::of([answer_of(200, &[("cache-control", says)], "one")]);
        let origin = if is_down { first } else { first.then_unreachable() };
        if is_down {
            origin.answers.lock().unwrap().push_back(Some(answer_of(503, &[], "")));
        }
        let told = Told::default();
        let cache = CacheLayer::rfc9111().hook(told.hook()).wall_clock(clock()).layer(origin.clone());
        get(&cache, &[]).await;
        advance(20 * SECOND).await;
        told.take();
        assert_eq!(get(&cache, &[]).await.body, "one");
        tokio::task::yield_now().await;
        let is_so = told.take().iter().any(|line| line == "not refreshed http://a.example/x");
        assert_eq!((is_so, origin.asked()), (is_told, 2), "{says} {is_down}");
    }
}
