//! What stands in `Authorization` (RFC 9110 section 11.6.2).

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::Denial;

/// What follows the name of this scheme; `None` where another one is used, or none.
///
/// # Errors
/// If there are two fields: who goes by the first and who goes by the last would not mean the same caller.
pub(super) fn credentials<'r>(headers: &'r HeaderMap, scheme: &str) -> Result<Option<&'r [u8]>, Denial> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(Denial::Malformed("stands in two fields of `Authorization`"));
    }
    let line = line.as_bytes();
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let (given, rest) = line.split_at(end);
    Ok(given.eq_ignore_ascii_case(scheme.as_bytes()).then(|| rest.trim_ascii()))
}
