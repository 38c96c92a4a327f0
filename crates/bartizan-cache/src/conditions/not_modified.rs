use http::HeaderMap;
use http::header::{
    CACHE_CONTROL, CONTENT_LOCATION, DATE, ETAG, EXPIRES, HeaderName, HeaderValue, LAST_MODIFIED, VARY,
};

const FIELDS: [HeaderName; 8] = [
    CACHE_CONTROL,
    HeaderName::from_static("cache-groups"),
    HeaderName::from_static("cdn-cache-control"),
    CONTENT_LOCATION,
    DATE,
    ETAG,
    EXPIRES,
    VARY,
];

/// The fields of a 304 that stands for a stored response (RFC 9110 section 15.4.5): what a cache on the way needs to
/// update its own copy, and nothing else. `Last-Modified` is there when there is no `ETag`.
///
/// `targeted` are the fields by which other caches decide (RFC 9213) beside `CDN-Cache-Control`. `Age` is the caller's.
pub(crate) fn not_modified(stored: &HeaderMap, targeted: &[HeaderName]) -> HeaderMap {
    let last_modified = (!stored.contains_key(ETAG)).then_some(&LAST_MODIFIED);
    let mut headers = HeaderMap::with_capacity(FIELDS.len());
    for name in FIELDS.iter().chain(last_modified).chain(targeted) {
        if !headers.contains_key(name) {
            copy(stored, name, &mut headers);
        }
    }
    headers
}

fn copy(stored: &HeaderMap<HeaderValue>, name: &HeaderName, headers: &mut HeaderMap) {
    for line in stored.get_all(name) {
        // A part of what fits into one map fits into another.
        headers.append(name, line.clone());
    }
}
