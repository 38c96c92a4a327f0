//! Entity tags (RFC 9110 section 8.8.3).

use http::HeaderMap;
use http::header::{ETAG, HeaderName};

use crate::singleton;

/// One entity tag. `==` compares the weakness as well, and is neither of the two comparisons that the RFC knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntityTag<'a> {
    weak: bool,
    /// What stands between the quotes.
    opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// The tag of a response. A malformed one is none, and so are two.
    pub(crate) fn of(headers: &'a HeaderMap) -> Option<Self> {
        Self::parse(singleton::value(headers, ETAG)?)
    }

    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        let (weak, quoted) = match text.strip_prefix(b"W/") {
            Some(quoted) => (true, quoted),
            None => (false, text),
        };
        let opaque = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        opaque.iter().all(|byte| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..)).then_some(Self { weak, opaque })
    }

    pub(crate) fn is_strong(self) -> bool {
        !self.weak
    }

    /// The strong comparison of section 8.8.3.2.
    pub(crate) fn matches_strongly(self, other: EntityTag<'_>) -> bool {
        self.is_strong() && other.is_strong() && self.opaque == other.opaque
    }

    /// The weak comparison of section 8.8.3.2.
    pub(crate) fn matches_weakly(self, other: EntityTag<'_>) -> bool {
        self.opaque == other.opaque
    }

    /// Appends the tag as it is written in a field.
    pub(crate) fn write(self, text: &mut Vec<u8>) {
        text.extend_from_slice(if self.weak { b"W/\"" } else { b"\"" });
        text.extend_from_slice(self.opaque);
        text.push(b'"');
    }
}

/// The tags of a list field, over all its lines. What is malformed is skipped, up to the next comma outside quotes.
pub(crate) fn list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = EntityTag<'_>> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|line| members(line.as_bytes()))
        .filter_map(|member| EntityTag::parse(member.trim_ascii()))
}

fn members(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    line.split(move |&byte| {
        // There is no escape inside an entity tag.
        quoted ^= byte == b'"';
        byte == b',' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::IF_NONE_MATCH;
    use proptest::prelude::*;

    use super::*;

    fn tag(text: &str) -> EntityTag<'_> {
        EntityTag::parse(text.as_bytes()).unwrap()
    }

    fn lines(lines: &[&[u8]]) -> HeaderMap {
        lines.iter().map(|line| (IF_NONE_MATCH, HeaderValue::from_bytes(line).unwrap())).collect()
    }

    fn written(headers: &HeaderMap) -> Vec<String> {
        let text = |tag: EntityTag<'_>| {
            let mut text = Vec::new();
            tag.write(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        };
        list(headers, IF_NONE_MATCH).map(text).collect()
    }

    #[test]
    fn the_two_comparisons() {
        // RFC 9110 table 3.
        for (one, other, strongly, weakly) in [
            ("W/\"1\"", "W/\"1\"", false, true),
            ("W/\"1\"", "W/\"2\"", false, false),
            ("W/\"1\"", "\"1\"", false, true),
            ("\"1\"", "W/\"1\"", false, true),
            ("\"1\"", "\"1\"", true, true),
            ("\"1\"", "\"2\"", false, false),
            ("\"a\"", "\"A\"", false, false),
            ("\"\"", "\"\"", true, true),
        ] {
            assert_eq!(tag(one).matches_strongly(tag(other)), strongly, "{one} {other}");
            assert_eq!(tag(one).matches_weakly(tag(other)), weakly, "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_entity_tag_is_none() {
        for text in
            ["", "\"", "W/", "W/\"", "abc", "\"abc", "abc\"", "w/\"abc\"", "W\"abc\"", "W/ \"abc\"", "*"]
        {
            assert_eq!(EntityTag::parse(text.as_bytes()), None, "{text}");
        }
        for text in [&b"\"a b\""[..], b"\"a\"b\"", b"\"a\x7f\"", b"\"a\x1f\"", b" \"a\"", b"\"a\" "] {
            assert_eq!(EntityTag::parse(text), None, "{text:?}");
        }
        assert!(EntityTag::parse(b"\"!#~\x80\xff\\,\"").is_some());
    }

    #[test]
    fn a_response_with_two_tags_has_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(EntityTag::of(&headers), None);
        headers.append(ETAG, HeaderValue::from_static("\"a\""));
        assert_eq!(EntityTag::of(&headers), Some(tag("\"a\"")));
        headers.append(ETAG, HeaderValue::from_static("\"a\""));
        assert_eq!(EntityTag::of(&headers), None);
    }

    #[test]
    fn a_list_goes_over_all_lines_and_skips_what_is_malformed() {
        let table: [(&[&[u8]], &[&str]); 7] = [
            (&[], &[]),
            (&[b""], &[]),
            (&[b"\"xyzzy\", \"r2d2xxxx\" ,\t\"c3piozzzz\""], &["\"xyzzy\"", "\"r2d2xxxx\"", "\"c3piozzzz\""]),
            (&[b"\"a\"", b"W/\"b\",", b",,\"c\""], &["\"a\"", "W/\"b\"", "\"c\""]),
            (&[b"\"a,b\", \"c\""], &["\"a,b\"", "\"c\""]),
            (&[b"a, \"b\", *, w/\"c\", \"d\"e, \"f\""], &["\"b\"", "\"f\""]),
            (&[b"\"open, \"a\"", b"\"b\""], &["\"b\""]),
        ];
        for (given, expected) in table {
            assert_eq!(written(&lines(given)), expected, "{given:?}");
        }
    }

    fn a_tag() -> impl Strategy<Value = String> {
        ("(W/)?", "[!#-~]{0,8}").prop_map(|(weak, opaque)| format!("{weak}\"{opaque}\""))
    }

    proptest! {
        #[test]
        fn a_written_list_is_read_back_however_it_is_split_over_lines(
            tags in proptest::collection::vec((a_tag(), any::<bool>()), 0..9),
        ) {
            let mut split: Vec<String> = vec![String::new()];
            for (tag, on_a_new_line) in &tags {
                match split.last_mut() {
                    Some(line) if !on_a_new_line => {
                        line.push_str(tag);
                        line.push_str(" , ");
                    }
                    _ => split.push(tag.clone() + ","),
                }
            }
            let split: Vec<&[u8]> = split.iter().map(String::as_bytes).collect();
            let expected: Vec<String> = tags.into_iter().map(|(tag, _)| tag).collect();
            prop_assert_eq!(written(&lines(&split)), expected);
        }

        #[test]
        fn no_bytes_panic(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(tag) = EntityTag::parse(&text) {
                let mut written = Vec::new();
                tag.write(&mut written);
                prop_assert_eq!(&written, &text);
            }
            if let Ok(line) = HeaderValue::from_bytes(&text) {
                let _ = list(&HeaderMap::from_iter([(IF_NONE_MATCH, line)]), IF_NONE_MATCH).count();
            }
        }
    }
}
