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
    assert_eq!(part.omitted(), ["content-digest", "content-md5"], "they are of the content that is sent");
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
    let omitted = [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, LAST_MODIFIED];
    assert!(omitted.iter().all(|name| part.omitted().contains(name)));
}

#[test]
fn a_content_range_says_which_bytes_there_are_and_of_how_many() {
    for (text, expected) in [
        ("bytes 42-1233/1234", Some((42..1234, Some(1234)))),
        ("bytes 42-1233/*", Some((42..1234, None))),
        ("Bytes 0-0/1", Some((0..1, Some(1)))),
        ("bytes 0-499/500", Some((0..500, Some(500)))),
        ("bytes 0-499/99999999999999999999999", Some((0..500, None))),
        ("bytes 0-0/1 ", Some((0..1, Some(1)))),
        ("bytes 0-499/499", None),
        ("bytes 5-4/10", None),
        ("bytes 9-4/10", None),
        ("bytes */1234", None),
        ("bytes */0", None),
        ("bytes 0-0", None),
        ("bytes 0-0/", None),
        ("bytes 0-0/x", None),
        ("bytes 0-/1", None),
        ("bytes -0/1", None),
        ("bytes=0-0/1", None),
        ("bytes  0-0/1", None),
        ("bytes 0-0/1, bytes 0-0/1", None),
        ("items 0-0/1", None),
        ("bytes 0-18446744073709551615/*", None),
        ("bytes 0-99999999999999999999999/999999999999999999999999", None),
        ("", None),
    ] {
        let given = headers(&[("content-range", text)]);
        let expected = expected.map(|(bytes, complete)| ContentRange { bytes, complete });
        assert_eq!(ContentRange::of(&given), expected, "{text:?}");
    }
    assert_eq!(ContentRange::of(&HeaderMap::new()), None);
    let twice = headers(&[("content-range", "bytes 0-0/1"), ("content-range", "bytes 0-0/1")]);
    assert_eq!(ContentRange::of(&twice), None);
}

#[test]
fn a_content_range_is_written_as_it_is_read() {
    for text in ["bytes 42-1233/1234", "bytes 42-1233/*", "bytes 0-0/1"] {
        let given = headers(&[("content-range", text)]);
        assert_eq!(ContentRange::of(&given).unwrap().value(), text);
    }
}

fn of_a_part(range: &str, part: Range<usize>, complete: Option<usize>) -> Option<Range<usize>> {
    let part = ContentRange { bytes: part, complete };
    within(&headers(&[("range", range)]), &HeaderMap::new(), &part, now()).map(|part| part.bytes())
}

#[test]
fn a_part_answers_what_lies_wholly_within_it() {
    for (range, expected) in [
        ("bytes=4-7", Some(4..8)),
        ("bytes=4-4", Some(4..5)),
        ("bytes=7-7", Some(7..8)),
        ("bytes=3-7", None),
        ("bytes=4-8", None),
        ("bytes=8-8", None),
        ("bytes=0-3", None),
        ("bytes=4-", None),
        ("bytes=-2", None),
        ("bytes=-0", None),
        ("bytes=20-", None),
        ("bytes=4-5,6-7", None),
        ("bytes=5-4", None),
        ("items=4-5", None),
    ] {
        assert_eq!(of_a_part(range, 4..8, Some(10)), expected, "{range}");
    }
    // At the end of the whole.
    for (range, expected) in [
        ("bytes=8-", Some(8..10)),
        ("bytes=7-", None),
        ("bytes=-2", Some(8..10)),
        ("bytes=-3", None),
        ("bytes=8-99", Some(8..10)),
    ] {
        assert_eq!(of_a_part(range, 8..10, Some(10)), expected, "{range}");
    }
}

#[test]
fn of_a_whole_of_unknown_length_a_part_answers_what_has_both_ends() {
    for (range, expected) in [
        ("bytes=4-7", Some(4..8)),
        ("bytes=4-8", None),
        ("bytes=4-", None),
        ("bytes=-4", None),
        ("bytes=4-99999999999999999999999", None),
    ] {
        assert_eq!(of_a_part(range, 4..8, None), expected, "{range}");
    }
}

#[test]
fn a_part_answers_if_range_lets_it() {
    let part = ContentRange { bytes: 4..8, complete: None };
    for (tag, is_part) in [("\"a\"", true), ("\"b\"", false)] {
        let request = headers(&[("range", "bytes=5-6"), ("if-range", tag)]);
        let answer = within(&request, &headers(&[("etag", "\"a\"")]), &part, now());
        assert_eq!(answer.map(|part| (part.bytes(), part.by_if_range)), is_part.then_some((5..7, true)));
    }
    assert_eq!(within(&HeaderMap::new(), &HeaderMap::new(), &part, now()), None, "it asks for the whole");
}

#[test]
fn a_206_of_a_part_says_where_it_lies_in_the_whole() {
    for (complete, content_range) in [(Some(10), "bytes 5-6/10"), (None, "bytes 5-6/*")] {
        let part = ContentRange { bytes: 4..8, complete };
        let part = within(&headers(&[("range", "bytes=5-6")]), &HeaderMap::new(), &part, now()).unwrap();
        let expected = [
            (CONTENT_RANGE, HeaderValue::from_static(content_range)),
            (CONTENT_LENGTH, HeaderValue::from_static("2")),
        ];
        assert_eq!(part.fields(), expected);
    }
}

#[test]
fn what_is_wanted_is_the_whole_or_the_range_that_would_be_sent() {
    let stored = headers(&[("etag", "\"a\"")]);
    for (lines, expected) in [
        (&[][..], Some(0..10)),
        (&[("if-range", "\"b\"")], Some(0..10)),
        (&[("range", "bytes=2-3")], Some(2..4)),
        (&[("range", "bytes=2-")], Some(2..10)),
        (&[("range", "bytes=-3")], Some(7..10)),
        (&[("range", "bytes=2-3"), ("if-range", "\"a\"")], Some(2..4)),
        (&[("range", "bytes=2-3"), ("if-range", "\"b\"")], None),
        (&[("range", "bytes=10-")], None),
        (&[("range", "bytes=-0")], None),
        (&[("range", "bytes=0-1,3-4")], None),
        (&[("range", "items=0-1")], None),
    ] {
        assert_eq!(wanted(&headers(lines), &stored, 10, now()), expected, "{lines:?}");
    }
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
                let said = ContentRange::of(&partial);
                prop_assert_eq!(said, Some(ContentRange { bytes: part.bytes(), complete: Some(length) }));
            }
            Portion::Unsatisfiable(_) => prop_assert!(expected.is_empty()),
            Portion::Whole => {
                let is_nothing = first.is_none() && last.is_none();
                let is_backwards = first.zip(last).is_some_and(|(first, last)| last < first);
                prop_assert!(is_nothing || is_backwards);
            }
        }
    }

    /// A part answers as the whole would, or not at all.
    #[test]
    fn a_part_answers_what_the_whole_would(
        first in proptest::option::of(a_position()),
        last in proptest::option::of(a_position()),
        complete in 1..50_usize,
        (one, other) in (0..50_usize, 0..50_usize),
    ) {
        let held = one.min(other)..(one.max(other) + 1).min(complete);
        prop_assume!(!held.is_empty());
        let text = |position: Option<u128>| position.map(|position| position.to_string()).unwrap_or_default();
        let range = format!("bytes={}-{}", text(first), text(last));
        let of_the_whole = bytes(of(&range, complete));
        let expected = of_the_whole.filter(|bytes| held.start <= bytes.start && bytes.end <= held.end);
        prop_assert_eq!(of_a_part(&range, held.clone(), Some(complete)), expected.clone());
        let blindly = of_a_part(&range, held, None);
        prop_assert!(blindly.is_none() || blindly == expected);
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
        if let Some(range) = ContentRange::of(&stored) {
            prop_assert!(range.bytes.start < range.bytes.end);
            let _ = (range.value(), within(&request, &stored, &range, now()));
            let _ = range.complete.map(|complete| wanted(&request, &stored, complete, now()));
        }
    }
}
