//! Which of several stored responses answers (RFC 9111 section 4.1).

use super::*;

const FRESH: (&str, &str) = ("cache-control", "max-age=99");

#[tokio::test(start_paused = true)]
async fn a_response_in_the_language_that_is_liked_best_is_none_without_a_match() {
    let german = [FRESH, ("vary", "accept-language"), ("content-language", "de")];
    let origin = Origin::of([answer_of(200, &german, "eins"), answer_of(200, &german, "zwei")]);
    let cache = cache(&origin);
    get(&cache, &[("accept-language", "en, de")]).await;
    assert_eq!(get(&cache, &[("accept-language", "fr;q=0.5, de;q=1.0")]).await.body, "zwei");
    assert_eq!(get(&cache, &[("accept-language", "DE, en;q=1")]).await.body, "eins");
}

#[tokio::test(start_paused = true)]
async fn an_older_variant_answers_for_no_newer_one_that_is_stale() {
    let origin = Origin::of([
        answer_of(200, &[FRESH, ("vary", "accept")], "older"),
        answer_of(200, &[("cache-control", "max-age=9"), ("vary", "accept-language")], "newer"),
        answer_of(200, &[], "fetched"),
    ]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    advance(SECOND).await;
    get(&cache, &[("cache-control", "no-cache")]).await;
    advance(10 * SECOND).await;
    assert_eq!(get(&cache, &[]).await.body, "fetched");
}

#[tokio::test(start_paused = true)]
async fn of_several_that_a_head_freshens_the_newest_stays_before_the_others() {
    for says in [&[FRESH][..], &[FRESH, ("vary", "x-third")]] {
        let origin = Origin::of([
            answer_of(200, &[("vary", "accept")], "older"),
            answer_of(200, &[("vary", "accept-language")], "newer"),
            answer_of(200, says, ""),
        ]);
        let cache = cache(&origin);
        for method in ["GET", "GET", "HEAD"] {
            send(&cache, request(method, URI, &[])).await.unwrap();
            advance(SECOND).await;
        }
        assert_eq!(get(&cache, &[]).await.body, "newer", "{says:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_later_and_was_generated_earlier_is_the_older_one() {
    let dated = |date, vary, body| answer_of(200, &[FRESH, ("date", date), ("vary", vary)], body);
    let origin = Origin::of([
        dated("Sun, 06 Nov 1994 08:49:37 GMT", "accept", "newer"),
        dated("Sun, 06 Nov 1994 08:49:36 GMT", "accept-language", "older"),
    ]);
    let cache = cache(&origin);
    for fields in [&[][..], &[("cache-control", "no-cache")]] {
        get(&cache, fields).await;
    }
    assert_eq!((get(&cache, &[]).await.body, origin.asked()), ("newer".into(), 2));
}

#[tokio::test(start_paused = true)]
async fn what_is_confirmed_takes_the_place_of_no_other_variant() {
    let says = |tag| [("cache-control", "max-age=9"), ("vary", "accept"), ("etag", tag)];
    let origin = Origin::of([
        answer_of(200, &says("\"x\""), "x"),
        answer_of(200, &says("\"y\""), "y"),
        answer_of(304, &says("\"x\""), ""),
        answer_of(304, &says("\"y\""), ""),
    ]);
    let cache = cache(&origin);
    for after in [0, 10] {
        advance(after * SECOND).await;
        for accept in ["x", "y"] {
            assert_eq!(get(&cache, &[("accept", accept)]).await.body, accept);
        }
    }
    assert_eq!(origin.asked(), 4);
}

/// What `x` gets that many seconds after a response that varies by `accept` was stored for it, and another that says nothing of it.
async fn answered(
    varies: &str,
    plain: &str,
    is_plain_older: bool,
    age: u32,
    unreachable: bool,
) -> (String, usize) {
    let varying = answer_of(200, &[("cache-control", varies), ("vary", "accept")], "varies");
    let plain = answer_of(200, &[("cache-control", plain)], "plain");
    let answers = if is_plain_older { [plain, varying] } else { [varying, plain] };
    let origin = Origin::of(answers);
    let origin = if unreachable { origin.then_unreachable() } else { origin };
    let cache = cache(&origin);
    for accept in if is_plain_older { ["y", "x"] } else { ["x", "y"] } {
        get(&cache, &[("accept", accept), ("cache-control", "no-cache")]).await;
        advance(SECOND).await;
    }
    advance(age * SECOND).await;
    let answer = get(&cache, &[("accept", "x")]).await;
    (answer.body, origin.asked())
}

#[tokio::test(start_paused = true)]
async fn what_varies_is_preferred_while_it_answers_and_then_the_newest() {
    for (varies, plain, is_plain_older, age, unreachable, expected) in [
        ("max-age=99", "max-age=99", false, 0, false, ("varies", 2)),
        ("max-age=99", "max-age=99", true, 0, false, ("varies", 2)),
        ("max-age=99", "max-age=9", false, 20, false, ("varies", 2)),
        ("max-age=9", "max-age=99", false, 20, false, ("plain", 2)),
        ("max-age=9, stale-while-revalidate=99", "max-age=99", false, 20, false, ("plain", 2)),
        ("no-cache", "max-age=99", false, 0, false, ("plain", 2)),
        ("max-age=9", "max-age=99", true, 20, false, ("", 3)),
        ("max-age=9", "max-age=9", false, 20, true, ("varies", 3)),
        ("max-age=9, must-revalidate", "max-age=9", false, 20, true, ("plain", 3)),
    ] {
        let (body, asked) = answered(varies, plain, is_plain_older, age, unreachable).await;
        assert_eq!((&*body, asked), expected, "{varies:?} {plain:?} {is_plain_older} {age} {unreachable}");
    }
}
