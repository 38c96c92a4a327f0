use http::HeaderValue;
use proptest::prelude::*;

use super::*;
use crate::given::{THAT_SECOND, THE_NEXT, any_lines, headers, now};

fn chosen(not_modified: &[(&str, &str)], stored: &[&[(&str, &str)]]) -> Vec<usize> {
    let stored: Vec<_> = stored.iter().map(|stored| headers(stored)).collect();
    let stored: Vec<_> = stored.iter().collect();
    selected(&headers(not_modified), &stored, now()).collect()
}

const A: (&str, &str) = ("etag", "\"a\"");
const WEAK_A: (&str, &str) = ("etag", "W/\"a\"");
const B: (&str, &str) = ("etag", "\"b\"");
const DATED: (&str, &str) = ("last-modified", THAT_SECOND);
const LATER: (&str, &str) = ("last-modified", THE_NEXT);

#[test]
fn a_strong_tag_selects_all_that_have_it_and_no_other() {
    assert_eq!(chosen(&[A], &[&[B], &[A], &[WEAK_A], &[], &[A]]), [1, 4]);
    assert_eq!(chosen(&[A], &[&[WEAK_A]]), [0; 0]);
    assert_eq!(chosen(&[A], &[&[B]]), [0; 0], "not even the only one");
    assert_eq!(chosen(&[A], &[&[]]), [0; 0]);
    assert_eq!(chosen(&[A, DATED], &[&[B, DATED]]), [0; 0], "a date does not outweigh a tag");
}

#[test]
fn a_weak_tag_selects_the_newest_that_matches() {
    assert_eq!(chosen(&[WEAK_A], &[&[B], &[A], &[WEAK_A]]), [1]);
    assert_eq!(chosen(&[WEAK_A], &[&[B]]), [0; 0]);
    assert_eq!(chosen(&[WEAK_A, DATED], &[&[B, DATED]]), [0; 0]);
}

#[test]
fn without_a_tag_last_modified_selects_the_newest_that_matches() {
    let other_form = ("last-modified", "Sun Nov  6 08:49:37 1994");
    assert_eq!(chosen(&[DATED], &[&[LATER], &[A, other_form], &[DATED]]), [1]);
    assert_eq!(chosen(&[DATED], &[&[LATER]]), [0; 0]);
    assert_eq!(chosen(&[DATED], &[&[]]), [0; 0]);
    assert_eq!(chosen(&[("etag", "a"), DATED], &[&[B, DATED]]), [0], "a malformed tag is none");
}

#[test]
fn without_a_validator_the_only_one_is_meant() {
    for stored in [&[][..], &[A], &[DATED]] {
        assert_eq!(chosen(&[], &[stored]), [0], "{stored:?}");
    }
    assert_eq!(chosen(&[("last-modified", "never")], &[&[DATED]]), [0]);
    assert_eq!(chosen(&[], &[&[A], &[]]), [0; 0]);
    assert_eq!(chosen(&[], &[]), [0; 0]);
}

#[test]
fn new_lines_take_the_place_of_all_old_ones_of_their_name() {
    let stored = headers(&[("a", "1"), ("a", "2"), ("b", "1"), ("c", "1"), ("content-type", "text/plain")]);
    let answer =
        headers(&[("a", "3"), ("c", "2"), ("c", "3"), ("d", "\u{fc}"), ("content-type", "text/html")]);
    let expected = headers(&[
        ("a", "3"),
        ("b", "1"),
        ("c", "2"),
        ("c", "3"),
        ("content-type", "text/html"),
        ("d", "\u{fc}"),
    ]);
    assert_eq!(freshened(&stored, &answer, &[]).unwrap(), expected);
}

#[test]
fn what_the_stored_bytes_depend_on_is_not_updated() {
    for name in ["content-encoding", "content-length", "content-range"] {
        let stored = headers(&[(name, "old")]);
        assert_eq!(freshened(&stored, &headers(&[(name, "new")]), &[]).unwrap(), stored, "{name}");
        assert_eq!(freshened(&HeaderMap::new(), &stored, &[]).unwrap(), HeaderMap::new(), "{name}");
    }
}

#[test]
fn what_is_not_stored_is_not_updated_either() {
    let answer = headers(&[
        ("connection", "close, x-hop"),
        ("x-hop", "new"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("x-end", "new"),
    ]);
    let stored = headers(&[("x-hop", "old"), ("x-end", "old")]);
    let expected = headers(&[("x-hop", "old"), ("x-end", "new")]);
    assert_eq!(freshened(&stored, &answer, &[]).unwrap(), expected);
}

#[test]
fn fields_that_a_directive_names_are_neither_taken_nor_kept() {
    let names = [HeaderName::from_static("x-mine"), HeaderName::from_static("x-yours")];
    let stored = headers(&[("x-mine", "old"), ("x-end", "old")]);
    let answer = headers(&[("x-yours", "new")]);
    assert_eq!(freshened(&stored, &answer, &names).unwrap(), headers(&[("x-end", "old")]));
}

#[test]
fn an_old_age_does_not_outlive_the_answer() {
    let stored = headers(&[("age", "600"), ("date", THAT_SECOND)]);
    assert_eq!(freshened(&stored, &HeaderMap::new(), &[]).unwrap(), headers(&[("date", THAT_SECOND)]));
    let answer = headers(&[("age", "3")]);
    let expected = headers(&[("age", "3"), ("date", THAT_SECOND)]);
    assert_eq!(freshened(&stored, &answer, &[]).unwrap(), expected);
}

#[test]
fn more_than_a_map_holds_is_refused() {
    let many = |prefix: &str| {
        (0..20_000)
            .map(|name| (HeaderName::try_from(format!("{prefix}-{name}")).unwrap(), HeaderValue::from(1)))
            .collect::<HeaderMap>()
    };
    assert!(freshened(&many("a"), &many("b"), &[]).is_err());
}

#[test]
fn a_head_is_about_the_stored_response_if_validators_and_length_are_the_same() {
    let tagged = [A, DATED, ("content-length", "3")];
    for (stored, head, agrees) in [
        (&tagged[..], &tagged[..], true),
        (&tagged, &[], true),
        (&tagged, &[A], true),
        (&tagged, &[DATED], true),
        (&tagged, &[B], false),
        (&tagged, &[WEAK_A], false),
        (&tagged, &[LATER], false),
        (&tagged, &[A, LATER], false),
        (&tagged, &[A, A], false),
        (&[], &[A], false),
        (&[], &[DATED], false),
        (&[], &[("content-length", "3")], true),
        (&[], &[("content-length", "03")], true),
        (&tagged, &[("content-length", "4")], false),
        (&tagged, &[A, ("content-length", "4")], false),
        (&tagged, &[("content-length", "3, 3")], false),
        (&tagged, &[("content-length", "3"), ("content-length", "3")], false),
        (&tagged, &[("content-length", "")], false),
        (&tagged, &[("content-length", "+3")], false),
        (&tagged, &[("content-length", "18446744073709551619")], false),
    ] {
        assert_eq!(head_agrees(&headers(stored), 3, &headers(head)), agrees, "{stored:?} {head:?}");
    }
}

#[test]
fn what_belongs_to_a_connection_or_a_proxy_is_not_stored() {
    let kept = [
        ("cache-control", "max-age=1"),
        ("proxy-status", "a"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("trailer", "x"),
        ("x-unknown", "\u{fc}"),
    ];
    let not_kept = [
        ("connection", "close, X-Hop ,,"),
        ("connection", "\tx-other, not a name, \u{fc}"),
        ("keep-alive", "timeout=5"),
        ("proxy-authenticate", "Basic"),
        ("proxy-authentication-info", "a=b"),
        ("proxy-authorization", "Basic YQ=="),
        ("proxy-connection", "close"),
        ("te", "trailers"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("x-hop", "1"),
        ("x-hop", "2"),
        ("x-other", "1"),
        ("x-named", "1"),
    ];
    let mut response = headers(&[&kept[..], &not_kept].concat());
    remove_unstored(&mut response, &[HeaderName::from_static("x-named")]);
    assert_eq!(response, headers(&kept));
}

proptest! {
    #[test]
    fn no_bytes_panic(
        answer in any_lines(&["etag", "last-modified", "connection", "content-length", "a"]),
        one in any_lines(&["etag", "last-modified", "a", "age"]),
        other in any_lines(&["etag", "last-modified"]),
    ) {
        let stored = [&one, &other];
        prop_assert!(selected(&answer, &stored, now()).all(|index| index < stored.len()));
        prop_assert!(freshened(&one, &answer, &[]).is_ok());
        let _ = head_agrees(&one, 3, &answer);
    }

    #[test]
    fn freshening_twice_is_freshening_once(
        answer in any_lines(&["etag", "age", "connection", "content-length", "a", "b"]),
        stored in any_lines(&["etag", "age", "a", "c"]),
    ) {
        let once = freshened(&stored, &answer, &[]).unwrap();
        prop_assert_eq!(freshened(&once, &answer, &[]).unwrap(), once);
    }
}
