use http::header::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;
use crate::given::{THAT_SECOND, THE_NEXT, THE_ONE_BEFORE, any_lines, headers, now};

fn asked(method: &Method, request: &[(&str, &str)], status: u16, stored: &[(&str, &str)]) -> Verdict {
    let stored = &headers(stored);
    let stored = Stored { status: StatusCode::from_u16(status).unwrap(), headers: stored, received: now() };
    evaluate(method, &headers(request), stored, now())
}

fn get(request: &[(&str, &str)], stored: &[(&str, &str)]) -> Verdict {
    asked(&Method::GET, request, 200, stored)
}

#[test]
fn without_conditions_the_stored_response_is_the_answer() {
    assert_eq!(get(&[], &[("etag", "\"a\""), ("last-modified", THAT_SECOND)]), Verdict::Continue);
}

#[test]
fn if_none_match_is_compared_weakly_over_lists_and_lines() {
    for (lines, tag, is_unmodified) in [
        (&["\"a\""][..], "\"a\"", true),
        (&["\"a\""], "W/\"a\"", true),
        (&["W/\"a\""], "\"a\"", true),
        (&["W/\"a\""], "W/\"a\"", true),
        (&["\"b\""], "\"a\"", false),
        (&["\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\""], "\"c3piozzzz\"", true),
        (&["\"b\"", "\"c\",\"a\""], "\"a\"", true),
        (&["\"a,b\""], "\"a,b\"", true),
        (&["\"x, \"a\", y\""], "\"a\"", false),
        (&["\"a\\\"\""], "\"a\\\"", false),
        (&["a"], "a", false),
        (&["\"a"], "\"a", false),
        (&["junk, \"a\""], "\"a\"", true),
        (&[""], "\"a\"", false),
        (&["*"], "\"a\"", true),
        (&[" * "], "\"a\"", true),
        (&["*, \"b\""], "\"a\"", false),
        (&["*", "\"b\""], "\"a\"", false),
        (&["*", "\"a\""], "\"a\"", true),
        (&["\"*\""], "\"a\"", false),
        (&["\"\u{fc}\""], "\"\u{fc}\"", true),
    ] {
        let request: Vec<_> = lines.iter().map(|line| ("if-none-match", *line)).collect();
        let expected = if is_unmodified { Verdict::Unmodified } else { Verdict::Continue };
        assert_eq!(get(&request, &[("etag", tag)]), expected, "{lines:?} {tag}");
    }
}

#[test]
fn an_asterisk_matches_what_has_no_tag() {
    assert_eq!(get(&[("if-none-match", "*")], &[]), Verdict::Unmodified);
    assert_eq!(get(&[("if-none-match", "\"a\"")], &[]), Verdict::Continue);
}

#[test]
fn if_none_match_beats_if_modified_since() {
    let stored = [("etag", "\"a\""), ("last-modified", THAT_SECOND)];
    for (tag, since, expected) in [
        ("\"b\"", THE_NEXT, Verdict::Continue),
        ("", THE_NEXT, Verdict::Continue),
        ("\"a\"", THE_ONE_BEFORE, Verdict::Unmodified),
    ] {
        let request = [("if-none-match", tag), ("if-modified-since", since)];
        assert_eq!(get(&request, &stored), expected, "{tag} {since}");
    }
}

#[test]
fn if_modified_since_is_met_by_the_same_second_or_an_earlier_one() {
    for (since, expected) in [
        (THE_ONE_BEFORE, Verdict::Continue),
        (THAT_SECOND, Verdict::Unmodified),
        ("Sunday, 06-Nov-94 08:49:37 GMT", Verdict::Unmodified),
        ("Sun Nov  6 08:49:37 1994", Verdict::Unmodified),
        (THE_NEXT, Verdict::Unmodified),
        ("Sun, 06 Nov 2094 08:49:37 GMT", Verdict::Unmodified),
        ("Sun, 06 Nov 2094 08:49:37 +0000", Verdict::Continue),
        ("9999999999", Verdict::Continue),
        ("", Verdict::Continue),
    ] {
        let stored = [("last-modified", THAT_SECOND), ("date", "Sun, 06 Nov 1994 09:00:00 GMT")];
        assert_eq!(get(&[("if-modified-since", since)], &stored), expected, "{since}");
    }
}

#[test]
fn several_lines_of_if_modified_since_are_ignored() {
    let request = [("if-modified-since", THE_NEXT), ("if-modified-since", THE_NEXT)];
    assert_eq!(get(&request, &[("last-modified", THAT_SECOND)]), Verdict::Continue);
}

#[test]
fn without_last_modified_it_is_the_date_and_without_that_when_it_was_received() {
    for stored in [
        &[("date", THAT_SECOND)][..],
        &[("last-modified", "never"), ("date", THAT_SECOND)],
        // `now` is that second.
        &[],
        &[("date", "never")],
    ] {
        assert_eq!(get(&[("if-modified-since", THAT_SECOND)], stored), Verdict::Unmodified, "{stored:?}");
        assert_eq!(get(&[("if-modified-since", THE_ONE_BEFORE)], stored), Verdict::Continue, "{stored:?}");
    }
    let stored = [("date", THE_ONE_BEFORE)];
    assert_eq!(get(&[("if-modified-since", THE_ONE_BEFORE)], &stored), Verdict::Unmodified);
}

#[test]
fn if_match_and_if_unmodified_since_go_to_the_origin() {
    let stored = [("etag", "\"a\""), ("last-modified", THAT_SECOND)];
    for condition in [
        ("if-match", "\"a\""),
        ("if-match", "*"),
        ("if-match", ""),
        ("if-unmodified-since", THAT_SECOND),
        ("if-unmodified-since", THE_ONE_BEFORE),
    ] {
        assert_eq!(get(&[condition], &stored), Verdict::Forward, "{condition:?}");
        assert_eq!(get(&[condition, ("if-none-match", "\"a\"")], &stored), Verdict::Forward, "{condition:?}");
    }
    assert_eq!(get(&[("if-unmodified-since", "never")], &stored), Verdict::Continue);
}

#[test]
fn a_status_that_is_no_success_stands_whatever_the_conditions() {
    let stored = [("etag", "\"a\""), ("last-modified", THAT_SECOND)];
    for condition in [
        ("if-none-match", "\"a\""),
        ("if-none-match", "*"),
        ("if-modified-since", THE_NEXT),
        ("if-match", "*"),
    ] {
        for status in [301, 308, 404, 410, 500] {
            assert_eq!(asked(&Method::GET, &[condition], status, &stored), Verdict::Continue, "{status}");
        }
    }
    for status in [200, 203, 206] {
        let condition = ("if-none-match", "\"a\"");
        assert_eq!(asked(&Method::GET, &[condition], status, &stored), Verdict::Unmodified, "{status}");
    }
}

#[test]
fn only_get_and_head_are_answered() {
    let stored = [("etag", "\"a\""), ("last-modified", THAT_SECOND)];
    for condition in [("if-none-match", "\"a\""), ("if-modified-since", THE_NEXT)] {
        assert_eq!(asked(&Method::HEAD, &[condition], 200, &stored), Verdict::Unmodified);
        for method in [Method::POST, Method::PUT, Method::OPTIONS, Method::from_bytes(b"get").unwrap()] {
            assert_eq!(asked(&method, &[condition], 200, &stored), Verdict::Forward, "{method}");
        }
    }
}

#[test]
fn a_304_has_what_a_cache_needs_and_nothing_else() {
    let needed = [
        ("cache-control", "max-age=1"),
        ("cache-control", "public"),
        ("cache-groups", "\"a\""),
        ("cdn-cache-control", "max-age=2"),
        ("content-location", "/a"),
        ("date", THAT_SECOND),
        ("etag", "\"a\""),
        ("expires", "0"),
        ("vary", "a"),
        ("vary", "b"),
    ];
    let more = [
        ("age", "1"),
        ("content-length", "1"),
        ("content-type", "text/plain"),
        ("last-modified", THAT_SECOND),
        ("set-cookie", "a=b"),
        ("acme-cache-control", "max-age=3"),
    ];
    let stored = headers(&[&needed[..], &more].concat());
    assert_eq!(not_modified(&stored, &[]), headers(&needed));

    let acme = HeaderName::from_static("acme-cache-control");
    let cdn = HeaderName::from_static("cdn-cache-control");
    let with_acme = [&needed[..], &[("acme-cache-control", "max-age=3")]].concat();
    assert_eq!(not_modified(&stored, &[acme, cdn]), headers(&with_acme));
}

#[test]
fn a_304_without_a_tag_has_last_modified() {
    let stored = headers(&[("last-modified", THAT_SECOND), ("content-type", "text/plain")]);
    assert_eq!(not_modified(&stored, &[]), headers(&[("last-modified", THAT_SECOND)]));
}

/// A request that the client made conditional in every way, once its conditions are the cache's.
fn validation(stored: &[&[(&str, &str)]]) -> Option<HeaderMap> {
    let stored: Vec<_> = stored.iter().map(|stored| headers(stored)).collect();
    let stored: Vec<_> = stored.iter().collect();
    let mut request = headers(&[
        ("accept", "*/*"),
        ("if-match", "\"client\""),
        ("if-modified-since", THE_NEXT),
        ("if-none-match", "\"client\""),
        ("if-none-match", "\"other\""),
        ("if-range", "\"client\""),
        ("if-unmodified-since", THE_NEXT),
        ("range", "bytes=0-1"),
    ]);
    Validators::of(&stored, now())?.replace_conditions(&mut request);
    assert_eq!(request.remove("accept").unwrap(), "*/*");
    Some(request)
}

#[test]
fn validators_take_the_place_of_all_that_the_client_set() {
    let both = [("if-none-match", "\"a\""), ("if-modified-since", "Sun Nov  6 08:49:37 1994")];
    let stored = [("etag", "\"a\""), ("last-modified", "Sun Nov  6 08:49:37 1994"), ("date", THE_NEXT)];
    assert_eq!(validation(&[&stored]), Some(headers(&both)), "byte for byte");
    assert_eq!(validation(&[&stored[..1]]), Some(headers(&both[..1])));
    assert_eq!(validation(&[&stored[1..]]), Some(headers(&both[1..])));
    let weak = validation(&[&[("etag", "W/\"a\"")]]);
    assert_eq!(weak, Some(headers(&[("if-none-match", "W/\"a\"")])));
}

#[test]
fn what_has_no_validator_cannot_be_validated() {
    for stored in [
        &[][..],
        &[("date", THAT_SECOND)],
        &[("etag", "a"), ("last-modified", "never")],
        &[("etag", "\"a\""), ("etag", "\"b\"")],
        &[("last-modified", THAT_SECOND), ("last-modified", THAT_SECOND)],
    ] {
        assert_eq!(validation(&[stored]), None, "{stored:?}");
    }
    assert_eq!(validation(&[]), None);
}

#[test]
fn several_are_validated_by_their_tags_each_once() {
    let dated = [("etag", "\"a\""), ("last-modified", THAT_SECOND)];
    let several = validation(&[
        &dated,
        &[("last-modified", THAT_SECOND)],
        &[("etag", "W/\"a\"")],
        &[("etag", "\"b,c\"")],
        &[("etag", "\"a\"")],
    ]);
    assert_eq!(several, Some(headers(&[("if-none-match", "\"a\", W/\"a\", \"b,c\"")])));
}

#[test]
fn of_several_without_a_tag_the_newest_that_has_a_date_is_validated() {
    let several = validation(&[&[], &[("last-modified", THE_NEXT)], &[("last-modified", THAT_SECOND)]]);
    assert_eq!(several, Some(headers(&[("if-modified-since", THE_NEXT)])));
}

#[test]
fn a_list_of_tags_stays_within_4_kib_and_has_one_at_least() {
    let tag = |letter: &str, length: usize| format!("\"{}\"", letter.repeat(length - 2));
    let list = |tags: &[String]| {
        let stored: Vec<_> = tags.iter().map(|tag| headers(&[("etag", tag)])).collect();
        let mut request = HeaderMap::new();
        Validators::of(&stored.iter().collect::<Vec<_>>(), now()).unwrap().replace_conditions(&mut request);
        request[IF_NONE_MATCH].to_str().unwrap().to_owned()
    };
    let (a, b, c) = (tag("a", 2000), tag("b", 2094), tag("c", 2));
    assert_eq!(list(&[a.clone(), b.clone(), c.clone()]), format!("{a}, {b}"), "4096 bytes");
    let b = tag("b", 2095);
    assert_eq!(list(&[a.clone(), b, c.clone()]), format!("{a}, {c}"), "a byte too many");
    let huge = tag("h", 5000);
    assert_eq!(list(&[huge.clone(), a]), huge);
}

#[test]
fn a_map_that_is_full_takes_no_condition() {
    let mut request = HeaderMap::new();
    let mut name = 0;
    while request.try_insert(HeaderName::try_from(format!("x-{name}")).unwrap(), HeaderValue::from(1)).is_ok()
    {
        name += 1;
    }
    let stored = headers(&[("etag", "\"a\"")]);
    Validators::of(&[&stored], now()).unwrap().replace_conditions(&mut request);
    assert!(!request.contains_key(IF_NONE_MATCH));
}

proptest! {
    #[test]
    fn no_bytes_panic(
        request in any_lines(&["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "range"]),
        one in any_lines(&["etag", "last-modified", "date"]),
        other in any_lines(&["etag", "last-modified", "date"]),
        status in 100..1000_u16,
    ) {
        let stored = Stored { status: StatusCode::from_u16(status).unwrap(), headers: &one, received: now() };
        let _ = evaluate(&Method::GET, &request, stored, now());
        let _ = not_modified(&one, &[]);
        for stored in [&[&one, &other][..], &[&one]] {
            if let Some(validators) = Validators::of(stored, now()) {
                validators.replace_conditions(&mut request.clone());
            }
        }
    }
}
