//! What a 401 asks for: the challenges of `WWW-Authenticate` (RFC 9110 section 11.6.1).

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// Whether the answer says that the token it was asked with is not good any more (RFC 6750 section 3.1).
pub(crate) fn refuses_token(headers: &HeaderMap) -> bool {
    headers.get_all(WWW_AUTHENTICATE).iter().any(|line| {
        challenges(line.as_bytes()).any(|challenge| {
            challenge.scheme.eq_ignore_ascii_case(b"bearer") && challenge.has("error", b"invalid_token")
        })
    })
}

/// One challenge: a scheme, and its parameters.
struct Challenge<'a> {
    scheme: &'a [u8],
    parameters: Vec<(&'a [u8], Value<'a>)>,
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Token(&'a [u8]),
    /// What stands between the quotes, with its escapes.
    Quoted(&'a [u8]),
}

impl Challenge<'_> {
    fn has(&self, name: &str, value: &[u8]) -> bool {
        let mut named =
            self.parameters.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name.as_bytes()));
        // What is there twice says nothing (section 11.2).
        let Some((_, given)) = named.next() else { return false };
        named.next().is_none() && given.is(value)
    }
}

impl Value<'_> {
    fn is(self, text: &[u8]) -> bool {
        match self {
            Value::Token(token) => token == text,
            Value::Quoted(quoted) => unescaped(quoted).eq(text.iter().copied()),
        }
    }
}

fn unescaped(quoted: &[u8]) -> impl Iterator<Item = u8> {
    let mut is_escaped = false;
    quoted.iter().copied().filter(move |byte| {
        is_escaped = !is_escaped && *byte == b'\\';
        !is_escaped
    })
}

/// What cannot be read ends the line: a part of a challenge is none.
fn challenges(line: &[u8]) -> Challenges<'_> {
    Challenges { rest: line }
}

struct Challenges<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Challenges<'a> {
    type Item = Challenge<'a>;

    fn next(&mut self) -> Option<Challenge<'a>> {
        self.rest = after_commas(self.rest);
        let (scheme, rest) = token(self.rest)?;
        let mut challenge = Challenge { scheme, parameters: Vec::new() };
        self.rest = rest;
        if !rest.starts_with(b" ") {
            let is_over = after_space(rest).is_empty() || after_space(rest).starts_with(b",");
            return is_over.then_some(challenge);
        }
        let mut rest = after_space(rest);
        if parameter(rest).is_none()
            && let Some(after) = after_token68(rest)
        {
            self.rest = after;
            return Some(challenge);
        }
        rest = after_commas(rest);
        while let Some((name, value, after)) = parameter(rest) {
            challenge.parameters.push((name, value));
            let after = after_space(after);
            if !after.is_empty() && !after.starts_with(b",") {
                return None;
            }
            self.rest = after;
            rest = after_commas(after);
        }
        Some(challenge)
    }
}

fn after_space(bytes: &[u8]) -> &[u8] {
    let space = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &bytes[space..]
}

/// Empty members of a list are nothing (RFC 9110 section 5.6.1.2).
fn after_commas(bytes: &[u8]) -> &[u8] {
    let nothing = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b',')).count();
    &bytes[nothing..]
}

fn token(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_symbol = |byte: &&u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let length = bytes.iter().take_while(is_symbol).count();
    (length > 0).then(|| bytes.split_at(length))
}

/// A name, its value, and what follows.
fn parameter(bytes: &[u8]) -> Option<(&[u8], Value<'_>, &[u8])> {
    let (name, rest) = token(bytes)?;
    let rest = after_space(after_space(rest).strip_prefix(b"=")?);
    if let Some(quoted) = rest.strip_prefix(b"\"") {
        let mut is_escaped = false;
        let end = quoted.iter().position(|byte| {
            let is_end = *byte == b'"' && !is_escaped;
            is_escaped = *byte == b'\\' && !is_escaped;
            is_end
        })?;
        return Some((name, Value::Quoted(&quoted[..end]), &quoted[end + 1..]));
    }
    let (value, rest) = token(rest)?;
    Some((name, Value::Token(value), rest))
}

/// What follows a `token68`, which says nothing here.
fn after_token68(bytes: &[u8]) -> Option<&[u8]> {
    let is_symbol = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    let symbols = bytes.iter().take_while(is_symbol).count();
    let padding = bytes[symbols..].iter().take_while(|byte| **byte == b'=').count();
    let rest = &bytes[symbols + padding..];
    let is_over = after_space(rest).is_empty() || after_space(rest).starts_with(b",");
    (symbols > 0 && is_over).then_some(rest)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn refuses(lines: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(line).unwrap());
        }
        refuses_token(&headers)
    }

    #[test]
    fn a_token_is_refused_by_the_error_of_a_bearer_challenge() {
        for refused in [
            &["Bearer error=\"invalid_token\""][..],
            &["bearer ERROR=invalid_token"],
            &["Bearer realm=\"a, b\", error=\"invalid_token\", error_description=\"it \\\"expired\\\"\""],
            &["Bearer error = \"invalid\\_token\" , realm=x"],
            &["Basic realm=\"x\", Bearer realm=\"y\", error=\"invalid_token\""],
            &["Negotiate", "Bearer error=\"invalid_token\""],
            &["Negotiate YII=, Bearer error=\"invalid_token\""],
            &["NTLM, , Bearer ,error=\"invalid_token\""],
            &["Digest qop=auth, nonce=\"Bearer error=none\", Bearer error=\"invalid_token\""],
        ] {
            assert!(refuses(refused), "{refused:?}");
        }
        for other in [
            &[][..],
            &[""],
            &["Bearer"],
            &["Bearer realm=\"x\""],
            &["Bearer error=\"insufficient_scope\""],
            &["Bearer error=\"Invalid_Token\""],
            &["Bearer error_description=\"invalid_token\""],
            &["Bearer realm=\"error=invalid_token\""],
            &["Bearer realm=\", Bearer error=invalid_token\""],
            &["Basic error=\"invalid_token\""],
            &["DPoP error=\"invalid_token\""],
            &["BearerX error=\"invalid_token\""],
            &["Bearer error=\"invalid_token"],
            &["Bearer error=\"other\", error=\"invalid_token\""],
            &["Bearer error=\"invalid_token\", error=\"other\""],
            &["Bearer error=\"invalid_token\" realm=x"],
            &["error=\"invalid_token\""],
            &["Bearer error=invalid_token=="],
        ] {
            assert!(!refuses(other), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_none_are_read_twice(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(challenges(&bytes).count() <= bytes.len());
        }

        #[test]
        fn what_is_written_is_read(realm in "[ -~]{0,20}", scheme in "[A-Za-z]{1,8}") {
            let escaped = realm.replace('\\', "\\\\").replace('"', "\\\"");
            let line = format!("{scheme} realm=\"{escaped}\", Bearer error=\"invalid_token\"");
            prop_assert!(refuses(&[&line]), "{line}");
        }
    }
}
