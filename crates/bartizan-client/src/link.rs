//! `Link` header fields (RFC 8288 section 3), read without copies.
//!
//! Targets are given as they stand in the field: resolving them against the URI of the request is the caller's.
//!
//! The bytes come from outside. A link that cannot be read is left out, and reading goes on after the next comma that is
//! in no quoted string. A quoted string that is never closed is no quoted string: reading goes on inside it.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::LINK;

/// The links of all `Link` fields, in their order.
///
/// Links with an `anchor` are left out: they speak of another resource than the one asked for (RFC 8288 section 3.2).
pub(crate) fn links(headers: &HeaderMap) -> impl Iterator<Item = Link<'_>> {
    let fields = headers.get_all(LINK).iter();
    let all = fields.flat_map(|field| Links { rest: field.as_bytes(), quotes_close: true });
    all.filter(|link| !link.has_param("anchor"))
}

/// One link of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link<'a> {
    target: &'a str,
    // From after the `>` on; read to the end once already, so well-formed.
    params: &'a [u8],
}

impl<'a> Link<'a> {
    /// The target, unresolved: a URI, a path, or text that is neither.
    pub(crate) fn target(&self) -> &'a str {
        self.target
    }

    /// Whether `relation` is among the relation types, whatever its letter case. Only the first `rel` counts (RFC 8288
    /// section 3.3).
    pub(crate) fn has_rel(&self, relation: &str) -> bool {
        let types = self.param("rel").unwrap_or_default();
        types.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(relation))
    }

    /// The value of the first parameter of that name, unescaped; empty where it has none. `None` if there is no such
    /// parameter, or its value is not UTF-8. The extended form (`title*`) is not decoded.
    pub(crate) fn param(&self, name: &str) -> Option<Cow<'a, str>> {
        self.params().find(|param| param.is(name))?.value.text()
    }

    fn has_param(&self, name: &str) -> bool {
        self.params().any(|param| param.is(name))
    }

    fn params(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let mut rest = self.params;
        std::iter::from_fn(move || {
            let (param, after) = parameter(rest).ok()?;
            rest = after;
            param
        })
    }
}

/// The links of one field.
struct Links<'a> {
    rest: &'a [u8],
    // Once a quoted string was found not to be closed, the search for the next link looks for none: else a field of
    // nothing but quotes would be read once for each of them.
    quotes_close: bool,
}

impl<'a> Iterator for Links<'a> {
    type Item = Link<'a>;

    fn next(&mut self) -> Option<Link<'a>> {
        loop {
            // A list may have empty members (RFC 9110 section 5.6.1).
            self.rest = after_all(self.rest, b" \t,");
            if self.rest.is_empty() {
                return None;
            }
            match link(self.rest) {
                Ok((link, rest)) => {
                    self.rest = rest;
                    return Some(link);
                }
                Err(malformed) => self.skip_from(malformed),
            }
        }
    }
}

impl<'a> Links<'a> {
    /// To the next comma that is in no quoted string.
    fn skip_from(&mut self, malformed: &'a [u8]) {
        let mut text = malformed;
        while let Some((&byte, after)) = text.split_first() {
            text = match byte {
                b',' => break,
                b'"' if self.quotes_close => match quoted(after) {
                    Some((_, rest)) => rest,
                    None => {
                        self.quotes_close = false;
                        after
                    }
                },
                _ => after,
            };
        }
        self.rest = text;
    }
}

/// What could not be read, from the byte on that cannot stand there.
type Malformed<'a> = &'a [u8];

/// `<target>` and its parameters, and what comes after: nothing or a comma.
fn link(text: &[u8]) -> Result<(Link<'_>, &[u8]), Malformed<'_>> {
    let after = text.strip_prefix(b"<").ok_or(text)?;
    // A `<` is in no URI: the one before it was never closed.
    let (target, rest) = until_any(after, b"<>");
    let params = rest.strip_prefix(b">").ok_or(after)?;
    let target = std::str::from_utf8(target).map_err(|_| params)?;
    let mut rest = params;
    loop {
        match parameter(rest)? {
            (Some(_), after) => rest = after,
            (None, after) => return Ok((Link { target, params }, after)),
        }
    }
}

#[derive(Clone, Copy)]
struct Param<'a> {
    name: &'a [u8],
    value: Value<'a>,
}

impl Param<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Plain(&'a [u8]),
    /// What stood between the quotes, with its escapes.
    Quoted(&'a [u8]),
}

impl<'a> Value<'a> {
    fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Quoted(bytes) if bytes.contains(&b'\\') => unescaped(bytes).map(Cow::Owned),
            Self::Plain(bytes) | Self::Quoted(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        }
    }
}

/// The next parameter and what comes after it; no parameter at the link's end.
fn parameter(mut text: &[u8]) -> Result<(Option<Param<'_>>, &[u8]), Malformed<'_>> {
    loop {
        text = after_all(text, OWS);
        match text.first() {
            None | Some(b',') => return Ok((None, text)),
            Some(b';') => text = after_all(&text[1..], OWS),
            Some(_) => return Err(text),
        }
        let (name, rest) = until_any(text, b"=;, \t");
        // The grammar allows a semicolon with nothing after it.
        if name.is_empty() && !rest.starts_with(b"=") {
            text = rest;
            continue;
        }
        if name.is_empty() || !name.iter().copied().all(is_token) {
            return Err(text);
        }
        let rest = after_all(rest, OWS);
        let Some(rest) = rest.strip_prefix(b"=") else {
            return Ok((Some(Param { name, value: Value::Plain(b"") }), rest));
        };
        let rest = after_all(rest, OWS);
        let (value, rest) = match rest.strip_prefix(b"\"") {
            Some(inside) => {
                let (value, rest) = quoted(inside).ok_or(rest)?;
                (Value::Quoted(value), rest)
            }
            None => {
                // Wider than a token, as in appendix B.3: `rel=https://example.com/rels/x` is out there.
                let (value, rest) = until_any(rest, b";,");
                (Value::Plain(value.trim_ascii_end()), rest)
            }
        };
        return Ok((Some(Param { name, value }), rest));
    }
}

/// What stands before the closing quote, and what comes after it.
fn quoted(inside: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 0;
    loop {
        match inside.get(at)? {
            b'"' => return Some((&inside[..at], &inside[at + 1..])),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn unescaped(bytes: &[u8]) -> Option<String> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter();
    while let Some(&byte) = bytes.next() {
        plain.push(if byte == b'\\' { *bytes.next()? } else { byte });
    }
    String::from_utf8(plain).ok()
}

const OWS: &[u8] = b" \t";

fn after_all<'a>(text: &'a [u8], skipped: &[u8]) -> &'a [u8] {
    let count = text.iter().take_while(|byte| skipped.contains(byte)).count();
    &text[count..]
}

fn until_any<'a>(text: &'a [u8], ends: &[u8]) -> (&'a [u8], &'a [u8]) {
    text.split_at(text.iter().position(|byte| ends.contains(byte)).unwrap_or(text.len()))
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
