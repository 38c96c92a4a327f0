//! What a stored response and a request make of each other.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_a_response_says_bounds_what_a_request_may_ask() {
    for (is_shared, says, asks, age, is_hit) in [
        (false, "max-age=10, must-revalidate", "max-stale", 12, false),
        (false, "max-age=10, proxy-revalidate", "max-stale", 12, true),
        (true, "max-age=10, proxy-revalidate", "max-stale", 12, false),
        (false, "max-age=10, s-maxage=10", "max-stale", 12, true),
        (true, "max-age=10, s-maxage=10", "max-stale", 12, false),
        (true, "max-age=10", "max-stale", 12, true),
        (false, "max-age=10, no-cache", "max-stale", 5, false),
        (false, "max-age=10, no-cache=\"x\"", "", 5, true),
        (false, "max-age=10, immutable", "max-age=0", 5, true),
        (true, "max-age=10, immutable", "max-age=0", 5, false),
        (false, "max-age=10, immutable", "max-age=0, max-stale", 12, false),
        (false, "max-age=10, immutable", "no-cache", 5, false),
        (false, "max-age=10, immutable", "min-fresh=6", 5, false),
        (false, "max-age=10", "min-fresh=1, max-stale=9", 12, false),
        (false, "max-age=10", "min-fresh=0, max-stale=9", 12, true),
        (false, "max-age=10", "max-age=20, max-stale", 12, true),
        (false, "max-age=10", "max-age=11, max-stale", 12, false),
        (false, "max-age=10", "max-stale=0", 10, true),
        (false, "max-age=10, stale-while-revalidate=5", "", 12, true),
        (false, "max-age=10, stale-while-revalidate=2", "", 12, false),
        (false, "max-age=10, stale-while-revalidate=5, must-revalidate", "", 12, false),
        (false, "max-age=10, stale-while-revalidate=2", "max-stale", 12, true),
        (false, "max-age=10, stale-while-revalidate=5", "max-age=20, max-stale", 12, true),
        (false, "max-age=10, stale-while-revalidate=5", "max-age=20", 12, false),
        (false, "public", "max-stale", 0, true),
        (false, "public", "", 0, false),
    ] {
        let origin = Origin::of([
            answer_of(200, &[("cache-control", says)], "one"),
            answer_of(200, &[("cache-control", "no-store")], "two"),
        ]);
        let layer = CacheLayer::rfc9111().wall_clock(clock());
        let cache = if is_shared { layer.shared() } else { layer }.layer(origin.clone());
        get(&cache, &[]).await;
        advance(age * SECOND).await;
        let body = get(&cache, &[("cache-control", asks)]).await.body;
        assert_eq!(body, if is_hit { "one" } else { "two" }, "{is_shared} {says:?} {asks:?} {age}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_200_to_head_freshens_what_it_is_about_and_makes_all_else_stale() {
    for (method, asks, status, says, tag, age, hit) in [
        ("HEAD", "no-cache", 200, "max-age=10", "\"a\"", 15, Some(0)),
        ("HEAD", "no-cache", 200, "max-age=10", "\"b\"", 5, None),
        ("HEAD", "no-cache", 200, "no-store", "\"a\"", 5, None),
        ("HEAD", "no-cache", 404, "max-age=10", "\"b\"", 5, Some(5)),
        ("HEAD", "no-cache", 404, "max-age=10", "\"a\"", 15, None),
        ("GET", "no-cache", 200, "no-store", "\"b\"", 5, Some(5)),
        // Nothing of what answers it is stored, but that something is stale is known.
        ("HEAD", "no-cache, no-store", 200, "max-age=10", "\"a\"", 5, Some(5)),
        ("HEAD", "no-cache, no-store", 200, "max-age=10", "\"b\"", 5, None),
    ] {
        let origin = Origin::of([
            answer_of(200, &[("cache-control", "max-age=10"), ("etag", "\"a\"")], "one"),
            answer_of(status, &[("cache-control", says), ("etag", tag)], ""),
            answer_of(200, &[], "two"),
        ]);
        let cache = cache(&origin);
        get(&cache, &[]).await;
        advance(age * SECOND).await;
        send(&cache, request(method, URI, &[("cache-control", asks)])).await.unwrap();
        let expected = hit.map_or(got(200, None, "two"), |age| got(200, Some(age), "one"));
        assert_eq!(get(&cache, &[]).await, expected, "{method} {asks} {status} {tag} {age}");
    }
}

#[tokio::test(start_paused = true)]
async fn how_stale_a_response_is_counts_from_when_it_says_that_it_expired() {
    for (expires, age, is_hit) in [
        ("Sun, 06 Nov 1994 08:49:32 GMT", 4, true),
        ("Sun, 06 Nov 1994 08:49:32 GMT", 6, false),
        ("0", 6, true),
    ] {
        let origin = Origin::of([answer_of(200, &[("expires", expires)], "one"), answer_of(200, &[], "two")]);
        let cache = cache(&origin);
        get(&cache, &[]).await;
        advance(age * SECOND).await;
        let body = get(&cache, &[("cache-control", "max-stale=10")]).await.body;
        assert_eq!(body, if is_hit { "one" } else { "two" }, "{expires} {age}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_304_to_the_clients_own_conditions_freshens_what_it_names() {
    const MODIFIED: &str = "Sun, 06 Nov 1994 08:48:37 GMT";
    for (named, age) in [
        (&[("etag", "\"a\"")][..], 0),
        (&[("etag", "\"b\"")], 5),
        (&[("last-modified", MODIFIED)], 0),
        (&[("last-modified", "Sun, 06 Nov 1994 08:48:38 GMT")], 5),
        (&[], 5),
    ] {
        let says = [("cache-control", "max-age=10"), ("etag", "\"a\""), ("last-modified", MODIFIED)];
        let origin = Origin::of([answer_of(200, &says, "one"), answer_of(304, named, "")]);
        let cache = cache(&origin);
        get(&cache, &[]).await;
        advance(5 * SECOND).await;
        let asks = request("HEAD", URI, &[("cache-control", "no-cache"), ("if-none-match", "\"a\", \"b\"")]);
        assert_eq!(send(&cache, asks).await.unwrap().0, got(304, None, ""));
        assert_eq!(get(&cache, &[]).await, got(200, Some(age), "one"), "{named:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_stored_has_no_parts() {
    let origin = Origin::of([answer_of(404, &[("cache-control", "max-age=9")], "none")]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    assert_eq!(get(&cache, &[("range", "bytes=0-1")]).await, got(404, Some(0), "none"));
}

#[tokio::test(start_paused = true)]
async fn what_the_origin_did_not_speak_of_answers_no_error_either() {
    let origin = Origin::of([
        answer_of(200, &[("cache-control", "max-age=10"), ("etag", "\"a\"")], "one"),
        answer_of(304, &[("etag", "\"b\"")], ""),
    ])
    .then_unreachable();
    let cache = cache(&origin);
    get(&cache, &[]).await;
    advance(10 * SECOND).await;
    assert_eq!(send(&cache, request("GET", URI, &[])).await.map(|_| ()), Err("unreachable"));
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_again_was_asked_for_when_it_went_again() {
    let origin = Origin::of([
        answer_of(200, &[("cache-control", "no-cache"), ("etag", "\"a\"")], "one"),
        answer_of(304, &[("etag", "\"b\"")], ""),
        answer_of(200, &[("cache-control", "max-age=10")], "two"),
    ]);
    let slow = tower::service_fn(move |request| {
        let origin = origin.clone();
        async move {
            tokio::time::sleep(3 * SECOND).await;
            origin.oneshot(request).await
        }
    });
    let cache = CacheLayer::rfc9111().wall_clock(clock()).layer(slow);
    for (body, age) in [("one", None), ("two", None), ("two", Some("3"))] {
        let response = cache.clone().oneshot(request("GET", URI, &[])).await.unwrap();
        assert_eq!(response.headers().get("age").map(|age| age.to_str().unwrap()), age);
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), body);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_again_is_asked_for_as_the_client_did() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let inner = tower::service_fn({
        let seen = seen.clone();
        move |request: Request<Full<Bytes>>| {
            let mut seen = seen.lock().unwrap();
            let (head, _) = request.into_parts();
            let mine = head.extensions.get::<&str>().copied();
            seen.push((head.method, head.uri, head.version, head.headers.clone(), mine));
            let is_validated = head.headers.contains_key("if-none-match");
            let tag = if is_validated { "\"b\"" } else { "\"a\"" };
            let says = [("cache-control", "no-cache"), ("etag", tag)];
            ready(Ok::<_, &str>(answer_of(if is_validated { 304 } else { 200 }, &says, "one")))
        }
    });
    let cache = CacheLayer::rfc9111().layer(inner);
    for _ in 0..2 {
        let mut request = request("GET", URI, &[("x-client", "1")]);
        *request.version_mut() = http::Version::HTTP_2;
        request.extensions_mut().insert("mine");
        cache.clone().oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    }
    let seen = seen.lock().unwrap();
    assert_eq!((seen.len(), &seen[2]), (3, &seen[0]));
    assert_eq!(
        (seen[2].1.to_string(), seen[2].2, seen[2].4),
        (URI.to_owned(), http::Version::HTTP_2, Some("mine"))
    );
}

#[tokio::test(start_paused = true)]
async fn what_freshens_a_response_is_held_on_to_no_longer() {
    let buffer = Bytes::from(vec![b'1'; 64 * 1024]);
    let mut confirmed = answer_of(304, &[("etag", "\"a\"")], "");
    let value = http::HeaderValue::from_maybe_shared(buffer.slice(..1)).unwrap();
    confirmed.headers_mut().insert("x-new", value);
    let tagged = [("cache-control", "no-cache"), ("etag", "\"a\"")];
    let cache = cache(&Origin::of([answer_of(200, &tagged, "one"), confirmed]));
    get(&cache, &[]).await;
    let (_, headers) = send(&cache, request("GET", URI, &[])).await.unwrap();
    assert_eq!(headers["x-new"], "1");
    assert!(buffer.is_unique(), "what is stored has a memory of its own");
}

#[tokio::test(start_paused = true)]
async fn what_was_generated_within_this_second_has_no_age() {
    for (milliseconds, date, age) in
        [(900, "Sun, 06 Nov 1994 08:49:37 GMT", "0"), (100, "Sun, 06 Nov 1994 08:49:36 GMT", "1")]
    {
        let start = SystemTime::UNIX_EPOCH + Duration::from_millis(784_111_777_000 + milliseconds);
        let origin = Origin::of([answer_of(200, &[("cache-control", "max-age=10"), ("date", date)], "one")]);
        let cache = CacheLayer::rfc9111().wall_clock(WallClock::from_fn(move || start)).layer(origin);
        get(&cache, &[]).await;
        assert_eq!(get(&cache, &[]).await.age.as_deref(), Some(age));
    }
}
