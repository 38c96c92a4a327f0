//! The version, put on a request. What the request says already stays.

use bytes::Bytes;
use http::header::ACCEPT;
use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Uri};
use percent_encoding::percent_decode_str;

use super::value::{ApiVersion, MediaType, Place};

impl ApiVersion {
    pub(super) fn put_on<B>(&self, request: &mut Request<B>) {
        match &self.place {
            Place::Header(header) => {
                if !request.headers().contains_key(header.name()) {
                    header.set(request.headers_mut());
                }
            }
            Place::MediaType(media_type) => {
                if media_type.may_replace(request.headers()) {
                    request.headers_mut().insert(ACCEPT, media_type.value.clone());
                }
            }
            Place::Query { name, encoded } => {
                rewrite(request.uri_mut(), |path, query| match query {
                    Some(query) if has_parameter(query, name) => None,
                    None | Some("") => Some(format!("{path}?{encoded}")),
                    Some(query) if query.ends_with('&') => Some(format!("{path}?{query}{encoded}")),
                    Some(query) => Some(format!("{path}?{query}&{encoded}")),
                });
            }
            Place::Path(prefix) => {
                rewrite(request.uri_mut(), |path, query| {
                    let prefix: &str = prefix;
                    let after = path.strip_prefix(prefix);
                    if after.is_some_and(|after| after.is_empty() || after.starts_with('/')) {
                        return None;
                    }
                    Some(match query {
                        Some(query) => format!("{prefix}{path}?{query}"),
                        None => format!("{prefix}{path}"),
                    })
                });
            }
        }
    }
}

impl MediaType {
    /// Whether `Accept` asks for nothing, or for nothing narrower than this.
    fn may_replace(&self, headers: &HeaderMap) -> bool {
        let is_wider = |range: &str| {
            let essence = range.split(';').next().unwrap_or_default().trim();
            essence.is_empty() || self.wider.iter().any(|wider| wider.eq_ignore_ascii_case(essence))
        };
        headers.get_all(ACCEPT).iter().all(|field| {
            // Not to be read, so the caller's: left as it is. A comma in a parameter's quoted string makes a piece that
            // is no wider range, with the same end.
            field.to_str().is_ok_and(|ranges| ranges.split(',').all(is_wider))
        })
    }
}

fn has_parameter(query: &str, name: &str) -> bool {
    query.split('&').any(|pair| {
        let (other, _) = pair.split_once('=').unwrap_or((pair, ""));
        percent_decode_str(other).eq(name.bytes())
    })
}

/// Puts what `change` makes of path and query in their place. A URI without a path (`*`, or a host and port alone) stays
/// as it is, and so does one that would become too long for a URI.
fn rewrite(uri: &mut Uri, change: impl FnOnce(&str, Option<&str>) -> Option<String>) {
    let Some(old) = uri.path_and_query().filter(|old| old.path().starts_with('/')) else { return };
    let Some(text) = change(old.path(), old.query()).filter(|text| text.len() <= LONGEST) else { return };
    let Ok(new) = PathAndQuery::from_maybe_shared(Bytes::from(text)) else { return };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(new);
    if let Ok(changed) = Uri::from_parts(parts) {
        *uri = changed;
    }
}

/// The longest text that `http` reads as a URI. Not all its releases look at this where a path is made.
const LONGEST: usize = u16::MAX as usize - 1;
