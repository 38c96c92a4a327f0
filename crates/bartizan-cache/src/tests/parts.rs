//! Parts of a representation: stored, sliced, put together and completed.

use http_body::{Body, Frame};
use proptest::prelude::*;
use tokio::sync::mpsc::unbounded_channel;

use super::growing::Piped;
use super::*;

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
async fn only_a_get_brings_a_part() {
    let answer = part_of(4..=8, &[FRESH, ("content-location", URI)]);
    let origin = Origin::of([answer, other()]);
    let cache = cache(&origin);
    send(&cache, request("POST", URI, &[("range", "bytes=4-8")])).await.unwrap();
    assert_eq!(get_range(&cache, "bytes=5-6").await.body, "other");
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
async fn of_whole_and_part_the_newer_answers_if_it_is_fresh() {
    const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    for (whole, part, later, expected) in [
        ((NOW, "max-age=99"), (BEFORE, "max-age=99"), 0, Some("whole")),
        ((NOW, "max-age=99"), (NOW, "max-age=99"), 0, Some("whole")),
        ((BEFORE, "max-age=99"), (NOW, "max-age=99"), 0, Some("part")),
        ((NOW, "max-age=9"), (BEFORE, "max-age=99"), 20, Some("part")),
        ((BEFORE, "max-age=99"), (NOW, "max-age=9"), 20, Some("whole")),
        ((BEFORE, "max-age=9"), (NOW, "max-age=9"), 20, None),
    ] {
        let fields = |(date, says), from| [("date", date), ("cache-control", says), ("x-from", from)];
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
async fn the_rest_is_fetched_and_the_client_gets_the_whole() {
    let mut rest = fresh_part(5..=9);
    rest.headers_mut().insert("x-new", "1".parse().unwrap());
    let (cache, origin) = after("bytes=0-4", [fresh_part(0..=4), rest]).await;
    // That it is stale matters nothing: its validator is held against the origin's.
    advance(200 * SECOND).await;
    let (answer, headers) = send(&cache, request("GET", URI, &[("x-client", "1")])).await.unwrap();
    assert_eq!(answer, got(200, Some(0), WHOLE));
    assert_eq!(
        (shows(&headers, "content-length"), shows(&headers, "content-range")),
        ("10".into(), "".into())
    );
    assert_eq!(shows(&headers, "x-new"), "1");
    let asked = origin.last();
    assert_eq!((shows(&asked, "range"), shows(&asked, "if-range")), ("bytes=5-".into(), "\"a\"".into()));
    assert_eq!(shows(&asked, "x-client"), "1");
    advance(SECOND).await;
    assert_eq!(get(&cache, &[]).await, got(200, Some(1), WHOLE), "and it is stored");
    assert_eq!(get_range(&cache, "bytes=4-5").await, got(206, Some(1), "45"));
    assert_eq!(origin.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_range_is_fetched_and_the_client_gets_the_range() {
    let (cache, origin) = after("bytes=1-4", [fresh_part(1..=4), fresh_part(5..=7), fresh_part(8..=9)]).await;
    let (answer, headers) = send(&cache, request("GET", URI, &[("range", "bytes=2-7")])).await.unwrap();
    assert_eq!(answer, got(206, Some(0), "234567"));
    assert_eq!(shows(&headers, "content-range"), "bytes 2-7/10");
    assert_eq!(shows(&headers, "content-length"), "6");
    assert_eq!(
        (shows(&origin.last(), "range"), shows(&origin.last(), "if-range")),
        ("bytes=5-7".into(), "\"a\"".into())
    );
    assert_eq!(get_range(&cache, "bytes=1-7").await, got(206, Some(0), "1234567"), "and it is stored");
    assert_eq!(origin.asked(), 2);
    assert_eq!(get_range(&cache, "bytes=-4").await, got(206, Some(0), "6789"));
    assert_eq!(shows(&origin.last(), "range"), "bytes=8-");
}

#[tokio::test(start_paused = true)]
async fn what_a_client_that_sent_if_range_has_is_left_out() {
    let typed = |bytes| part_of(bytes, &[FRESH, TAGGED, ("content-type", "text/plain")]);
    let (cache, _) = after("bytes=0-4", [typed(0..=4), fresh_part(5..=6)]).await;
    let fields = [("range", "bytes=3-6"), TAGGED];
    let fields = [fields[0], ("if-range", fields[1].1)];
    let (answer, headers) = send(&cache, request("GET", URI, &fields)).await.unwrap();
    assert_eq!((answer, shows(&headers, "content-type")), (got(206, Some(0), "3456"), "".into()));
    // It is there for others.
    let (answer, headers) = send(&cache, request("GET", URI, &[("range", "bytes=3-6")])).await.unwrap();
    assert_eq!((answer, shows(&headers, "content-type")), (got(206, Some(0), "3456"), "text/plain".into()));
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

#[tokio::test(start_paused = true)]
async fn only_the_rest_of_what_is_strongly_tagged_is_asked_for() {
    let tagged = |fields: &[(&str, &str)]| part_of(0..=4, fields);
    let mut unknown = fresh_part(0..=4);
    unknown.headers_mut().insert("content-range", "bytes 0-4/*".parse().unwrap());
    let (before, date) = ("Sun, 06 Nov 1994 08:48:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT");
    for (part, fields, is_asked) in [
        (fresh_part(0..=4), &[][..], true),
        (fresh_part(0..=4), &[("range", "bytes=3-7")], true),
        (fresh_part(0..=4), &[("range", "bytes=3-7"), ("if-range", "\"a\"")], true),
        (fresh_part(0..=4), &[("range", "bytes=3-7"), ("if-range", "\"b\"")], false),
        (fresh_part(0..=4), &[("range", "bytes=5-7")], false),
        (fresh_part(0..=4), &[("range", "bytes=0-1,3-7")], false),
        (fresh_part(0..=4), &[("if-none-match", "\"b\"")], false),
        (fresh_part(0..=4), &[("if-modified-since", before)], false),
        (fresh_part(0..=4), &[("if-match", "\"a\"")], false),
        (fresh_part(0..=4), &[("if-unmodified-since", date)], false),
        (fresh_part(0..=4), &[("cache-control", "no-store")], false),
        (fresh_part(0..=4), &[("cache-control", "no-cache")], true),
        (fresh_part(1..=4), &[], false),
        (unknown, &[], false),
        (tagged(&[FRESH]), &[], false),
        (tagged(&[FRESH, ("etag", "W/\"a\"")]), &[], false),
        (tagged(&[FRESH, ("last-modified", before), ("date", date)]), &[], false),
    ] {
        let shown = format!("{:?} {fields:?}", part.headers());
        let (cache, origin) = after("bytes=0-4", [part, other()]).await;
        get(&cache, fields).await;
        assert_eq!(
            origin.last().contains_key("if-range") && shows(&origin.last(), "range").starts_with("bytes=5-"),
            is_asked,
            "{shown}"
        );
    }
}

/// It may be what the client gets, and a part may be older, or of another version.
#[tokio::test(start_paused = true)]
async fn where_the_whole_is_stored_the_whole_is_asked_for() {
    for (fields, body) in [
        (&[("cache-control", "max-age=5"), ("etag", "\"w\"")][..], "other"),
        (&[("cache-control", "max-age=5, stale-while-revalidate=99")], WHOLE),
    ] {
        let origin = Origin::of([answer_of(200, fields, WHOLE), fresh_part(0..=4), other()]);
        let cache = cache(&origin);
        get(&cache, &[]).await;
        get(&cache, &[("range", "bytes=0-4"), ("cache-control", "no-cache")]).await;
        advance(9 * SECOND).await;
        assert_eq!(get(&cache, &[]).await.body, body);
        tokio::task::yield_now().await;
        assert!(origin.asked() == 3 && !origin.last().contains_key("if-range"), "{fields:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_rest_is_asked_for_again_as_the_client_did() {
    let ranged = |bytes, tag: &'static str, range: &'static str| {
        let mut part = part_of(bytes, &[FRESH, ("etag", tag)]);
        part.headers_mut().insert("content-range", range.parse().unwrap());
        part
    };
    for (answer, is_again) in [
        (ranged(5..=9, "\"a\"", "bytes 5-9/10"), false),
        (ranged(5..=9, "\"b\"", "bytes 5-9/10"), true),
        (ranged(5..=9, "W/\"a\"", "bytes 5-9/10"), true),
        (part_of(5..=9, &[FRESH]), true),
        (ranged(4..=9, "\"a\"", "bytes 4-9/10"), true),
        (ranged(5..=8, "\"a\"", "bytes 5-8/10"), true),
        (ranged(5..=9, "\"a\"", "bytes 5-9/11"), true),
        (ranged(5..=9, "\"a\"", "bytes 5-9/*"), true),
        (part_of(5..=9, &[("cache-control", "no-store"), TAGGED]), true),
        (answer_of(304, &[TAGGED], ""), true),
        (answer_of(416, &[("content-range", "bytes */4")], ""), true),
    ] {
        let shown = format!("{:?}", answer.headers());
        for fields in [&[("x-client", "1")][..], &[("x-client", "1"), ("range", "bytes=3-")]] {
            let mut copy = Response::new(answer.body().clone());
            *copy.status_mut() = answer.status();
            *copy.headers_mut() = answer.headers().clone();
            let (cache, origin) = after("bytes=0-4", [fresh_part(0..=4), copy, other()]).await;
            let got = get(&cache, fields).await;
            let asked = origin.last();
            assert_eq!((origin.asked() == 3, got.body == "other"), (is_again, is_again), "{shown}");
            if is_again {
                let range = fields.get(1).map_or("", |range| range.1);
                assert_eq!((shows(&asked, "range").as_str(), shows(&asked, "if-range")), (range, "".into()));
                assert_eq!(shows(&asked, "x-client"), "1");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_became_another_takes_the_place_of_the_parts() {
    let (cache, origin) = after("bytes=0-4", [fresh_part(0..=4), other()]).await;
    assert_eq!(get(&cache, &[]).await, got(200, None, "other"));
    assert_eq!(get(&cache, &[]).await, got(200, Some(0), "other"));
    assert_eq!(get_range(&cache, "bytes=3-4").await, got(206, Some(0), "er"));
    assert_eq!(origin.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failure_to_fetch_the_rest_is_one() {
    let (cache, _) = after("bytes=0-4", [fresh_part(0..=4), answer_of(503, &[], "down")]).await;
    assert_eq!(get(&cache, &[]).await, got(503, None, "down"));
    let origin = Origin::of([fresh_part(0..=4)]).then_unreachable();
    let cache = super::cache(&origin);
    get_range(&cache, "bytes=0-4").await;
    assert!(send(&cache, request("GET", URI, &[])).await.is_err());
    assert_eq!(get_range(&cache, "bytes=0-4").await, got(206, Some(0), "01234"), "the part is still there");
}

#[tokio::test(start_paused = true)]
async fn a_rest_of_another_length_than_it_said_breaks_off() {
    for text in ["5678", "567890"] {
        let rest = fresh_part(5..=9).map(|_| Full::from(text));
        let (cache, origin) = after("bytes=0-4", [fresh_part(0..=4), rest, other()]).await;
        let response = cache.clone().oneshot(request("GET", URI, &[])).await.unwrap();
        assert_eq!(response.status(), 200);
        let error = response.into_body().collect().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "cache: the rest of a response that was stored in part has not the length that its head said"
        );
        assert_eq!(get(&cache, &[]).await.body, "other", "nothing was stored");
        assert_eq!(origin.asked(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rest_that_is_not_read_leaves_the_part() {
    let (cache, origin) = after("bytes=0-4", [fresh_part(0..=4), fresh_part(5..=9), fresh_part(5..=9)]).await;
    drop(cache.clone().oneshot(request("GET", URI, &[])).await.unwrap());
    assert_eq!(get_range(&cache, "bytes=0-4").await, got(206, Some(0), "01234"));
    assert_eq!(get(&cache, &[]).await.body, WHOLE);
    assert_eq!(origin.asked(), 3);
}

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
    let origin = Origin::of([fresh_part(0..=4), fresh_part(5..=6), fresh_part(8..=8)]);
    let cache = CacheLayer::rfc9111().status().layer(origin.clone());
    for (range, told) in [
        ("bytes=0-4", "fwd=uri-miss; fwd-status=206; stored"),
        ("bytes=0-3", "hit; ttl=99"),
        ("bytes=0-6", "fwd=partial; fwd-status=206; stored"),
        ("bytes=8-8", "fwd=partial; fwd-status=206; stored"),
    ] {
        let response = cache.clone().oneshot(request("GET", URI, &[("range", range)])).await.unwrap();
        assert_eq!(response.extensions().get::<CacheStatus>().unwrap().to_string(), told, "{range}");
        response.into_body().collect().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_beginning_is_there_at_once_and_others_share_the_rest() {
    let pipes = Arc::new(Mutex::new(Vec::new()));
    let made = pipes.clone();
    let inner = tower::service_fn(move |request: Request<Full<Bytes>>| {
        let is_rest = request.headers().contains_key("if-range");
        let (sends, frames) = unbounded_channel();
        made.lock().unwrap().push(sends);
        let response = if is_rest { fresh_part(5..=9) } else { fresh_part(0..=4) };
        ready(Ok::<_, &str>(response.map(|_| Piped { frames, exact: None })))
    });
    let cache = CacheLayer::rfc9111().layer(inner);
    let send =
        |data: &'static str| pipes.lock().unwrap().pop().unwrap().send(Ok(Frame::data(data.into()))).unwrap();
    let ask = |fields| cache.clone().oneshot(request("GET", URI, fields));
    let first = ask(&[("range", "bytes=0-4")]).await.unwrap();
    send("01234");
    first.into_body().collect().await.unwrap();
    let mut one = ask(&[]).await.unwrap().into_body();
    let mut two = ask(&[]).await.unwrap().into_body();
    for body in [&mut one, &mut two] {
        assert_eq!(body.size_hint().exact(), Some(10));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "01234", "at once");
    }
    assert_eq!(pipes.lock().unwrap().len(), 1, "one fetch");
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum-of-the-rest", "1".parse().unwrap());
    pipes.lock().unwrap()[0].send(Ok(Frame::trailers(trailers))).unwrap();
    send("56789");
    for body in [one, two] {
        let rest = body.collect().await.unwrap();
        assert!(rest.trailers().is_none());
        assert_eq!(rest.to_bytes(), "56789");
    }
    assert_eq!(ask(&[]).await.unwrap().into_body().collect().await.unwrap().to_bytes(), WHOLE);
}

/// What a client does next.
#[derive(Clone, Debug)]
enum Step {
    Ask {
        range: Option<String>,
        /// The tag of which version.
        if_range: Option<u8>,
        if_none_match: Option<u8>,
        directives: &'static str,
        reads: bool,
    },
    Wait(u32),
    /// The origin has another version.
    Change,
}

fn a_step() -> impl Strategy<Value = Step> {
    let range = prop_oneof![
        (0..12_usize, 0..12_usize).prop_map(|(first, last)| format!("bytes={first}-{last}")),
        (0..12_usize).prop_map(|first| format!("bytes={first}-")),
        (0..12_usize).prop_map(|last| format!("bytes=-{last}")),
        Just("bytes=0-1,3-4".to_owned()),
    ];
    let version = || proptest::option::weighted(0.2, 0..3_u8);
    let directives = proptest::sample::select(vec!["", "", "", "no-cache", "no-store", "max-stale"]);
    let ask = (proptest::option::weighted(0.8, range), version(), version(), directives, any::<bool>());
    prop_oneof![
        8 => ask.prop_map(|(range, if_range, if_none_match, directives, leaves)| Step::Ask {
            range,
            if_range,
            if_none_match,
            directives,
            reads: !leaves,
        }),
        2 => (0..9_u32).prop_map(Step::Wait),
        1 => Just(Step::Change),
    ]
}

fn tag_of(version: u8) -> String {
    format!("\"{version}\"")
}

/// Of each version other bytes, and as many more.
fn text_of(version: u8) -> Vec<u8> {
    (0..8 + version).map(|place| b'a' + version * 3 + place).collect()
}

/// An origin that does as RFC 9110 says, by the parts of this crate that have tests of their own.
fn honest(version: u8, request: &HeaderMap) -> Response<Full<Bytes>> {
    use crate::range::{Portion, portion};

    let tag = tag_of(version);
    let text = Bytes::from(text_of(version));
    let mut response = Response::builder().header("cache-control", "max-age=9").header("etag", &tag);
    if request.get_all("if-none-match").iter().any(|known| known.as_bytes() == tag.as_bytes()) {
        return response.status(304).body(Full::default()).unwrap();
    }
    let head = response.headers_ref().unwrap();
    match portion(&Method::GET, request, head, text.len(), SystemTime::UNIX_EPOCH) {
        Portion::Whole => response.body(Full::from(text)).unwrap(),
        Portion::Part(part) => {
            response.headers_mut().unwrap().extend(part.fields().map(|(name, value)| (Some(name), value)));
            response.status(206).body(Full::from(text.slice(part.bytes()))).unwrap()
        }
        Portion::Unsatisfiable(range) => {
            response.status(416).header("content-range", range).body(Full::default()).unwrap()
        }
    }
}

fn run(steps: Vec<Step>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let version = Arc::new(Mutex::new(0_u8));
        let at_the_origin = version.clone();
        let inner = tower::service_fn(move |request: Request<Full<Bytes>>| {
            ready(Ok::<_, &str>(honest(*at_the_origin.lock().unwrap(), request.headers())))
        });
        let cache = CacheLayer::rfc9111().wall_clock(clock()).layer(inner);
        for step in &steps {
            let (range, if_range, if_none_match, directives, reads) = match step {
                Step::Wait(seconds) => {
                    advance(*seconds * SECOND).await;
                    continue;
                }
                Step::Change => {
                    let mut version = version.lock().unwrap();
                    *version = (*version + 1).min(2);
                    continue;
                }
                Step::Ask { range, if_range, if_none_match, directives, reads } => {
                    (range, if_range.map(tag_of), if_none_match.map(tag_of), directives, reads)
                }
            };
            let mut request = request("GET", URI, &[("cache-control", directives)]);
            let lines = [("range", range), ("if-range", &if_range), ("if-none-match", &if_none_match)];
            for (name, value) in lines {
                if let Some(value) = value {
                    request.headers_mut().insert(name, value.parse().unwrap());
                }
            }
            let asked = request.headers().clone();
            let response = cache.clone().oneshot(request).await.unwrap();
            if !reads {
                continue;
            }
            let (head, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            // It is what the origin says of one of its versions, and of the newest if that was asked for.
            let newest = *version.lock().unwrap();
            let oldest = if *directives == "no-cache" { newest } else { 0 };
            let mut expected = Vec::new();
            for version in oldest..=newest {
                let (said, text) = honest(version, &asked).into_parts();
                let said = (
                    said.status,
                    said.headers.get("etag").cloned(),
                    said.headers.get("content-range").cloned(),
                );
                expected.push((said, text.collect().await.unwrap().to_bytes()));
            }
            // Where a version that is gone had the range, all of the new one is an answer too.
            let (whole, text) = honest(newest, &HeaderMap::new()).into_parts();
            expected.push((
                (whole.status, whole.headers.get("etag").cloned(), None),
                text.collect().await.unwrap().to_bytes(),
            ));
            let got =
                (head.status, head.headers.get("etag").cloned(), head.headers.get("content-range").cloned());
            assert!(
                expected.contains(&(got.clone(), body.clone())),
                "{step:?} {got:?} {body:?} of {expected:?}"
            );
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_is_answered_as_one_version_of_the_origin_would(
        steps in proptest::collection::vec(a_step(), 1..40),
    ) {
        run(steps);
    }
}
