use bartizan_core::has_media_type;
use http::{HeaderMap, HeaderValue, StatusCode};

pub(crate) const ACCEPT_BOTH: HeaderValue =
    HeaderValue::from_static("application/graphql-response+json, application/json;q=0.9");

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Whether a body is a GraphQL response by what its head says. `application/json` may come from any server on the way, so only 200 counts with it; the type of
/// its own counts with any status that is no redirect (GraphQL over HTTP, "Status Codes").
pub(crate) fn is_graphql(status: StatusCode, headers: &HeaderMap) -> bool {
    let is_its_own = has_media_type(headers, "application/graphql-response+json");
    let is_of_its_own =
        is_its_own && (status.is_success() || status.is_client_error() || status.is_server_error());
    is_of_its_own || status == StatusCode::OK && has_media_type(headers, "application/json")
}
