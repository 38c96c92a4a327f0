use http::HeaderMap;
use http::header::{ETAG, IF_NONE_MATCH};

/// An entity tag (RFC 9110 section 8.8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntityTag<'a> {
    pub(crate) weak: bool,
    /// What stands between the quotes. A backslash is nothing special.
    pub(crate) opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// The tag of a response; `None` if it has none, a malformed one, or several lines, which could not be told apart.
    pub(crate) fn read(response: &'a HeaderMap) -> Option<Self> {
        let mut lines = response.get_all(ETAG).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else { return None };
        Self::parse(line.as_bytes())
    }

    /// A tag and nothing else, but for space around it.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        let (tag, rest) = Self::at_start(text.trim_ascii())?;
        rest.is_empty().then_some(tag)
    }

    fn at_start(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (weak, text) = text.strip_prefix(b"W/").map_or((false, text), |text| (true, text));
        let text = text.strip_prefix(b"\"")?;
        let end = text.iter().position(|byte| !matches!(byte, 0x21 | 0x23..=0x7e | 0x80..))?;
        let rest = text[end..].strip_prefix(b"\"")?;
        Some((Self { weak, opaque: &text[..end] }, rest))
    }

    /// The strong comparison (section 8.8.3.2): the same to the byte.
    pub(crate) fn is(&self, other: &EntityTag<'_>) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// The weak comparison (section 8.8.3.2): the same for a reader.
    pub(crate) fn is_like(&self, other: &EntityTag<'_>) -> bool {
        self.opaque == other.opaque
    }
}

/// `If-None-Match` (RFC 9110 section 13.1.2): all its lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IfNoneMatch<'a> {
    request: &'a HeaderMap,
}

impl<'a> IfNoneMatch<'a> {
    /// `None` if there is no such field. There is one, which matches nothing, if what stands in it is malformed.
    pub(crate) fn read(request: &'a HeaderMap) -> Option<Self> {
        request.contains_key(IF_NONE_MATCH).then_some(Self { request })
    }

    /// Whether it is `*`, which matches whatever there is. A star within a list is malformed.
    pub(crate) fn is_any(&self) -> bool {
        let members = self.lines().flat_map(|line| line.split(|byte| *byte == b','));
        let mut members = members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty());
        members.next() == Some(b"*") && members.next().is_none()
    }

    /// The tags that are listed; malformed members are passed over.
    pub(crate) fn tags(&self) -> impl Iterator<Item = EntityTag<'a>> + use<'a> {
        self.lines().flat_map(|rest| Tags { rest })
    }

    /// Whether a response with this tag, or without one, is what the client has: the weak comparison.
    pub(crate) fn matches(&self, tag: Option<&EntityTag<'_>>) -> bool {
        self.is_any() || tag.is_some_and(|tag| self.tags().any(|listed| listed.is_like(tag)))
    }

    fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.request.get_all(IF_NONE_MATCH).iter().map(|line| line.as_bytes())
    }
}

/// The tags of one line.
struct Tags<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Tags<'a> {
    type Item = EntityTag<'a>;

    fn next(&mut self) -> Option<EntityTag<'a>> {
        loop {
            let start = self.rest.iter().position(|byte| !matches!(byte, b',' | b' ' | b'\t'))?;
            let member = &self.rest[start..];
            let (tag, after) =
                EntityTag::at_start(member).map_or((None, member), |(tag, after)| (Some(tag), after));
            let end = after.iter().position(|byte| *byte == b',').unwrap_or(after.len());
            self.rest = &after[end..];
            if tag.is_some() && after[..end].trim_ascii().is_empty() {
                return tag;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::headers;
    use super::*;

    fn strong(opaque: &str) -> Option<EntityTag<'_>> {
        Some(EntityTag { weak: false, opaque: opaque.as_bytes() })
    }

    fn weak(opaque: &str) -> Option<EntityTag<'_>> {
        Some(EntityTag { weak: true, opaque: opaque.as_bytes() })
    }

    /// What is listed in all lines, as it would be written.
    fn listed(lines: &[&str]) -> Vec<String> {
        let lines = lines.iter().map(|line| ("if-none-match", *line)).collect::<Vec<_>>();
        let request = headers(&lines);
        let field = IfNoneMatch::read(&request).expect("it is there");
        let write = |tag: EntityTag<'_>| {
            format!("{}\"{}\"", if tag.weak { "W/" } else { "" }, String::from_utf8_lossy(tag.opaque))
        };
        field.tags().map(write).collect()
    }

    #[test]
    fn a_tag_is_read_strictly() {
        for (text, expected) in [
            ("\"xyzzy\"", strong("xyzzy")),
            ("W/\"xyzzy\"", weak("xyzzy")),
            ("\"\"", strong("")),
            (" \"a\"\t", strong("a")),
            ("\"a,b\\\"", strong("a,b\\")),
            ("\"\u{e4}!#~\"", strong("\u{e4}!#~")),
            ("w/\"a\"", None),
            ("W/ \"a\"", None),
            ("W/a", None),
            ("a", None),
            ("\"a", None),
            ("a\"", None),
            ("\"a b\"", None),
            ("\"a\"b", None),
            ("\"a\"\"b\"", None),
            ("\"a\", \"b\"", None),
            ("'a'", None),
            ("\"", None),
            ("", None),
            ("*", None),
        ] {
            assert_eq!(EntityTag::parse(text.as_bytes()), expected, "{text:?}");
        }
        assert_eq!(EntityTag::parse(b"\"\x7f\""), None, "DEL");
    }

    #[test]
    fn a_response_has_the_tag_of_its_only_line() {
        let tag = |lines: &[(&str, &str)]| {
            EntityTag::read(&headers(lines)).map(|tag| String::from_utf8_lossy(tag.opaque).into_owned())
        };
        assert_eq!(tag(&[("etag", "\"a\"")]).as_deref(), Some("a"));
        assert_eq!(tag(&[]), None);
        assert_eq!(tag(&[("etag", "\"a\""), ("etag", "\"b\"")]), None);
    }

    #[test]
    fn tags_compare_strongly_and_weakly_as_in_table_3() {
        for (one, other, strongly, weakly) in [
            (weak("1"), weak("1"), false, true),
            (weak("1"), weak("2"), false, false),
            (weak("1"), strong("1"), false, true),
            (strong("1"), weak("1"), false, true),
            (strong("1"), strong("1"), true, true),
            (strong("1"), strong("2"), false, false),
        ] {
            let (one, other) = (one.expect("a tag"), other.expect("a tag"));
            assert_eq!((one.is(&other), one.is_like(&other)), (strongly, weakly), "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_list_has_its_tags_in_order_over_all_lines() {
        assert_eq!(listed(&["\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\""]).len(), 3, "RFC 9110 section 13.1.2");
        assert_eq!(listed(&[",\"a\",W/\"b\"\t,,", "", "\"c\""]), ["\"a\"", "W/\"b\"", "\"c\""]);
        assert_eq!(listed(&["\"a,b\", W/\"c, \", \",\""]), ["\"a,b\"", "\",\""], "commas inside of tags");
    }

    #[test]
    fn malformed_members_are_passed_over() {
        for line in
            ["a", "\"a", "\"a b\"", "w/\"a\"", "\"a\"b", "\"a\" \"b\"", "*", "W/", "a\"b\"", "\"a\"\"b\""]
        {
            assert_eq!(listed(&[&format!("{line}, \"x\"")]), ["\"x\""], "{line:?} goes before");
            assert_eq!(listed(&[&format!("\"x\", {line}")]), ["\"x\""], "{line:?} goes after");
        }
    }

    #[test]
    fn a_star_matches_anything_if_it_stands_alone() {
        let matches = |lines: &[(&str, &str)]| {
            let request = headers(lines);
            IfNoneMatch::read(&request).map(|field| (field.is_any(), field.matches(None)))
        };
        assert_eq!(matches(&[]), None);
        assert_eq!(matches(&[("if-none-match", " * ,")]), Some((true, true)));
        for lines in [&["*, *"][..], &["*", "*"], &["\"a\", *"], &["*", "\"a\""], &["\"*\""], &["**"], &[""]]
        {
            let lines = lines.iter().map(|line| ("if-none-match", *line)).collect::<Vec<_>>();
            assert_eq!(matches(&lines), Some((false, false)), "{lines:?}");
        }
    }

    #[test]
    fn a_tag_is_matched_weakly_by_any_that_is_listed() {
        let request = headers(&[("if-none-match", "\"a\", W/\"b\""), ("if-none-match", "\"c\"")]);
        let field = IfNoneMatch::read(&request).expect("it is there");
        for (tag, expected) in
            [(weak("a"), true), (strong("b"), true), (strong("c"), true), (strong("d"), false)]
        {
            assert_eq!(field.matches(tag.as_ref()), expected, "{tag:?}");
        }
        assert!(!field.matches(None));
    }
}
