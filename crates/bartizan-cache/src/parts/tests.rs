use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use tokio::time::Instant;

use super::*;
use crate::fields::Vary;
use crate::given::{any_lines, headers, now};
use crate::reuse::Born;
use crate::stored::Stored;
use crate::storing::Policy;

const TEXT: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

#[test]
fn a_206_has_one_part_as_long_as_it_says() {
    let range = ("content-range", "bytes 0-4/10");
    for (lines, is_one) in [
        (&[range][..], true),
        (&[range, ("content-length", "5")], true),
        (&[range, ("content-length", "6")], false),
        (&[range, ("content-length", "five")], false),
        (&[range, ("content-length", "5"), ("content-length", "5")], false),
        (&[range, ("content-type", "text/plain")], true),
        (&[range, ("content-type", "application/octet-stream")], true),
        (&[range, ("content-type", "multipart/byteranges; boundary=x")], false),
        (&[range, ("content-type", " Multipart/ByteRanges")], false),
        (&[("content-range", "items 0-4/10")], false),
        (&[("content-range", "bytes */10")], false),
        (&[], false),
    ] {
        assert_eq!(content(&headers(lines)).is_some(), is_one, "{lines:?}");
    }
}

const TAGGED: (&str, &str) = ("etag", "\"a\"");

fn rest(range: Option<&str>, part: &str) -> Option<Rest> {
    let request = range.map_or_else(HeaderMap::new, |range| headers(&[("range", range)]));
    Rest::of(&request, &headers(&[TAGGED, ("content-range", part)]), now())
}

#[test]
fn the_rest_of_what_a_part_begins_is_asked_for() {
    for (range, part, expected) in [
        (None, "bytes 0-4/10", Some("bytes=5-")),
        (None, "bytes 0-8/10", Some("bytes=9-")),
        (None, "bytes 1-4/10", None),
        (None, "bytes 0-4/*", None),
        (None, "bytes 0-9/10", None),
        (Some("bytes=0-"), "bytes 0-4/10", Some("bytes=5-")),
        (Some("bytes=2-6"), "bytes 1-4/10", Some("bytes=5-6")),
        (Some("bytes=2-99"), "bytes 1-4/10", Some("bytes=5-")),
        (Some("bytes=4-5"), "bytes 1-4/10", Some("bytes=5-5")),
        (Some("bytes=5-6"), "bytes 1-4/10", None),
        (Some("bytes=0-6"), "bytes 1-4/10", None),
        (Some("bytes=2-4"), "bytes 1-4/10", None),
        (Some("bytes=-7"), "bytes 1-4/10", Some("bytes=5-")),
        (Some("bytes=2-6"), "bytes 1-4/*", None),
        (Some("bytes=0-1,2-9"), "bytes 0-4/10", None),
    ] {
        let asked = rest(range, part).map(|rest| {
            let mut request = headers(&[("range", "bytes=0-0")]);
            rest.ask(&mut request);
            assert_eq!(request["if-range"], "\"a\"");
            request["range"].to_str().unwrap().to_owned()
        });
        assert_eq!(asked.as_deref(), expected, "{range:?} {part}");
    }
}

#[test]
fn nothing_is_added_to_what_has_no_strong_tag() {
    let part = ("content-range", "bytes 0-4/10");
    for lines in [
        &[part][..],
        &[part, ("etag", "W/\"a\"")],
        &[part, ("etag", "a")],
        &[part, TAGGED, TAGGED],
        &[part, ("last-modified", crate::given::THE_ONE_BEFORE), ("date", crate::given::THAT_SECOND)],
    ] {
        assert_eq!(Rest::of(&HeaderMap::new(), &headers(lines), now()), None, "{lines:?}");
    }
}

#[test]
fn the_rest_is_of_the_same_representation_and_nothing_is_missing() {
    let part = headers(&[TAGGED]);
    let rest = rest(Some("bytes=2-7"), "bytes 1-4/10").unwrap();
    for (tag, range, fits) in [
        ("\"a\"", "bytes 5-7/10", true),
        ("\"b\"", "bytes 5-7/10", false),
        ("W/\"a\"", "bytes 5-7/10", false),
        ("a", "bytes 5-7/10", false),
        ("\"a\"", "bytes 4-7/10", false),
        ("\"a\"", "bytes 6-7/10", false),
        ("\"a\"", "bytes 5-6/10", false),
        ("\"a\"", "bytes 5-8/10", false),
        ("\"a\"", "bytes 5-7/11", false),
        ("\"a\"", "bytes 5-7/*", false),
        ("\"a\"", "bytes 5-7", false),
    ] {
        let answer = headers(&[("etag", tag), ("content-range", range)]);
        assert_eq!(rest.fits(&part, &answer), fits, "{tag} {range}");
    }
    let short = headers(&[TAGGED, ("content-range", "bytes 5-7/10"), ("content-length", "2")]);
    assert!(!rest.fits(&part, &short));
    assert_eq!((rest.length(), rest.beginning()), (3, 1..4));
    assert_eq!(rest.wanted(), ContentRange { bytes: 2..8, complete: Some(10) });
}

#[test]
fn only_what_is_about_the_rest_alone_is_no_answer() {
    for (status, is_none) in [(200, false), (206, true), (304, true), (404, false), (416, true), (503, false)]
    {
        assert_eq!(is_no_answer(StatusCode::from_u16(status).unwrap()), is_none, "{status}");
    }
}

struct Given {
    range: Range<usize>,
    complete: Option<usize>,
    tag: &'static str,
    /// When it was asked for and made, in seconds.
    at: u64,
    accept: &'static str,
}

impl Given {
    fn of(range: Range<usize>, at: u64) -> Self {
        Self { range, complete: Some(10), tag: "\"a\"", at, accept: "" }
    }

    fn stored(&self, start: Instant) -> Arc<Stored> {
        let at = Duration::from_secs(self.at);
        let content = ContentRange { bytes: self.range.clone(), complete: self.complete };
        let mut fields = headers(&[("etag", self.tag), ("vary", "accept"), ("content-digest", "x")]);
        fields.insert("x-at", self.at.into());
        fields.append(http::HeaderName::try_from(format!("x-of-{}", self.at)).unwrap(), self.at.into());
        fields.insert(CONTENT_RANGE, content.value());
        let vary = Vary::read(&fields).key(&headers(&[("accept", self.accept)])).unwrap();
        Arc::new(Stored {
            status: StatusCode::PARTIAL_CONTENT,
            headers: fields,
            body: Bytes::from_static(&TEXT[self.range.clone()]),
            trailers: None,
            policy: Policy::by_age(Duration::from_secs(9)),
            born: Born::new(None, None, now(), start, start),
            vary,
            generated: now() + at,
            groups: Box::default(),
            asked: self.at,
            received: now(),
        })
    }
}

/// What there is after all of them have come in this order: from where to where, and what.
fn after(given: &[Given], most: usize) -> (Vec<String>, Option<String>) {
    let start = Instant::now();
    let mut parts = Vec::new();
    let mut whole = None;
    for given in given {
        let Some(joined) = joined(given.stored(start), &parts, most) else { continue };
        parts = joined.parts;
        whole = joined.whole.or(whole);
    }
    let shown = |stored: &Stored| {
        let range = ContentRange::of(&stored.headers).unwrap();
        assert_eq!(stored.status, StatusCode::PARTIAL_CONTENT);
        assert_eq!(stored.body, TEXT[range.bytes.clone()], "the bytes are those of the place");
        format!("{}..{}", range.bytes.start, range.bytes.end)
    };
    let whole = whole.map(|whole| {
        assert_eq!(whole.status, StatusCode::OK);
        assert!(!whole.headers.contains_key(CONTENT_RANGE));
        assert_eq!(whole.headers[CONTENT_LENGTH], whole.body.len().to_string());
        String::from_utf8(whole.body.to_vec()).unwrap()
    });
    (parts.iter().map(|part| shown(part)).collect(), whole)
}

fn parts_after(given: &[Given]) -> Vec<String> {
    after(given, 99).0
}

#[test]
fn parts_that_overlap_or_touch_become_one() {
    let of = |ranges: &[Range<usize>]| {
        let given: Vec<_> = ranges.iter().zip(1..).map(|(range, at)| Given::of(range.clone(), at)).collect();
        parts_after(&given)
    };
    assert_eq!(of(&[0..3, 3..5]), ["0..5"], "they touch");
    assert_eq!(of(&[3..5, 0..3]), ["0..5"]);
    assert_eq!(of(&[0..4, 2..7]), ["0..7"], "they overlap");
    assert_eq!(of(&[2..7, 0..4]), ["0..7"]);
    assert_eq!(of(&[0..7, 2..4]), ["0..7"], "one is inside");
    assert_eq!(of(&[2..4, 0..7]), ["0..7"]);
    assert_eq!(of(&[2..4, 2..7]), ["2..7"]);
    assert_eq!(of(&[0..2, 3..5]), ["3..5", "0..2"], "there is a gap");
    assert_eq!(of(&[0..2, 3..5, 7..9, 2..7]), ["0..9"], "one fills all gaps");
}

#[test]
fn all_of_it_is_the_whole() {
    let (parts, whole) = after(&[Given::of(5..10, 1), Given::of(2..3, 2), Given::of(0..6, 3)], 99);
    assert_eq!((parts.len(), whole.as_deref()), (0, Some("0123456789")));
}

#[test]
fn what_is_not_as_long_as_it_says_is_no_part() {
    let mut stored = Stored::clone(&Given::of(0..3, 1).stored(Instant::now()));
    stored.body = Bytes::from_static(b"01");
    assert!(joined(Arc::new(stored), &[], 99).is_none());
}

#[test]
fn parts_of_another_representation_give_way_to_what_was_asked_for_later() {
    for (tag, complete) in
        [("\"b\"", Some(10)), ("W/\"a\"", Some(10)), ("\"a\"", Some(11)), ("\"a\"", Some(4))]
    {
        let newer = Given { complete, tag, ..Given::of(0..3, 2) };
        assert_eq!(parts_after(&[Given::of(3..5, 1), newer]), ["0..3"], "{tag} {complete:?}");
        let newer = Given { complete, tag, ..Given::of(0..3, 2) };
        assert_eq!(parts_after(&[newer, Given::of(3..5, 1)]), ["0..3"], "{tag} {complete:?}");
    }
    let weak = |range, at| Given { tag: "W/\"a\"", ..Given::of(range, at) };
    assert_eq!(parts_after(&[weak(0..3, 1), weak(3..5, 2)]), ["3..5"], "nobody knows that they are of one");
}

#[test]
fn one_that_does_not_know_how_long_the_whole_is_learns_it() {
    let unknown = || Given { complete: None, ..Given::of(0..5, 1) };
    assert_eq!(parts_after(&[unknown(), Given { complete: None, ..Given::of(5..10, 2) }]), ["0..10"]);
    assert_eq!(after(&[unknown(), Given::of(5..10, 2)], 99).1.as_deref(), Some("0123456789"));
    assert_eq!(after(&[Given::of(5..10, 1), unknown()], 99).1.as_deref(), Some("0123456789"));
    let shorter = Given { complete: Some(4), ..Given::of(0..2, 2) };
    assert_eq!(parts_after(&[unknown(), shorter]), ["0..2"], "more than there is");
}

#[test]
fn parts_of_other_variants_are_left_alone() {
    let other = |range, at| Given { accept: "x", ..Given::of(range, at) };
    assert_eq!(parts_after(&[Given::of(0..3, 1), other(3..5, 2)]), ["3..5", "0..3"]);
    assert_eq!(parts_after(&[other(0..3, 1), Given::of(3..10, 2), Given::of(0..4, 3)]), ["0..3"]);
}

#[test]
fn the_oldest_make_room_and_none_is_longer_than_all_may_be() {
    let given =
        |ranges: [Range<usize>; 3]| ranges.into_iter().zip(1..).map(|(range, at)| Given::of(range, at));
    let of = |ranges| after(&given(ranges).collect::<Vec<_>>(), 5).0;
    assert_eq!(of([0..2, 3..5, 6..7]), ["6..7", "3..5", "0..2"]);
    assert_eq!(of([0..2, 3..5, 6..8]), ["6..8", "3..5"]);
    assert_eq!(of([0..2, 2..5, 5..7]), ["5..7"], "as one they would be longer");
}

#[test]
fn the_newer_head_counts_and_has_what_only_the_older_one_says() {
    let start = Instant::now();
    for (first, second) in [(1, 2), (2, 1)] {
        let known = [Given::of(0..3, first).stored(start)];
        let joined = joined(Given::of(3..5, second).stored(start), &known, 99).unwrap();
        let one = &joined.parts[0];
        assert_eq!(one.headers["x-at"], "2");
        assert_eq!((&one.headers["x-of-1"], &one.headers["x-of-2"]), (&1.into(), &2.into()));
        assert_eq!((one.asked, one.generated), (2, now() + Duration::from_secs(2)));
        assert_eq!(one.headers["content-range"], "bytes 0-4/10");
        assert_eq!(one.headers["content-length"], "5");
        assert!(!one.headers.contains_key("content-digest"), "that was of one part");
    }
}

#[test]
fn a_head_with_more_lines_than_are_kept_is_not_made() {
    let start = Instant::now();
    let filled = |given: Given, lines: Range<usize>| {
        let mut stored = Stored::clone(&given.stored(start));
        let names = lines.map(|index| http::HeaderName::try_from(format!("x-{index}")).unwrap());
        names.for_each(|name| drop(stored.headers.insert(name, 1.into())));
        Arc::new(stored)
    };
    // Beside seven that both have, or that one of them has.
    for (lines, parts) in [(1017, 1), (1018, 2)] {
        let known = [filled(Given::of(0..3, 1), 0..500)];
        let joined = joined(filled(Given::of(3..5, 2), 500..lines), &known, 99).unwrap();
        assert_eq!(joined.parts.len(), parts, "{lines}");
    }
}

proptest! {
    /// Whatever comes in whatever order, what is kept is all that came, in as few parts as can be.
    #[test]
    fn what_came_is_there_in_as_few_parts_as_can_be(
        ranges in proptest::collection::vec((0..30_usize, 1..12_usize), 1..9),
    ) {
        let given: Vec<_> = ranges
            .iter()
            .zip(1..)
            .map(|(&(start, length), at)| Given { complete: Some(50), ..Given::of(start..(start + length).min(30), at) })
            .collect();
        let mut expected = Vec::new();
        let is_there = |place: usize| given.iter().any(|given| given.range.contains(&place));
        let mut start = None;
        for place in 0..=30 {
            match (is_there(place), start) {
                (true, None) => start = Some(place),
                (false, Some(first)) => {
                    expected.push(format!("{first}..{place}"));
                    start = None;
                }
                _ => {}
            }
        }
        let (mut parts, whole) = after(&given, 99);
        parts.sort();
        expected.sort();
        prop_assert_eq!(parts, expected);
        prop_assert_eq!(whole, None);
    }

    /// The beginning and the rest are what was asked for.
    #[test]
    fn the_beginning_and_the_rest_are_what_was_asked_for(
        (start, length) in (0..10_usize, 1..10_usize),
        first in 0..12_usize,
        last in proptest::option::of(0..40_usize),
    ) {
        let part = start..start + length;
        let range = format!("bytes={first}-{}", last.map(|last| last.to_string()).unwrap_or_default());
        let content = ContentRange { bytes: part.clone(), complete: Some(TEXT.len()) };
        let Some(rest) = rest(Some(&range), content.value().to_str().unwrap()) else { return Ok(()) };
        let mut asked = HeaderMap::new();
        rest.ask(&mut asked);
        let sent = crate::range::wanted(&asked, &headers(&[TAGGED]), TEXT.len(), now()).unwrap();
        prop_assert_eq!(sent.len(), rest.length());
        let got = [&TEXT[part][rest.beginning()], &TEXT[sent]].concat();
        let end = last.map_or(TEXT.len(), |last| (last + 1).min(TEXT.len()));
        prop_assert_eq!(&got[..], &TEXT[first..end]);
        prop_assert_eq!(rest.wanted().bytes, first..end);
    }

    #[test]
    fn no_bytes_panic(
        request in any_lines(&["range", "if-range"]),
        part in any_lines(&["etag", "content-range", "content-length", "content-type"]),
    ) {
        let _ = content(&part);
        if let Some(rest) = Rest::of(&request, &part, now()) {
            let _ = (rest.fits(&part, &part), rest.length(), rest.beginning(), rest.wanted());
            rest.ask(&mut HeaderMap::new());
        }
    }
}
