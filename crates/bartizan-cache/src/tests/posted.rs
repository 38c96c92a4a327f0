//! What a POST brings of its target (RFC 9110 section 9.3.3).

use super::*;

const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const BEFORE: &str = "Sun, 06 Nov 1994 08:48:37 GMT";
const IN_A_MINUTE: &str = "Sun, 06 Nov 1994 08:50:37 GMT";
const ITSELF: (&str, &str) = ("content-location", "/x?y");
const FRESH: (&str, &str) = ("cache-control", "max-age=99");

async fn post(cache: &Cache<Origin>) -> Got {
    send(cache, request("POST", URI, &[]).map(|_| Full::from("content"))).await.unwrap().0
}

#[tokio::test(start_paused = true)]
async fn what_a_post_brings_of_its_target_answers_get_and_head() {
    let origin =
        Origin::of([answer_of(200, &[FRESH, ITSELF], "new"), answer_of(200, &[FRESH, ITSELF], "newer")]);
    let cache = cache(&origin);
    assert_eq!(post(&cache).await, got(200, None, "new"));
    advance(9 * SECOND).await;
    assert_eq!(get(&cache, &[]).await, got(200, Some(9), "new"));
    assert_eq!(send(&cache, request("HEAD", URI, &[])).await.unwrap().0, got(200, Some(9), ""));
    assert_eq!(origin.asked(), 1);
    assert_eq!(post(&cache).await, got(200, None, "newer"), "a POST goes to the origin");
    assert_eq!(get(&cache, &[]).await, got(200, Some(0), "newer"));
}

#[tokio::test(start_paused = true)]
async fn a_post_is_stored_only_with_explicit_freshness_and_the_location_of_its_target() {
    for (method, status, fields, is_stored) in [
        ("POST", 200, &[FRESH, ITSELF][..], true),
        ("POST", 200, &[FRESH, ("content-location", "")], true),
        ("POST", 200, &[FRESH, ("content-location", "x?y")], true),
        ("POST", 200, &[FRESH, ("content-location", "HTTP://A.example:80/z/../x?y#z")], true),
        ("POST", 200, &[ITSELF, ("expires", IN_A_MINUTE)], true),
        ("POST", 200, &[FRESH], false),
        ("POST", 200, &[FRESH, ("content-location", "/x")], false),
        ("POST", 200, &[FRESH, ("content-location", "http://b.example/x?y")], false),
        ("POST", 200, &[FRESH, ITSELF, ITSELF], false),
        ("POST", 200, &[ITSELF, ("last-modified", BEFORE), ("date", NOW)], false),
        ("POST", 200, &[ITSELF, ("cache-control", "public"), ("last-modified", BEFORE)], false),
        ("POST", 200, &[ITSELF, ("cache-control", "no-store, max-age=99")], false),
        ("POST", 201, &[FRESH, ITSELF], false),
        ("POST", 404, &[FRESH, ITSELF], false),
        ("PUT", 200, &[FRESH, ITSELF], false),
        ("PATCH", 200, &[FRESH, ITSELF], false),
    ] {
        let origin = Origin::of([answer_of(status, fields, "one"), answer_of(200, &[], "two")]);
        let cache = cache(&origin);
        send(&cache, request(method, URI, &[])).await.unwrap();
        get(&cache, &[]).await;
        assert_eq!(origin.asked() == 1, is_stored, "{method} {status} {fields:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn by_age_alone_no_post_is_kept() {
    let origin = Origin::of([answer_of(200, &[FRESH, ITSELF], "one"), answer_of(200, &[], "two")]);
    let cache = CacheLayer::classic().layer(origin);
    post(&cache).await;
    assert_eq!(get(&cache, &[]).await.body, "two");
}

#[tokio::test(start_paused = true)]
async fn a_post_makes_invalid_what_it_does_not_bring() {
    let origin = Origin::of([
        answer_of(200, &[FRESH, ("vary", "accept")], "old"),
        answer_of(200, &[FRESH], "slow"),
        answer_of(200, &[FRESH, ITSELF, ("vary", "accept")], "new"),
        answer_of(200, &[], "fetched"),
    ]);
    let cache = cache(&origin);
    get(&cache, &[("accept", "x")]).await;
    let slow = cache.clone().oneshot(request("GET", URI, &[("accept", "z")])).await.unwrap();
    advance(SECOND).await;
    send(&cache, request("POST", URI, &[("accept", "y")])).await.unwrap();
    slow.into_body().collect().await.unwrap();
    for (accept, body) in [("y", "new"), ("x", "fetched")] {
        assert_eq!(get(&cache, &[("accept", accept)]).await.body, body, "{accept}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_post_brought_is_invalid_after_the_next_change() {
    let origin = Origin::of([
        answer_of(200, &[FRESH, ITSELF], "new"),
        answer_of(204, &[], ""),
        answer_of(200, &[], "two"),
    ]);
    let cache = cache(&origin);
    let unread = cache.clone().oneshot(request("POST", URI, &[])).await.unwrap();
    advance(SECOND).await;
    send(&cache, request("DELETE", URI, &[])).await.unwrap();
    unread.into_body().collect().await.unwrap();
    assert_eq!(get(&cache, &[]).await.body, "two");
}

#[tokio::test(start_paused = true)]
async fn what_a_post_brings_is_not_stored_if_its_target_changed_meanwhile() {
    for (uri, body) in [(URI, "two"), ("http://a.example/other", "new")] {
        let origin = Origin::of([
            answer_of(204, &[], ""),
            answer_of(200, &[FRESH, ITSELF], "new"),
            answer_of(200, &[], "two"),
        ]);
        let cache = CacheLayer::rfc9111().layer(tower::service_fn(move |request: Request<Full<Bytes>>| {
            let origin = origin.clone();
            async move {
                if *request.method() == Method::POST {
                    tokio::time::sleep(3 * SECOND).await;
                }
                origin.oneshot(request).await
            }
        }));
        let read = |method: &'static str, uri: &'static str| {
            let call = cache.clone().oneshot(request(method, uri, &[]));
            async move { call.await.unwrap().into_body().collect().await.unwrap().to_bytes() }
        };
        let (posted, _) = tokio::join!(read("POST", URI), async {
            tokio::time::sleep(SECOND).await;
            read("DELETE", uri).await
        });
        assert_eq!((&posted[..], &read("GET", URI).await[..]), (&b"new"[..], body.as_bytes()), "{uri}");
    }
}
