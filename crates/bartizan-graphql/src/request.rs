//! How an operation is written into a request.

use bartizan_core::CallContext;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use serde::Serialize;

use crate::Operation;
use crate::documents::OperationType;
use crate::media_type::{ACCEPT_BOTH, JSON};
use crate::operation::Variables;

/// The members that a request has, and no others (GraphQL over HTTP, "Request Parameters").
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Variables::is_empty")]
    variables: &'a Variables,
    #[serde(skip_serializing_if = "Variables::is_empty")]
    extensions: &'a Variables,
}

/// What of an operation is written, and how.
#[derive(Clone, Copy)]
pub(crate) struct Written<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) kind: Option<OperationType>,
    /// By its hash alone, without the document.
    pub(crate) is_hashed: bool,
    /// The hash among them.
    pub(crate) extensions: &'a Variables,
}

/// Above that a URL may not come through.
const LONGEST_TARGET: usize = 8000;

/// Servers take a GET with it for one that no form of another site has sent.
const PREFLIGHT: HeaderName = HeaderName::from_static("apollo-require-preflight");

impl Written<'_> {
    pub(crate) fn post(&self, endpoint: &Uri, headers: &HeaderMap) -> Request<Full<Bytes>> {
        let Operation { document, name, variables, .. } = self.operation;
        let query = (!self.is_hashed).then_some(&**document);
        let members =
            Members { query, operation_name: name.as_deref(), variables, extensions: self.extensions };
        let body = serde_json::to_vec(&members).expect("texts and JSON are JSON");
        let mut request = self.request(Method::POST, endpoint.clone(), headers, body.into());
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        request
    }

    /// `None` if the target would be too long, or the document is not left out.
    pub(crate) fn get(&self, endpoint: &Uri, headers: &HeaderMap) -> Option<Request<Full<Bytes>>> {
        if !self.is_hashed || self.kind != Some(OperationType::Query) {
            return None;
        }
        let json = |members: &Variables| serde_json::to_string(members).expect("texts and JSON are JSON");
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(name) = &self.operation.name {
            query.append_pair("operationName", name);
        }
        if !self.operation.variables.is_empty() {
            query.append_pair("variables", &json(&self.operation.variables));
        }
        query.append_pair("extensions", &json(self.extensions));
        let query = query.finish();
        let (path, before) = (endpoint.path(), endpoint.query());
        let target = match before {
            Some(before) => format!("{path}?{before}&{query}"),
            None => format!("{path}?{query}"),
        };
        if target.len() > LONGEST_TARGET {
            return None;
        }
        let mut parts = endpoint.clone().into_parts();
        parts.path_and_query = Some(target.try_into().ok()?);
        let uri = Uri::from_parts(parts).ok()?;
        let mut request = self.request(Method::GET, uri, headers, Bytes::new());
        request.headers_mut().insert(PREFLIGHT, HeaderValue::from_static("true"));
        Some(request)
    }

    fn request(&self, method: Method, uri: Uri, headers: &HeaderMap, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let fields = request.headers_mut();
        fields.insert(ACCEPT, ACCEPT_BOTH);
        for headers in [headers, &self.operation.headers] {
            // In the place of those of that name, all of them.
            for name in headers.keys() {
                fields.remove(name);
                for value in headers.get_all(name) {
                    fields.append(name, value.clone());
                }
            }
        }
        if self.kind == Some(OperationType::Query) {
            CallContext::edit(request.extensions_mut()).retry_mut().safe_to_repeat = true;
        }
        request
    }
}
