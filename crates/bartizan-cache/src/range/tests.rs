use proptest::prelude::*;

use super::*;
use crate::given::{THAT_SECOND, THE_NEXT, THE_ONE_BEFORE, any_lines, headers, now};

fn of(range: &str, length: usize) -> Portion {
    portion(&Method::GET, &headers(&[("range", range)]), &HeaderMap::new(), length, now())
}

fn bytes(portion: Portion) -> Option<Range<usize>> {
    match portion {
        Portion::Part(part) => Some(part.bytes()),
        _ => None,
    }
}

#[test]
fn a_range_is_inclusive_and_ends_with_the_body() {
    // RFC 9110 section 14.1.2, and its borders.
    for (range, expected) in [
        ("bytes=0-499", 0..500),
        ("bytes=500-999", 500..1000),
        ("bytes=-500", 9500..10_000),
        ("bytes=9500-", 9500..10_000),
        ("bytes=0-0", 0..1),
        ("bytes=-1", 9999..10_000),
        ("bytes=0-", 0..10_000),
        ("bytes=9999-", 9999..10_000),
        ("bytes=9999-9999", 9999..10_000),
        ("bytes=0-9999", 0..10_000),
        ("bytes=0-10000", 0..10_000),
        ("bytes=-10000", 0..10_000),
        ("bytes=-10001", 0..10_000),
        ("bytes=5-99999999999999999999999999999999", 5..10_000),
        ("bytes=0-18446744073709551615", 0..10_000),
        ("bytes=-99999999999999999999999999999999", 0..10_000),
        ("bytes=00000000000000000000000000000000005-007", 5..8),
        ("Bytes=1-2", 1..3),
        ("bytes= 1-2\t", 1..3),
        ("bytes=, 1-2 ,,", 1..3),
    ] {
        assert_eq!(bytes(of(range, 10_000)), Some(expected), "{range}");
    }
}

#[test]
fn a_range_that_holds_no_byte_is_unsatisfiable() {
    for range in ["bytes=3-", "bytes=3-3", "bytes=4-9", "bytes=-0", "bytes=99999999999999999999999-"] {
        assert_eq!(of(range, 3), Portion::Unsatisfiable(HeaderValue::from_static("bytes */3")), "{range}");
    }
}

#[test]
fn what_is_malformed_or_not_one_range_of_bytes_gets_the_whole() {
    for range in [
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=a-b",
        "bytes=1",
        "bytes=2-1",
        "bytes=1-2-3",
        "bytes=--1",
        "bytes=+1-2",
        "bytes=1 - 2",
        "bytes=1-2;q=1",
        "bytes =1-2",
        "bytes 1-2",
        "bytes:1-2",
        "items=1-2",
        "byte=1-2",
        "bytes=0-0,-1",
        "bytes=900-,901-",
        "bytes=1-2 3-4",
    ] {
        assert_eq!(of(range, 10), Portion::Whole, "{range}");
    }
    let nothing = HeaderMap::new();
    assert_eq!(portion(&Method::GET, &nothing, &nothing, 10, now()), Portion::Whole);
}

#[test]
fn two_lines_of_range_get_the_whole() {
    let request = headers(&[("range", "bytes=1-2"), ("range", "bytes=1-2")]);
    assert_eq!(portion(&Method::GET, &request, &HeaderMap::new(), 10, now()), Portion::Whole);
}

#[test]
fn of_an_empty_body_the_whole_is_what_there_is() {
    for range in ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0", "bytes=5-"] {
        assert_eq!(of(range, 0), Portion::Whole, "{range}");
    }
}

#[test]
fn only_get_has_ranges() {
    for method in [Method::HEAD, Method::POST, Method::from_bytes(b"FETCH").unwrap()] {
        let request = headers(&[("range", "bytes=1-2")]);
        assert_eq!(portion(&method, &request, &HeaderMap::new(), 10, now()), Portion::Whole, "{method}");
    }
}

#[test]
fn a_206_says_which_part_it_is() {
    let Portion::Part(part) = of("bytes=734-", 1234) else { panic!("a part") };
    let expected = [
        (CONTENT_RANGE, HeaderValue::from_static("bytes 734-1233/1234")),
        (CONTENT_LENGTH, HeaderValue::from_static("500")),
    ];
    assert_eq!(part.fields(), expected);
    assert!(part.omitted().is_empty());
}

fn by(if_range: &[&str], stored: &[(&str, &str)]) -> Portion {
    let mut request = headers(&[("range", "bytes=1-2")]);
    for line in if_range {
        request.append(IF_RANGE, HeaderValue::from_str(line).unwrap());
    }
    portion(&Method::GET, &request, &headers(stored), 10, now())
}

#[test]
fn if_range_asks_for_the_same_strong_validator() {
    let tagged = |tag| [("etag", tag), ("last-modified", THE_ONE_BEFORE), ("date", THAT_SECOND)];
    let dated = [("last-modified", THAT_SECOND), ("date", THE_NEXT)];
    for (if_range, stored, is_part) in [
        (&["\"a\""][..], &tagged("\"a\"")[..], true),
        (&["\"b\""], &tagged("\"a\""), false),
        (&["W/\"a\""], &tagged("\"a\""), false),
        (&["\"a\""], &tagged("W/\"a\""), false),
        (&["W/\"a\""], &tagged("W/\"a\""), false),
        (&["\"a\""], &[], false),
        (&["a"], &tagged("a"), false),
        (&["*"], &tagged("\"a\""), false),
        (&["\"a\", \"b\""], &tagged("\"a\""), false),
        (&["\"a\"", "\"a\""], &tagged("\"a\""), false),
        (&[""], &tagged("\"a\""), false),
        // Dates: exactly the same one, and a strong validator only if it was sent in a later second.
        (&[THAT_SECOND], &dated, true),
        (&["Sunday, 06-Nov-94 08:49:37 GMT"], &dated, true),
        (&[THE_NEXT], &dated, false),
        (&[THE_ONE_BEFORE], &dated, false),
        (&[THAT_SECOND], &[("last-modified", THAT_SECOND), ("date", THAT_SECOND)], false),
        (&[THAT_SECOND], &[("last-modified", THAT_SECOND)], false),
        (&[THAT_SECOND], &[("date", THAT_SECOND)], false),
        (&["never"], &[("last-modified", "never"), ("date", THAT_SECOND)], false),
        (&["never"], &[("date", THAT_SECOND)], false),
    ] {
        assert_eq!(bytes(by(if_range, stored)), is_part.then_some(1..3), "{if_range:?} {stored:?}");
    }
}

#[test]
fn without_range_if_range_means_nothing() {
    let request = headers(&[("if-range", "\"b\"")]);
    assert_eq!(portion(&Method::GET, &request, &headers(&[("etag", "\"a\"")]), 10, now()), Portion::Whole);
}

#[test]
fn a_206_by_if_range_leaves_out_what_the_client_has() {
    let Portion::Part(part) = by(&["\"a\""], &[("etag", "\"a\"")]) else { panic!("a part") };
    assert_eq!(part.omitted(), [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, LAST_MODIFIED]);
}

#[test]
fn a_206_is_complete_if_it_is_as_long_as_it_says() {
    for (content_range, length, is_complete) in [
        ("bytes 42-1233/1234", 1192, true),
        ("bytes 42-1233/*", 1192, true),
        ("bytes 0-499/1234", 500, true),
        ("bytes 734-1233/1234", 500, true),
        ("Bytes 0-0/1", 1, true),
        ("bytes 0-499/1234", 499, false),
        ("bytes 0-499/1234", 501, false),
        ("bytes 0-499/499", 500, false),
        ("bytes 0-499/500", 500, true),
        ("bytes 5-4/10", 0, false),
        ("bytes 9-4/10", 6, false),
        ("bytes */1234", 0, false),
        ("bytes */0", 0, false),
        ("bytes 0-0", 1, false),
        ("bytes 0-0/", 1, false),
        ("bytes 0-0/x", 1, false),
        ("bytes 0-/1", 1, false),
        ("bytes -0/1", 1, false),
        ("bytes=0-0/1", 1, false),
        ("bytes  0-0/1", 1, false),
        ("bytes 0-0/1 ", 1, true),
        ("bytes 0-0/1, bytes 0-0/1", 1, false),
        ("items 0-0/1", 1, false),
        ("bytes 0-18446744073709551615/*", 0, false),
        ("bytes 0-99999999999999999999999/*", usize::MAX, false),
        ("bytes 0-99999999999999999999999/999999999999999999999999", usize::MAX, false),
        ("", 0, false),
    ] {
        let given = headers(&[("content-range", content_range)]);
        assert_eq!(is_complete_206(&given, length), is_complete, "{content_range:?} {length}");
    }
    assert!(!is_complete_206(&HeaderMap::new(), 0));
    let twice = headers(&[("content-range", "bytes 0-0/1"), ("content-range", "bytes 0-0/1")]);
    assert!(!is_complete_206(&twice, 1));
}

/// The positions that a range means, as RFC 9110 section 14.1.2 has it, one byte after the other.
fn literally(first: Option<u128>, last: Option<u128>, length: usize) -> Vec<usize> {
    let means = |position: u128| match (first, last) {
        (Some(first), Some(last)) => first <= position && position <= last,
        (Some(first), None) => first <= position,
        (None, suffix) => position + suffix.unwrap_or(0) >= length as u128,
    };
    (0..length).filter(|&position| means(position as u128)).collect()
}

fn a_position() -> impl Strategy<Value = u128> {
    prop_oneof![4 => 0..50_u128, 1 => any::<u64>().prop_map(u128::from), 1 => any::<u128>().prop_map(|large| large >> 8)]
}

proptest! {
    #[test]
    fn a_slice_is_what_a_literal_reading_takes(
        first in proptest::option::of(a_position()),
        last in proptest::option::of(a_position()),
        length in 1..50_usize,
    ) {
        let text = |position: Option<u128>| position.map(|position| position.to_string()).unwrap_or_default();
        let portion = of(&format!("bytes={}-{}", text(first), text(last)), length);
        let expected = literally(first, last, length);
        match portion {
            Portion::Part(part) => {
                let body = bytes::Bytes::from_iter(0..50_u8).slice(..length);
                let taken: Vec<usize> = body.slice(part.bytes()).iter().copied().map(usize::from).collect();
                prop_assert_eq!(&taken, &expected);
                prop_assert!(!taken.is_empty());
                let partial = HeaderMap::from_iter(part.fields());
                prop_assert!(is_complete_206(&partial, taken.len()));
            }
            Portion::Unsatisfiable(_) => prop_assert!(expected.is_empty()),
            Portion::Whole => {
                let is_nothing = first.is_none() && last.is_none();
                let is_backwards = first.zip(last).is_some_and(|(first, last)| last < first);
                prop_assert!(is_nothing || is_backwards);
            }
        }
    }

    #[test]
    fn no_bytes_panic(
        request in any_lines(&["range", "if-range"]),
        stored in any_lines(&["etag", "last-modified", "date", "content-range"]),
        length in prop_oneof![0..9_usize, Just(isize::MAX as usize)],
    ) {
        if let Portion::Part(part) = portion(&Method::GET, &request, &stored, length, now()) {
            prop_assert!(part.bytes().start < part.bytes().end && part.bytes().end <= length);
            let _ = part.fields();
        }
        let _ = is_complete_206(&stored, length);
    }
}
