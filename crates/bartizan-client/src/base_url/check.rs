//! What may stand in a base URL and in a reference to something below it.

use http::uri::Authority;
use percent_encoding::percent_decode_str;

use super::error::{ReferenceFault, TextFault};
use super::split_query;

/// Judges a reference without scheme and host.
pub(super) fn relative(reference: &str) -> Result<(), ReferenceFault> {
    let (path, _) = split_query(reference);
    if path == "*" {
        return Err(ReferenceFault::Asterisk);
    }
    if path.starts_with("//") {
        return Err(ReferenceFault::NamesHost);
    }
    if let Some(fault) = character(reference) {
        return Err(ReferenceFault::Text(fault));
    }
    let first_segment = path.split('/').next().unwrap_or_default();
    if first_segment.contains([':', '@']) {
        return Err(ReferenceFault::Ambiguous);
    }
    self::path(path).map_or(Ok(()), |fault| Err(ReferenceFault::Text(fault)))
}

/// The first character that has to be percent-encoded, in a path and in a query.
///
/// Less than RFC 3986 forbids: brackets, braces and bars are in wide use, and lead nowhere.
pub(super) fn character(text: &str) -> Option<TextFault> {
    let bad = |c: char| !matches!(c, '!'..='~') || matches!(c, '\\' | '"' | '<' | '>' | '`');
    let (position, character) = text.char_indices().find(|&(_, c)| bad(c))?;
    Some(TextFault::Character { position, character })
}

/// What is wrong with the segments of a path.
pub(super) fn path(path: &str) -> Option<TextFault> {
    if let Some(position) = stray_percent(path) {
        return Some(TextFault::Percent { position });
    }
    let dots = path.split('/').find(|segment| hides_dots(segment))?;
    Some(TextFault::DotSegment { segment: dots.to_owned() })
}

fn stray_percent(path: &str) -> Option<usize> {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = path.as_bytes();
    (0..bytes.len())
        .find(|&i| bytes[i] == b'%' && !(is_digit(bytes.get(i + 1)) && is_digit(bytes.get(i + 2))))
}

/// Whether a segment is, or holds once it is decoded, a dot segment.
fn hides_dots(segment: &str) -> bool {
    if segment.contains("%25") {
        has_dot_segment(decode_fully(segment))
    } else {
        // Without an encoded percent sign, decoding once leaves nothing to decode.
        has_dot_segment(percent_decode_str(segment))
    }
}

fn has_dot_segment(decoded: impl IntoIterator<Item = u8>) -> bool {
    // How many dots the segment consists of so far, if of nothing else.
    let mut dots = Some(0_usize);
    for byte in decoded.into_iter().chain([b'/']) {
        // Some servers end a segment at a semicolon (path parameters), and some all text at a NUL.
        let may_end = matches!(byte, b'/' | b'\\' | b';' | 0);
        if may_end && matches!(dots, Some(1 | 2)) {
            return true;
        }
        dots = match byte {
            b'/' | b'\\' => Some(0),
            b'.' => dots.map(|dots| dots + 1),
            _ => None,
        };
    }
    false
}

/// Decodes until nothing is left to decode, in one pass.
///
/// The order does not matter: two escapes never overlap, since a percent sign is no hexadecimal digit. Slashes and dots
/// that an earlier round of decoding would show are still there at the end, as they are not used up.
fn decode_fully(segment: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(segment.len());
    for byte in segment.bytes() {
        decoded.push(byte);
        while let [.., b'%', high, low] = decoded[..] {
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let (Some(high), Some(low)) = (digit(high), digit(low)) else { break };
            decoded.truncate(decoded.len() - 3);
            decoded.push(high << 4 | low);
        }
    }
    decoded
}

/// Host and port of an authority that has these and nothing else; `http` reads `:99999` as no port at all.
pub(super) fn host_and_port(authority: &Authority) -> Option<(&str, Option<u16>)> {
    let host = authority.host();
    let port = authority.as_str().strip_prefix(host)?;
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
        _ => return None,
    };
    Some((host, port))
}
