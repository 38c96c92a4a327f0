//! The members of a line of `Cache-Control` (RFC 9111 section 5.2): names, some with an argument.

/// The members of one line. No member goes over two of them: a quoted string that is torn apart is malformed on the first.
pub(super) fn members(line: &[u8]) -> Members<'_> {
    Members { rest: line }
}

/// One member, which has a name; those without are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member<'a> {
    name: &'a [u8],
    pub(super) argument: Argument<'a>,
}

/// What follows a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Argument<'a> {
    Absent,
    Token(&'a [u8]),
    /// What stands between the quotes, with its backslashes.
    Quoted(&'a [u8]),
    /// Something else than the grammar has.
    Malformed,
}

/// The length of the longest name that means anything here: `stale-while-revalidate`.
pub(super) const LONGEST_NAME: usize = 22;

impl Member<'_> {
    /// The name in lower case, put into `buffer`; nothing if it is longer than any that is known.
    pub(super) fn name<'b>(&self, buffer: &'b mut [u8; LONGEST_NAME]) -> &'b [u8] {
        let Some(lower) = buffer.get_mut(..self.name.len()) else { return b"" };
        lower.copy_from_slice(self.name);
        lower.make_ascii_lowercase();
        lower
    }
}

impl<'a> Argument<'a> {
    /// The argument's text; `None` if there is none, or a malformed one.
    pub(super) fn text(self) -> Option<impl Iterator<Item = u8> + use<'a>> {
        let (Self::Token(text) | Self::Quoted(text)) = self else { return None };
        let mut bytes = text.iter().copied();
        // A token has no backslash.
        Some(std::iter::from_fn(move || match bytes.next()? {
            b'\\' => bytes.next(),
            byte => Some(byte),
        }))
    }
}

pub(super) struct Members<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        loop {
            let start = self.rest.iter().position(|byte| !matches!(byte, b',' | b' ' | b'\t'))?;
            let (name, after) = token(&self.rest[start..]);
            let (argument, after) = argument(after);
            let end = after.iter().position(|byte| *byte == b',').unwrap_or(after.len());
            self.rest = &after[end..];
            if !name.is_empty() {
                let junk = !after[..end].trim_ascii().is_empty();
                return Some(Member { name, argument: if junk { Argument::Malformed } else { argument } });
            }
        }
    }
}

/// The argument at the start of `text`, and what is left after it.
pub(super) fn argument(text: &[u8]) -> (Argument<'_>, &[u8]) {
    let Some(text) = text.strip_prefix(b"=") else { return (Argument::Absent, text) };
    if let Some(text) = text.strip_prefix(b"\"") {
        // Without a second quote the first one closes nothing in, and the next comma ends the member.
        return quoted(text).unwrap_or((Argument::Malformed, text));
    }
    match token(text) {
        ([], rest) => (Argument::Malformed, rest),
        (token, rest) => (Argument::Token(token), rest),
    }
}

fn quoted(text: &[u8]) -> Option<(Argument<'_>, &[u8])> {
    let mut escaped = false;
    let end = text.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    Some((Argument::Quoted(&text[..end]), &text[end + 1..]))
}

pub(super) fn token(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !is_tchar(*byte)).unwrap_or(text.len()))
}

/// RFC 9110 section 5.6.2.
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The members of a line, each as `name`, `name=argument` or `name!`.
    fn read(line: &str) -> Vec<String> {
        let text = |member: Member<'_>| {
            let name = String::from_utf8_lossy(member.name);
            let argument =
                member.argument.text().map(|text| String::from_utf8(text.collect()).expect("as put in"));
            match (member.argument, argument) {
                (Argument::Absent, _) => name.into_owned(),
                (_, Some(argument)) => format!("{name}={argument}"),
                (_, None) => format!("{name}!"),
            }
        };
        members(line.as_bytes()).map(text).collect()
    }

    #[test]
    fn arguments_are_tokens_or_quoted_strings() {
        for (line, expected) in [
            ("max-age=5", &["max-age=5"][..]),
            ("max-age=\"5\"", &["max-age=5"]),
            ("private=\"a, b\"\t,  no-store", &["private=a, b", "no-store"]),
            ("x=\"a\\\", \\\\\", y", &["x=a\", \\", "y"]),
            ("x=\"\"", &["x="]),
            ("x='a', y", &["x='a'", "y"]),
        ] {
            assert_eq!(read(line), expected, "{line:?}");
        }
    }

    #[test]
    fn empty_members_are_none() {
        assert_eq!(read(" ,, a ,\t, b, "), ["a", "b"]);
        assert!(read("").is_empty() && read(" , ").is_empty());
    }

    #[test]
    fn a_malformed_member_keeps_its_name_and_spoils_no_other() {
        for (line, expected) in [
            ("a b, c", &["a!", "c"][..]),
            ("a; b, c", &["a!", "c"]),
            ("a =1, c", &["a!", "c"]),
            ("a= 1, c", &["a!", "c"]),
            ("a=, c", &["a!", "c"]),
            ("a=\"1\"2, c", &["a!", "c"]),
            ("a=\"1, c\"2, d", &["a!", "d"]),
            ("a=1\"2, c", &["a!", "c"]),
            ("a=\"1, c", &["a!", "c"]),
            ("a=\"1\\\", c", &["a!", "c"]),
            ("a=\"1\\", &["a!"]),
            ("\"a\", =1, (b), c", &["c"]),
            ("b\", c", &["b!", "c"]),
            ("\u{e4}, c", &["c"]),
        ] {
            assert_eq!(read(line), expected, "{line:?}");
        }
    }

    #[test]
    fn names_are_lowered_and_those_too_long_are_nobodys() {
        let mut buffer = [0; LONGEST_NAME];
        let mut name = |line: &str| {
            let member = members(line.as_bytes()).next().expect("there is one");
            String::from_utf8(member.name(&mut buffer).to_vec()).expect("ASCII")
        };
        assert_eq!(name("Stale-While-REVALIDATE=1"), "stale-while-revalidate");
        assert_eq!(name("Stale-While-Revalidates=1"), "");
    }
}
