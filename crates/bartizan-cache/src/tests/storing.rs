//! What is stored, and for how long it is fresh.

use super::*;

/// When it is asked for, by [`clock`].
const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const FIVE_AGO: &str = "Sun, 06 Nov 1994 08:49:32 GMT";
const A_MINUTE_AGO: &str = "Sun, 06 Nov 1994 08:48:37 GMT";
const IN_A_MINUTE: &str = "Sun, 06 Nov 1994 08:50:37 GMT";

fn layer(is_shared: bool) -> CacheLayer {
    let layer = CacheLayer::rfc9111().wall_clock(clock());
    if is_shared { layer.shared() } else { layer }
}

#[tokio::test(start_paused = true)]
async fn a_response_is_fresh_for_as_long_as_it_says_or_a_tenth_of_its_age() {
    for (is_shared, status, fields, seconds) in [
        (false, 200, &[("cache-control", "max-age=10"), ("expires", IN_A_MINUTE)][..], 10),
        (false, 200, &[("cache-control", "s-maxage=20, max-age=10")], 10),
        (true, 200, &[("cache-control", "s-maxage=20, max-age=10")], 20),
        (true, 200, &[("cache-control", "s-maxage=a, max-age=10")], 0),
        (false, 200, &[("expires", IN_A_MINUTE)], 60),
        (false, 302, &[("expires", IN_A_MINUTE)], 60),
        (false, 200, &[("expires", IN_A_MINUTE), ("date", A_MINUTE_AGO)], 60),
        (false, 200, &[("expires", A_MINUTE_AGO), ("date", NOW)], 0),
        (false, 200, &[("expires", "0"), ("last-modified", A_MINUTE_AGO)], 0),
        (false, 200, &[("last-modified", A_MINUTE_AGO)], 6),
        (false, 200, &[("last-modified", A_MINUTE_AGO), ("date", FIVE_AGO)], 1),
        (false, 200, &[("last-modified", IN_A_MINUTE)], 0),
        (false, 302, &[("last-modified", A_MINUTE_AGO)], 0),
        (false, 302, &[("last-modified", A_MINUTE_AGO), ("cache-control", "private")], 0),
        (false, 302, &[("last-modified", A_MINUTE_AGO), ("cache-control", "public")], 6),
        (false, 200, &[("last-modified", "Wed, 06 Nov 1991 08:49:37 GMT")], 7 * 24 * 60 * 60),
        (false, 200, &[("cache-control", "max-age=10"), ("age", "6")], 4),
        (false, 200, &[("cache-control", "max-age=10"), ("date", FIVE_AGO)], 5),
        (false, 200, &[("cache-control", "max-age=10"), ("date", FIVE_AGO), ("age", "7")], 3),
    ] {
        let origin = Origin::of((0..2).map(|_| answer_of(status, fields, "one")));
        let cache = layer(is_shared).layer(origin.clone());
        get(&cache, &[]).await;
        if let Some(before) = Duration::from_secs(seconds).checked_sub(Duration::from_millis(600)) {
            advance(before).await;
            get(&cache, &[]).await;
            assert_eq!(origin.asked(), 1, "{is_shared} {status} {fields:?}");
            advance(Duration::from_millis(600)).await;
        }
        get(&cache, &[]).await;
        assert_eq!(origin.asked(), 2, "{is_shared} {status} {fields:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_on_the_way_counts_as_age() {
    let origin = Origin::of([answer_of(200, &[("cache-control", "max-age=99"), ("age", "4")], "one")]);
    let slow = tower::service_fn(move |request| {
        let origin = origin.clone();
        async move {
            tokio::time::sleep(3 * SECOND).await;
            origin.oneshot(request).await
        }
    });
    let cache = layer(false).layer(slow);
    let first = cache.clone().oneshot(request("GET", URI, &[])).await.unwrap();
    first.into_body().collect().await.unwrap();
    advance(2 * SECOND).await;
    let second = cache.oneshot(request("GET", URI, &[])).await.unwrap();
    assert_eq!(second.headers()["age"], "9");
}

/// Those that are validated when they are asked for once more.
async fn stored(says: &'static str, is_shared: bool) -> Vec<u16> {
    let fields = [("cache-control", says), ("etag", "\"a\"")];
    let origin = Origin::default();
    let cache = layer(is_shared).layer(origin.clone());
    let mut stored = Vec::new();
    for status in 199..=600 {
        origin.answers.lock().unwrap().push_back(Some(answer_of(status, &fields, "")));
        let uri = format!("{URI}{status}");
        for asks in [&[][..], &[("cache-control", "no-cache")]] {
            send(&cache, request("GET", &uri, asks)).await.unwrap();
        }
        if origin.last().contains_key("if-none-match") {
            stored.push(status);
        }
    }
    stored
}

#[tokio::test(start_paused = true)]
async fn which_statuses_are_stored_depends_on_what_they_say() {
    let guessed = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501];
    let any: Vec<u16> = (200..600).filter(|status| ![206, 304, 412, 416].contains(status)).collect();
    let known = [200..=205, 300..=303, 305..=305, 307..=308, 400..=411, 413..=415, 417..=417, 421..=422];
    let known: Vec<u16> = known.into_iter().chain([426..=426, 500..=505]).flatten().collect();
    assert_eq!(stored("", false).await, guessed);
    assert_eq!(stored("private", true).await, [0; 0]);
    for says in ["max-age=0", "public", "private"] {
        assert_eq!(stored(says, false).await, any, "{says}");
    }
    assert_eq!(stored("private=\"x\"", true).await, guessed, "private means nothing else to a shared cache");
    assert_eq!(stored("no-store, must-understand, max-age=9", false).await, known);
}
