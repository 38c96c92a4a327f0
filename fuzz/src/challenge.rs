use std::future::{Ready, ready};

use bartizan_auth::{Authorizer, Reaction, Refreshing, Secret, Token, TokenError};
use bartizan_core::Head;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Request, Response, StatusCode};

thread_local! {
    static TOKENS: Refreshing = Refreshing::new(|_: Option<Secret>| -> Ready<Result<Token, TokenError>> {
        ready(Err(TokenError::permanent("none is asked for")))
    });
}

/// Each line is a `WWW-Authenticate` of a 401. One that is well formed is read as a second reader reads it, who knows nothing but the grammar.
pub fn challenge(data: &[u8]) {
    let lines: Vec<_> = data.split(|&byte| byte == b'\n').map(HeaderValue::from_bytes).collect();
    let Ok(lines) = lines.into_iter().collect::<Result<Vec<_>, _>>() else { return };
    let mut answer = Response::new(());
    let refused = TOKENS.with(|tokens| {
        tokens.set_token(Token::new("t").expect("a token"));
        let (mut head, ()) = Request::new(()).into_parts();
        let stamp = tokens.authorize(&mut head).expect("one is set");
        // What was refused before is forgotten.
        assert_eq!(tokens.react(stamp.clone(), &Head::from(&answer)), Reaction::Done);
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
        for line in &lines {
            answer.headers_mut().append(WWW_AUTHENTICATE, line.clone());
        }
        tokens.react(stamp, &Head::from(&answer)) == Reaction::Replay
    });
    let read: Vec<_> = lines.iter().map(|line| refuses(line.as_bytes())).collect();
    if read.contains(&Some(true)) {
        assert!(refused, "{lines:?}");
    }
    if read.iter().all(|read| *read == Some(false)) {
        assert!(!refused, "{lines:?}");
    }
    let mentions = |word: &[u8]| {
        lines
            .iter()
            .any(|line| line.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word)))
    };
    assert!(!refused || mentions(b"bearer") && mentions(b"error"), "{lines:?}");
}

/// A challenge of RFC 9110 section 11.6.1, as strict as it is written there.
struct Challenge {
    is_bearer: bool,
    /// Parameters may follow.
    is_open: bool,
    errors: Vec<Vec<u8>>,
}

/// `None` for what is not well formed.
fn refuses(line: &[u8]) -> Option<bool> {
    let mut challenges: Vec<Challenge> = Vec::new();
    for element in elements(line)? {
        let element = trimmed(element);
        if element.is_empty() {
            continue;
        }
        if let Some((name, value)) = parameter(trimmed_end(element)) {
            let challenge = challenges.last_mut().filter(|challenge| challenge.is_open)?;
            if name.eq_ignore_ascii_case(b"error") {
                challenge.errors.push(value);
            }
            continue;
        }
        let scheme = element.iter().take_while(|byte| is_tchar(**byte)).count();
        let (scheme, rest) = element.split_at(scheme);
        let is_bearer = scheme.eq_ignore_ascii_case(b"bearer");
        let mut challenge = Challenge { is_bearer, is_open: rest.starts_with(b" "), errors: Vec::new() };
        if scheme.is_empty()
            || !rest.is_empty() && !challenge.is_open && !rest.iter().all(|byte| *byte == b'\t')
        {
            return None;
        }
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        let credentials = trimmed_end(&rest[spaces..]);
        if let Some((name, value)) = parameter(credentials) {
            challenge.errors.extend(name.eq_ignore_ascii_case(b"error").then_some(value));
        } else if is_token68(credentials) {
            challenge.is_open = false;
        } else if !credentials.is_empty() {
            return None;
        }
        challenges.push(challenge);
    }
    let refuses = |it: &Challenge| it.is_bearer && it.errors.len() == 1 && it.errors[0] == b"invalid_token";
    Some(challenges.iter().any(refuses))
}

/// Between commas outside of quotes.
fn elements(line: &[u8]) -> Option<Vec<&[u8]>> {
    let (mut elements, mut start, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in line.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b',' if !is_quoted => {
                elements.push(&line[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    elements.push(&line[start..]);
    (!is_quoted).then_some(elements)
}

fn parameter(text: &[u8]) -> Option<(&[u8], Vec<u8>)> {
    let equals = text.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (trimmed_end(&text[..equals]), trimmed(&text[equals + 1..]));
    if name.is_empty() || !name.iter().all(|byte| is_tchar(*byte)) || value.is_empty() {
        return None;
    }
    if value.iter().all(|byte| is_tchar(*byte)) {
        return Some((name, value.to_vec()));
    }
    let inside = value.strip_prefix(b"\"")?;
    let (mut text, mut bytes) = (Vec::new(), inside.iter());
    loop {
        match bytes.next()? {
            b'\\' => text.push(*bytes.next()?),
            b'"' => break,
            byte => text.push(*byte),
        }
    }
    bytes.as_slice().is_empty().then_some((name, text))
}

fn is_token68(text: &[u8]) -> bool {
    let symbols =
        text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte)).count();
    symbols > 0 && text[symbols..].iter().all(|byte| *byte == b'=')
}

fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Without the space before it.
fn trimmed(text: &[u8]) -> &[u8] {
    let space = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[space..]
}

fn trimmed_end(text: &[u8]) -> &[u8] {
    let space = text.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[..text.len() - space]
}
