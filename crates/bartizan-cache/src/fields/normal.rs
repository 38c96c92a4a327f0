//! The normal form of a field's value, in which those that mean the same are the same.

use http::header::ValueIter;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The value of a field over all its lines, without the space around it and around commas outside of quoted strings; `None` if the field is
/// absent. Nothing is copied.
///
/// Lines are joined by a comma with or without space (RFC 9110 section 5.3), so that space is there or not by chance wherever a line could
/// have ended (RFC 9111 section 4.1).
pub(super) fn normal<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<Normal<'h>> {
    let mut lines = headers.get_all(name).iter();
    let line = lines.next()?.as_bytes().trim_ascii();
    Some(Normal { line, lines, quoted: false, escaped: false, space: 0, joined_in_quotes: false })
}

pub(super) struct Normal<'h> {
    /// What is left of a line that was trimmed.
    line: &'h [u8],
    lines: ValueIter<'h, HeaderValue>,
    quoted: bool,
    escaped: bool,
    /// So much space comes next, and is kept: what follows is no comma.
    space: usize,
    joined_in_quotes: bool,
}

impl Normal<'_> {
    fn drop_space_before_comma(&mut self) {
        let rest = self.line.trim_ascii_start();
        if rest.starts_with(b",") {
            self.line = rest;
        } else {
            self.space = self.line.len() - rest.len();
        }
    }
}

impl Iterator for Normal<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if std::mem::take(&mut self.joined_in_quotes) {
            return Some(b' ');
        }
        // Not again for every byte of it, which would take the square of its length.
        if !self.quoted && self.space == 0 {
            self.drop_space_before_comma();
        }
        self.space = self.space.saturating_sub(1);
        let Some((byte, rest)) = self.line.split_first() else {
            self.line = self.lines.next()?.as_bytes().trim_ascii();
            self.joined_in_quotes = self.quoted;
            self.escaped = false;
            return Some(b',');
        };
        self.line = rest;
        if self.quoted {
            self.quoted = *byte != b'"' || self.escaped;
            self.escaped = *byte == b'\\' && !self.escaped;
        } else if *byte == b'"' {
            self.quoted = true;
        } else if *byte == b',' {
            self.line = rest.trim_ascii_start();
        }
        Some(*byte)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::headers;
    use super::*;

    fn read(lines: &[&str]) -> Option<String> {
        let lines = lines.iter().map(|line| ("x", *line)).collect::<Vec<_>>();
        let normal = normal(&headers(&lines), &HeaderName::from_static("x"))?.collect();
        Some(String::from_utf8(normal).expect("as put in"))
    }

    #[test]
    fn space_goes_from_the_ends_and_from_around_commas() {
        for (lines, expected) in [
            (&[" a "][..], "a"),
            (&["a,b"], "a,b"),
            (&["a , \t b"], "a,b"),
            (&["a", "b"], "a,b"),
            (&["a,", "b"], "a,,b"),
            (&["a \t b"], "a \t b"),
            (&["a  b ,c"], "a  b,c"),
            (&[" , ,  a"], ",,a"),
            (&["", "a"], ",a"),
            (&["a", ""], "a,"),
            (&[""], ""),
        ] {
            assert_eq!(read(lines).as_deref(), Some(expected), "{lines:?}");
        }
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn quoted_strings_are_left_alone() {
        for (lines, expected) in [
            (&["\"a , b\" , c"][..], "\"a , b\",c"),
            (&["\"a\\\" , b\" , c"], "\"a\\\" , b\",c"),
            (&["\"a\\\\\" , b"], "\"a\\\\\",b"),
            (&["\\\" , b\" , c"], "\\\" , b\",c"),
            (&["\"a , b"], "\"a , b"),
            (&["\"a", "b\" , c"], "\"a, b\",c"),
            (&["\"a\\", "\" , c"], "\"a\\, \",c"),
        ] {
            assert_eq!(read(lines).as_deref(), Some(expected), "{lines:?}");
        }
    }
}
