use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version, header, request};

use super::{
    BAD_REQUEST,
    body::Framing,
    connection::{Broken, Connection, MAX_HEAD},
};
use crate::server::wire::Wire;

const MAX_HEADERS: usize = 256;

/// A request's head, and what it says about the rest.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) parts: request::Parts,
    pub(super) framing: Framing,
    pub(super) keep_alive: bool,
    pub(super) expects_continue: bool,
}

pub(super) async fn read<W: Wire>(connection: &mut Connection<W>) -> Result<Head, Broken> {
    let too_large = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    let head = connection.take_through(b"\r\n\r\n", MAX_HEAD, too_large).await?;
    parse(&head).ok_or(BAD_REQUEST)
}

/// Reads a head that ends with an empty line; `None` if there is anything wrong with it.
fn parse(head: &[u8]) -> Option<Head> {
    let (request_line, header_section) = split_line(head.strip_suffix(b"\r\n")?)?;
    let mut words = request_line.split(|&byte| byte == b' ');
    let method = Method::from_bytes(words.next()?).ok()?;
    let uri = Uri::try_from(words.next()?).ok()?;
    let version = match words.next()? {
        b"HTTP/1.1" => Version::HTTP_11,
        b"HTTP/1.0" => Version::HTTP_10,
        _ => return None,
    };
    if words.next().is_some() {
        return None;
    }
    let headers = fields(header_section)?;
    if version == Version::HTTP_11 && headers.get_all(header::HOST).iter().count() != 1 {
        return None;
    }

    let framing = framing(&headers, version)?;
    let keep_alive = match version {
        Version::HTTP_11 => !has_token(&headers, header::CONNECTION, "close"),
        _ => has_token(&headers, header::CONNECTION, "keep-alive"),
    };
    let expects_continue = version == Version::HTTP_11
        && framing != Framing::Length(0)
        && has_token(&headers, header::EXPECT, "100-continue");

    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = method;
    parts.uri = uri;
    parts.version = version;
    parts.headers = headers;
    Some(Head { parts, framing, keep_alive, expects_continue })
}

/// Reads a section of fields, each ended by CRLF; obsolete folding is refused (RFC 9112, section 5.2).
pub(super) fn fields(mut section: &[u8]) -> Option<HeaderMap> {
    let mut fields = HeaderMap::new();
    while !section.is_empty() {
        let (line, rest) = split_line(section)?;
        section = rest;
        let colon = line.iter().position(|&byte| byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        if fields.len() == MAX_HEADERS {
            return None;
        }
        fields.append(name, value);
    }
    Some(fields)
}

/// The first line without its CRLF, and the rest. A bare CR or LF stays in its line, where no field allows it.
fn split_line(section: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = section.windows(2).position(|window| window == b"\r\n")?;
    Some((&section[..end], &section[end + 2..]))
}

/// How long the body is (RFC 9112, section 6.3); whatever could be read two ways is refused.
fn framing(headers: &HeaderMap, version: Version) -> Option<Framing> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    match (codings.next(), lengths.next()) {
        (None, None) => Some(Framing::Length(0)),
        (Some(coding), None) => {
            let chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
            (chunked && codings.next().is_none() && version == Version::HTTP_11).then_some(Framing::Chunked)
        }
        (None, Some(length)) if lengths.next().is_none() => {
            let digits = length.to_str().ok()?;
            let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
            all_digits.then(|| digits.parse().ok()).flatten().map(Framing::Length)
        }
        _ => None,
    }
}

fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = headers.get_all(name);
    values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_str(head: &str) -> Option<Head> {
        parse(head.as_bytes())
    }

    #[test]
    fn a_plain_head_is_read() {
        let head = parse_str("POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n").unwrap();
        assert_eq!(head.parts.method, Method::POST);
        assert_eq!(head.parts.uri, "/a?b=c");
        assert_eq!(head.framing, Framing::Length(12));
        assert!(head.keep_alive);
    }

    #[test]
    fn what_http_forbids_is_refused() {
        for head in [
            "\r\n\r\n",
            "GET / HTTP/2\r\nhost: x\r\n\r\n",
            "GET  / HTTP/1.1\r\nhost: x\r\n\r\n",
            "GET / HTTP/1.1 \r\nhost: x\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
            "GET / HTTP/1.1\r\nhost : x\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: x\na: b\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: x\r\na: b\rc\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: x\r\nno-colon\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: +1\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length:\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
            "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n",
        ] {
            assert!(parse_str(head).is_none(), "{head:?}");
        }
    }

    #[test]
    fn more_headers_than_the_limit_are_refused() {
        let head = |count: usize| format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(count));
        assert!(parse_str(&head(MAX_HEADERS - 1)).is_some());
        assert!(parse_str(&head(MAX_HEADERS)).is_none());
    }
}
