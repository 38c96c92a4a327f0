//! Answers that shared caches would take for everybody's.

use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue};

/// What RFC 9111 section 3.5 says of `Authorization`, which caches know, for the credentials of which they do not: a shared cache may keep the answer
/// only where it says so itself.
pub(super) fn keep_private(headers: &mut HeaderMap) {
    let lines = headers.get_all(CACHE_CONTROL).iter().map(HeaderValue::as_bytes);
    let mut directives = lines.flat_map(|line| line.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    let is_said = directives.any(|directive| {
        let name = directive.split(|byte| *byte == b'=').next().unwrap_or_default();
        let allows = ["public", "s-maxage", "must-revalidate"];
        // Of `private` with a list of fields the other fields may be kept.
        allows.iter().any(|allowed| name.eq_ignore_ascii_case(allowed.as_bytes()))
            || directive.eq_ignore_ascii_case(b"private")
            || name.eq_ignore_ascii_case(b"no-store")
    });
    if !is_said {
        // A head without room for it is too long for any cache.
        let _ = headers.try_append(CACHE_CONTROL, HeaderValue::from_static("private"));
    }
}
