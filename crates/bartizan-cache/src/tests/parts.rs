//! Parts of a representation: stored, sliced and put together.

use super::*;

mod rest;
mod versions;

const WHOLE: &str = "0123456789";
const FRESH: (&str, &str) = ("cache-control", "max-age=99");
const TAGGED: (&str, &str) = ("etag", "\"a\"");

/// A 206 of these bytes of [`WHOLE`].
fn part_of(bytes: std::ops::RangeInclusive<usize>, fields: &[(&str, &str)]) -> Response<Full<Bytes>> {
    let mut response = answer_of(206, fields, &WHOLE[bytes.clone()]);
    let range = format!("bytes {}-{}/10", bytes.start(), bytes.end());
    response.headers_mut().insert("content-range", range.parse().unwrap());
    response
}

fn fresh_part(bytes: std::ops::RangeInclusive<usize>) -> Response<Full<Bytes>> {
    part_of(bytes, &[FRESH, TAGGED])
}

fn other() -> Response<Full<Bytes>> {
    answer_of(200, &[FRESH, ("etag", "\"b\"")], "other")
}

async fn get_range(cache: &Cache<Origin>, range: &str) -> Got {
    get(cache, &[("range", range)]).await
}

/// Over an origin that answers so, after the first of it was asked for by this range.
async fn after<const N: usize>(range: &str, answers: [Response<Full<Bytes>>; N]) -> (Cache<Origin>, Origin) {
    let origin = Origin::of(answers);
    let cache = cache(&origin);
    get_range(&cache, range).await;
    (cache, origin)
}

fn shows(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_part_answers_what_lies_within_it_as_a_206_with_its_age() {
    let (cache, origin) = after("bytes=4-8", [fresh_part(4..=8)]).await;
    advance(9 * SECOND).await;
    let (answer, headers) = send(&cache, request("GET", URI, &[("range", "bytes=5-6")])).await.unwrap();
    assert_eq!(answer, got(206, Some(9), "56"));
    assert_eq!(shows(&headers, "content-range"), "bytes 5-6/10");
    assert_eq!(shows(&headers, "content-length"), "2");
    assert_eq!(get_range(&cache, "bytes=4-8").await, got(206, Some(9), "45678"));
    assert_eq!(origin.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_part_answers_nothing_else() {
    for (method, fields) in [
        ("GET", &[][..]),
        ("HEAD", &[]),
        ("HEAD", &[("range", "bytes=5-6")]),
        ("GET", &[("range", "bytes=3-4")]),
        ("GET", &[("range", "bytes=8-9")]),
        ("GET", &[("range", "bytes=4-")]),
        ("GET", &[("range", "bytes=-2")]),
        ("GET", &[("range", "bytes=5-5,6-6")]),
        ("GET", &[("range", "bytes=20-")]),
        ("GET", &[("range", "bytes=5-6"), ("if-range", "\"b\"")]),
        ("GET", &[("range", "bytes=5-6"), ("if-match", "\"a\"")]),
        ("GET", &[("range", "bytes=5-6"), ("cache-control", "no-cache")]),
        ("GET", &[("if-none-match", "\"a\"")]),
    ] {
        let (cache, origin) =
            after("bytes=4-8", [part_of(4..=8, &[FRESH, ("etag", "W/\"a\"")]), other()]).await;
        send(&cache, request(method, URI, fields)).await.unwrap();
        assert_eq!(origin.asked(), 2, "{method} {fields:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn which_206s_are_stored() {
    let one = || part_of(4..=8, &[FRESH]);
    let with = |name: &'static str, value: &'static str| {
        let mut part = one();
        part.headers_mut().insert(name, value.parse().unwrap());
        part
    };
    let without = |name: &str| {
        let mut part = one();
        part.headers_mut().remove(name);
        part
    };
    let range = ("range", "bytes=4-8");
    for (answer, fields, is_stored) in [
        (one(), &[range][..], true),
        (one(), &[("range", "bytes=2-9")], true),
        (one(), &[], false),
        (one(), &[("range", "bytes=4-5,6-8")], false),
        (one(), &[("range", "lines=4-8")], false),
        (one(), &[range, ("if-range", "\"a\"")], false),
        (one(), &[range, ("cache-control", "no-store")], false),
        (without("content-range"), &[range], false),
        (with("content-range", "bytes 4-7/10"), &[range], false),
        (with("content-range", "bytes 4-9/10"), &[range], false),
        (with("content-range", "bytes 4-8/8"), &[range], false),
        (with("content-range", "lines 4-8/10"), &[range], false),
        (with("content-range", "bytes 4-8/*"), &[range], true),
        (with("content-length", "5"), &[range], true),
        (with("content-length", "6"), &[range], false),
        (with("content-type", "multipart/byteranges; boundary=x"), &[range], false),
        (with("cache-control", "no-store"), &[range], false),
        (with("cache-control", "max-age=99, must-understand, no-store"), &[range], true),
        (with("vary", "*"), &[range], false),
    ] {
        let shown = format!("{:?} {fields:?}", answer.headers());
        let origin = Origin::of([answer, other()]);
        let cache = cache(&origin);
        get(&cache, fields).await;
        get_range(&cache, "bytes=5-6").await;
        assert_eq!(origin.asked() == 1, is_stored, "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn by_age_alone_no_part_is_kept() {
    for bytes in [0..=5, 0..=9] {
        let origin = Origin::of([fresh_part(bytes.clone()), other()]);
        let cache = CacheLayer::classic().layer(origin.clone());
        get_range(&cache, "bytes=0-").await;
        assert_eq!(get_range(&cache, "bytes=0-1").await.body, "other", "{bytes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_may_be_put_in_by_hand() {
    let layer = CacheLayer::rfc9111();
    let asked = request("GET", URI, &[("range", "bytes=4-8")]);
    let part = fresh_part(4..=8).map(|_| Bytes::from("45678"));
    assert_eq!(layer.insert(&asked, part), Ok(()));
    let short = fresh_part(4..=8).map(|_| Bytes::from("4567"));
    assert_eq!(layer.insert(&asked, short), Err(NotStored::Incomplete));
    assert_eq!(
        layer.insert(&request("GET", URI, &[]), Response::builder().status(206).body(Bytes::new()).unwrap()),
        Err(NotStored::Status)
    );
    let origin = Origin::default();
    assert_eq!(get_range(&layer.layer(origin.clone()), "bytes=5-6").await, got(206, Some(0), "56"));
    assert!(layer.get(&asked).is_none(), "it is not the whole");
}

#[tokio::test(start_paused = true)]
async fn only_a_get_brings_a_part() {
    for bytes in [4..=8, 0..=9] {
        let answer = part_of(bytes.clone(), &[FRESH, ("content-location", URI)]);
        let origin = Origin::of([answer, other()]);
        let cache = cache(&origin);
        send(&cache, request("POST", URI, &[("range", "bytes=0-9")])).await.unwrap();
        assert_eq!(get_range(&cache, "bytes=5-6").await.age, None, "{bytes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_of_all_bytes_is_the_whole() {
    let (cache, origin) = after("bytes=0-", [part_of(0..=9, &[FRESH])]).await;
    let (answer, headers) = send(&cache, request("GET", URI, &[])).await.unwrap();
    assert_eq!(answer, got(200, Some(0), WHOLE));
    assert_eq!(
        (shows(&headers, "content-length"), shows(&headers, "content-range")),
        ("10".into(), "".into())
    );
    assert_eq!(send(&cache, request("HEAD", URI, &[])).await.unwrap().0, got(200, Some(0), ""));
    assert_eq!(origin.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_200_is_no_part_whatever_it_says() {
    let (cache, origin) =
        after("lines=1", [answer_of(200, &[FRESH, ("content-range", "bytes 0-9/20")], WHOLE)]).await;
    assert_eq!(get(&cache, &[]).await, got(200, Some(0), WHOLE));
    assert_eq!(origin.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn parts_of_one_strong_tag_become_the_whole() {
    let mut second = fresh_part(2..=9);
    second.headers_mut().insert("x-new", "1".parse().unwrap());
    let (cache, origin) = after("bytes=0-4", [fresh_part(0..=4), second]).await;
    advance(9 * SECOND).await;
    assert_eq!(get_range(&cache, "bytes=5-").await, got(206, None, "23456789"), "more than was asked for");
    let (answer, headers) = send(&cache, request("GET", URI, &[])).await.unwrap();
    assert_eq!(answer, got(200, Some(0), WHOLE), "as old as the newer one");
    assert_eq!((shows(&headers, "x-new"), shows(&headers, "content-range")), ("1".into(), "".into()));
    assert_eq!(origin.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn parts_without_a_strong_tag_are_never_put_together() {
    for (one, two) in [
        (&[FRESH][..], &[FRESH][..]),
        (&[FRESH, ("etag", "W/\"a\"")], &[FRESH, ("etag", "W/\"a\"")]),
        (&[FRESH, TAGGED], &[FRESH, ("etag", "\"b\"")]),
        (&[FRESH, TAGGED], &[FRESH]),
    ] {
        let (cache, origin) = after("bytes=0-4", [part_of(0..=4, one), part_of(5..=9, two), other()]).await;
        get_range(&cache, "bytes=5-9").await;
        assert_eq!(get_range(&cache, "bytes=4-5").await.body, "other", "{one:?} {two:?}");
        assert_eq!(origin.asked(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_that_come_at_once_nothing_is_lost() {
    let origin = Origin::of([fresh_part(0..=4), fresh_part(5..=9)]);
    let cache = cache(&origin);
    let ask = |range| cache.clone().oneshot(request("GET", URI, &[("range", range)]));
    let (one, two) = (ask("bytes=0-4").await.unwrap(), ask("bytes=5-9").await.unwrap());
    two.into_body().collect().await.unwrap();
    one.into_body().collect().await.unwrap();
    assert_eq!(get(&cache, &[]).await, got(200, Some(0), WHOLE));
}

#[tokio::test(start_paused = true)]
async fn a_stale_part_is_validated_as_the_part_it_is() {
    let confirmed = || answer_of(304, &[FRESH, TAGGED], "");
    let (cache, origin) = after("bytes=4-8", [fresh_part(4..=8), confirmed(), fresh_part(5..=6)]).await;
    advance(99 * SECOND).await;
    assert_eq!(get_range(&cache, "bytes=5-6").await, got(206, Some(0), "56"));
    let asked = origin.last();
    assert_eq!(
        (shows(&asked, "if-none-match"), shows(&asked, "range")),
        ("\"a\"".into(), "bytes=5-6".into())
    );
    advance(98 * SECOND).await;
    assert_eq!(get_range(&cache, "bytes=4-5").await, got(206, Some(98), "45"), "it is fresh again");
    assert_eq!(origin.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_is_confirmed_takes_the_place_of_no_other() {
    let confirmed = || answer_of(304, &[FRESH, TAGGED], "");
    let answers = [fresh_part(0..=1), fresh_part(4..=8), confirmed(), confirmed()];
    let (cache, origin) = after("bytes=0-1", answers).await;
    get_range(&cache, "bytes=4-8").await;
    advance(100 * SECOND).await;
    assert_eq!(get_range(&cache, "bytes=5-6").await, got(206, Some(0), "56"));
    assert_eq!(get_range(&cache, "bytes=0-1").await, got(206, Some(0), "01"));
    assert_eq!(origin.asked(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_whole_that_is_stale_is_validated_as_the_whole_whatever_part_is_asked_for() {
    let whole = |status| answer_of(status, &[("cache-control", "max-age=9"), ("etag", "\"w\"")], WHOLE);
    for has_part in [false, true] {
        let origin = Origin::of([whole(200), part_of(4..=8, &[("cache-control", "max-age=9"), TAGGED])]);
        let cache = cache(&origin);
        get(&cache, &[]).await;
        if has_part {
            get(&cache, &[("range", "bytes=4-8"), ("cache-control", "no-cache")]).await;
        } else {
            origin.answers.lock().unwrap().clear();
        }
        origin.answers.lock().unwrap().push_back(Some(whole(304)));
        advance(10 * SECOND).await;
        assert_eq!(get_range(&cache, "bytes=5-6").await, got(206, Some(0), "56"), "{has_part}");
        let asked = origin.last();
        assert_eq!((shows(&asked, "if-none-match"), shows(&asked, "range")), ("\"w\"".into(), "".into()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_part_answers_nothing_unasked() {
    for (says, asks) in [
        ("max-age=9, stale-while-revalidate=99", ""),
        ("max-age=9, stale-if-error=99", ""),
        ("max-age=9", "max-stale"),
        ("max-age=9", "stale-if-error=99"),
    ] {
        let part = part_of(4..=8, &[("cache-control", says), TAGGED]);
        let (cache, origin) = after("bytes=4-8", [part, answer_of(503, &[], "down")]).await;
        advance(10 * SECOND).await;
        let answer = get(&cache, &[("range", "bytes=5-6"), ("cache-control", asks)]).await;
        assert_eq!((answer, origin.asked()), (got(503, None, "down"), 2), "{says:?} {asks:?}");
        assert!(send(&cache, request("GET", URI, &[("range", "bytes=9-")])).await.is_ok());
    }
    let origin = Origin::of([fresh_part(4..=8)]).then_unreachable();
    let cache = cache(&origin);
    get_range(&cache, "bytes=4-8").await;
    advance(100 * SECOND).await;
    assert!(send(&cache, request("GET", URI, &[("range", "bytes=5-6")])).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn conditions_are_held_against_a_part_that_answers() {
    let (cache, origin) = after("bytes=4-8", [fresh_part(4..=8)]).await;
    for (tag, expected) in [("\"a\"", got(304, Some(0), "")), ("\"b\"", got(206, Some(0), "5"))] {
        assert_eq!(get(&cache, &[("range", "bytes=5-5"), ("if-none-match", tag)]).await, expected);
    }
    assert_eq!(origin.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_whole_and_part_the_newer_answers_or_is_validated() {
    const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    for (whole, part, later, expected) in [
        ((NOW, "max-age=99"), (BEFORE, "max-age=99"), 0, Some("whole")),
        ((NOW, "max-age=99"), (NOW, "max-age=99"), 0, Some("whole")),
        ((BEFORE, "max-age=99"), (NOW, "max-age=99"), 0, Some("part")),
        ((NOW, "max-age=9"), (BEFORE, "max-age=99"), 20, None),
        ((BEFORE, "max-age=99"), (NOW, "max-age=9"), 20, None),
    ] {
        let tag = |from| if from == "part" { "\"p\"" } else { "\"w\"" };
        let fields = |(date, says), from| {
            [("date", date), ("cache-control", says), ("x-from", from), ("etag", tag(from))]
        };
        let answers =
            [answer_of(200, &fields(whole, "whole"), WHOLE), part_of(4..=8, &fields(part, "part")), other()];
        let origin = Origin::of(answers);
        let cache = cache(&origin);
        get(&cache, &[]).await;
        get(&cache, &[("range", "bytes=4-8"), ("cache-control", "no-cache")]).await;
        advance(later * SECOND).await;
        let (_, headers) = send(&cache, request("GET", URI, &[("range", "bytes=6-7")])).await.unwrap();
        let from = shows(&headers, "x-from");
        assert_eq!((from.as_str(), origin.asked() == 2), (expected.unwrap_or_default(), expected.is_some()));
        if expected.is_none() {
            let newer = tag(if part.0 == NOW { "part" } else { "whole" });
            assert_eq!(shows(&origin.last(), "if-none-match"), newer);
            assert_eq!(origin.last().contains_key("range"), part.0 == NOW);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_takes_no_place_of_what_is_whole() {
    let whole = answer_of(200, &[FRESH, ("etag", "\"w\"")], "whole");
    let origin = Origin::of([whole, fresh_part(0..=4)]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    get(&cache, &[("range", "bytes=0-4"), ("cache-control", "no-cache")]).await;
    assert_eq!(get(&cache, &[]).await, got(200, Some(0), "whole"));
    assert_eq!(origin.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_answers_if_range_is_stored_with_what_is_known_or_not_at_all() {
    let typed = part_of(0..=3, &[FRESH, TAGGED, ("content-type", "text/plain")]);
    let fields = [("range", "bytes=6-7"), ("if-range", "\"a\"")];
    let (cache, origin) = after("bytes=0-3", [typed, fresh_part(6..=7), other()]).await;
    get(&cache, &fields).await;
    let (answer, headers) = send(&cache, request("GET", URI, &[("range", "bytes=6-7")])).await.unwrap();
    assert_eq!((answer, shows(&headers, "content-type")), (got(206, Some(0), "67"), "text/plain".into()));
    assert_eq!(origin.asked(), 2);
}

/// It may be what the client gets, and a part may be older, or of another version.

#[tokio::test(start_paused = true)]
async fn sums_of_one_content_are_none_of_another() {
    let summed = |bytes| part_of(bytes, &[FRESH, TAGGED, ("content-digest", "x"), ("repr-digest", "y")]);
    let (cache, _) = after("bytes=0-4", [summed(0..=4), summed(5..=9)]).await;
    for fields in [&[("range", "bytes=1-2")][..], &[], &[], &[("range", "bytes=5-9")]] {
        let (_, headers) = send(&cache, request("GET", URI, fields)).await.unwrap();
        assert_eq!(
            (shows(&headers, "content-digest"), shows(&headers, "repr-digest")),
            ("".into(), "y".into())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_changed_is_answered_by_no_part() {
    let (cache, origin) = after(
        "bytes=0-4",
        [fresh_part(0..=4), answer_of(204, &[], ""), other(), answer_of(204, &[], ""), other()],
    )
    .await;
    send(&cache, request("DELETE", URI, &[])).await.unwrap();
    assert_eq!(get_range(&cache, "bytes=1-2").await.body, "other");
    send(&cache, request("DELETE", URI, &[])).await.unwrap();
    get(&cache, &[]).await;
    assert!(!origin.last().contains_key("range"));
    assert_eq!(origin.asked(), 5);
}

#[tokio::test(start_paused = true)]
async fn what_changed_is_completed_by_no_part_either() {
    let answers = [fresh_part(0..=4), answer_of(204, &[], ""), fresh_part(5..=9), other()];
    let (cache, _) = after("bytes=0-4", answers).await;
    send(&cache, request("DELETE", URI, &[])).await.unwrap();
    get_range(&cache, "bytes=5-9").await;
    assert_eq!(get(&cache, &[]).await.body, "other");
}

#[tokio::test(start_paused = true)]
async fn parts_are_for_whom_they_were_asked_for() {
    let varying = part_of(0..=4, &[FRESH, TAGGED, ("vary", "accept")]);
    let origin = Origin::of([varying, other(), other(), other()]);
    let cache = cache(&origin);
    get(&cache, &[("range", "bytes=0-4"), ("accept", "x")]).await;
    assert_eq!(get(&cache, &[("range", "bytes=1-2"), ("accept", "x")]).await.body, "12");
    for fields in [&[("range", "bytes=1-2"), ("accept", "y")][..], &[("accept", "z")]] {
        assert_eq!(get(&cache, fields).await.body, "other");
        assert!(!origin.last().contains_key("if-range"));
    }
    let his = [("range", "bytes=1-2"), ("accept", "x"), ("authorization", "a")];
    assert_eq!(get(&cache, &his).await.body, "other");
}

#[tokio::test(start_paused = true)]
async fn a_part_that_varies_is_preferred_while_it_answers() {
    for (says, expected) in [("max-age=99", "12"), ("max-age=9", "<>")] {
        let varying = part_of(0..=4, &[("cache-control", says), ("vary", "accept")]);
        let plain = fresh_part(0..=4).map(|_| Full::from("(<>[]"));
        let (cache, origin) = after("bytes=0-4", [varying, plain]).await;
        advance(20 * SECOND).await;
        get(&cache, &[("range", "bytes=0-4"), ("accept", "x")]).await;
        assert_eq!(get_range(&cache, "bytes=1-2").await.body, expected, "{says}");
        assert_eq!(origin.asked(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shared_cache_keeps_no_part_that_is_somebodys() {
    for (says, is_stored) in
        [("max-age=99", false), ("max-age=99, public", true), ("max-age=99, private", false)]
    {
        let origin = Origin::of([part_of(0..=4, &[("cache-control", says)]), other()]);
        let cache = CacheLayer::rfc9111().shared().layer(origin.clone());
        for _ in 0..2 {
            get(&cache, &[("range", "bytes=0-4"), ("authorization", "a")]).await;
        }
        assert_eq!(origin.asked() == 1, is_stored, "{says}");
    }
}

#[tokio::test(start_paused = true)]
async fn parts_become_no_whole_that_is_too_long_to_be_stored() {
    let origin = Origin::of([fresh_part(0..=4), fresh_part(5..=9), fresh_part(5..=9), fresh_part(0..=4)]);
    let cache = CacheLayer::rfc9111().max_body(9).layer(origin.clone());
    get_range(&cache, "bytes=0-4").await;
    assert_eq!(get(&cache, &[]).await.body, WHOLE, "it passes");
    assert_eq!(get_range(&cache, "bytes=0-4").await.age.as_deref(), Some("0"));
    get_range(&cache, "bytes=5-9").await;
    assert_eq!(get_range(&cache, "bytes=5-9").await.age.as_deref(), Some("0"), "the newer one is kept");
    assert_eq!(get_range(&cache, "bytes=0-4").await.age, None, "and the older one made room");
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_the_origin_alone_gets_no_part() {
    use bartizan_core::CacheMode;

    for mode in [CacheMode::NoStore, CacheMode::Reload] {
        for fields in [&[][..], &[("range", "bytes=1-2")]] {
            let (cache, origin) = after("bytes=0-4", [fresh_part(0..=4), other()]).await;
            let mut request = request("GET", URI, fields);
            let mut context = CallContext::default();
            context.cache_mut().mode = mode;
            request.extensions_mut().insert(context);
            assert_eq!(send(&cache, request).await.unwrap().0.body, "other", "{mode:?} {fields:?}");
            assert!(!origin.last().contains_key("if-range"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn that_a_part_was_there_is_told() {
    let origin = Origin::of([fresh_part(0..=4), fresh_part(5..=6), fresh_part(8..=8), fresh_part(7..=9)]);
    let cache = CacheLayer::rfc9111().status().layer(origin.clone());
    for (range, told) in [
        ("bytes=0-4", "fwd=uri-miss; fwd-status=206; stored"),
        ("bytes=0-3", "hit; ttl=99"),
        ("bytes=0-6", "fwd=partial; fwd-status=206; stored"),
        ("bytes=8-8", "fwd=partial; fwd-status=206; stored"),
        ("", "fwd=partial; fwd-status=206; stored"),
    ] {
        let fields = [("range", range)];
        let fields = if range.is_empty() { &[] } else { &fields[..] };
        let response = cache.clone().oneshot(request("GET", URI, fields)).await.unwrap();
        assert_eq!(response.extensions().get::<CacheStatus>().unwrap().to_string(), told, "{range}");
        response.into_body().collect().await.unwrap();
    }
    // What is not the beginning of what is asked for is no reason.
    let origin = Origin::of([part_of(4..=8, &[FRESH]), other()]);
    let cache = CacheLayer::rfc9111().status().layer(origin);
    get_range(&cache, "bytes=4-8").await;
    let response = cache.oneshot(request("GET", URI, &[])).await.unwrap();
    let told = response.extensions().get::<CacheStatus>().unwrap().to_string();
    assert_eq!(told, "fwd=uri-miss; fwd-status=200; stored");
}

#[tokio::test(start_paused = true)]
async fn a_part_without_a_date_is_of_when_it_came() {
    let dated = part_of(0..=3, &[FRESH, TAGGED, ("date", "Sun, 06 Nov 1994 08:48:37 GMT")]);
    let (cache, _) = after("bytes=0-3", [dated, fresh_part(6..=7)]).await;
    assert_eq!(get_range(&cache, "bytes=0-3").await.age.as_deref(), Some("60"));
    get_range(&cache, "bytes=6-7").await;
    assert_eq!(get_range(&cache, "bytes=6-7").await.age.as_deref(), Some("0"));
}

#[tokio::test(start_paused = true)]
async fn a_304_may_change_what_a_part_varies_by() {
    let confirmed = answer_of(304, &[FRESH, TAGGED, ("vary", "accept")], "");
    let another = answer_of(200, &[FRESH, ("vary", "accept")], "other");
    let (cache, origin) = after("bytes=0-4", [fresh_part(0..=4), confirmed, another]).await;
    advance(100 * SECOND).await;
    assert_eq!(get(&cache, &[("range", "bytes=0-4"), ("accept", "x")]).await.body, "01234");
    assert_eq!(get(&cache, &[("range", "bytes=0-4"), ("accept", "y")]).await.body, "other");
    assert!(!origin.last().contains_key("if-none-match"), "what it was is gone");
    assert_eq!(get(&cache, &[("range", "bytes=0-4"), ("accept", "x")]).await.body, "01234");
}

#[tokio::test(start_paused = true)]
async fn the_whole_makes_older_parts_of_its_variant_needless_and_no_other_ones() {
    let varying = |response: Response<Full<Bytes>>, from: &'static str, date: &'static str| {
        let (mut head, body) = response.into_parts();
        for (name, value) in [("vary", "accept"), ("x-from", from), ("date", date)] {
            head.headers.insert(name, value.parse().unwrap());
        }
        Response::from_parts(head, body)
    };
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    let origin = Origin::of([
        varying(fresh_part(0..=4), "older", DATE),
        varying(fresh_part(0..=4), "other", DATE),
        varying(answer_of(200, &[FRESH], WHOLE), "whole", BEFORE),
        varying(fresh_part(6..=7), "newer", DATE),
    ]);
    let cache = cache(&origin);
    let asks = |accept, range| [("range", range), ("accept", accept), ("cache-control", "no-cache")];
    for accept in ["x", "y"] {
        get(&cache, &asks(accept, "bytes=0-4")).await;
    }
    let whole = cache.clone().oneshot(request("GET", URI, &[("accept", "x"), ("if-none-match", "\"b\"")]));
    let whole = whole.await.unwrap();
    get(&cache, &asks("x", "bytes=6-7")).await;
    whole.into_body().collect().await.unwrap();
    for (accept, range, from) in
        [("x", "bytes=6-7", "newer"), ("y", "bytes=1-2", "other"), ("x", "bytes=1-2", "whole")]
    {
        let asks = request("GET", URI, &[("accept", accept), ("range", range)]);
        let (_, headers) = send(&cache, asks).await.unwrap();
        assert_eq!(shows(&headers, "x-from"), from, "{accept} {range}");
    }
    assert_eq!(origin.asked(), 4);
}
