use std::fmt;

use http::{Extensions, HeaderMap, HeaderName, Method, Request, Uri};

use crate::CallContext;

/// `Idempotency-Key`, parsed: looking a field up by text parses it each time.
pub static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The head of a request, borrowed: what policies and keys are decided by. `Debug` shows the method, the host, the path and the
/// names of the fields.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target.
    pub uri: &'a Uri,
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// The extensions. Where a layer keeps the [`CallContext`] apart they lack it; [`context`](Self::context) has it.
    pub extensions: &'a Extensions,
    context: Option<&'a CallContext>,
}

impl<'a> RequestHead<'a> {
    /// Of a head that was taken apart.
    pub fn new(
        method: &'a Method,
        uri: &'a Uri,
        headers: &'a HeaderMap,
        extensions: &'a Extensions,
        context: Option<&'a CallContext>,
    ) -> Self {
        Self { method, uri, headers, extensions, context }
    }

    /// What is known of the call.
    pub fn context(&self) -> Option<&'a CallContext> {
        self.context.or_else(|| CallContext::of(self.extensions))
    }

    /// Whether the request has an `Idempotency-Key` field.
    pub fn has_idempotency_key(&self) -> bool {
        self.headers.contains_key(&IDEMPOTENCY_KEY)
    }

    /// Whether the request promises that sending it twice does what sending it once does.
    ///
    /// That is so for the idempotent methods GET, HEAD, OPTIONS, TRACE, PUT and DELETE (RFC 9110 section 9.2.2), for a request
    /// with an `Idempotency-Key` field, and where the caller said so in the [`CallContext`].
    pub fn is_repeatable(&self) -> bool {
        const IDEMPOTENT: [Method; 6] =
            [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE, Method::PUT, Method::DELETE];
        IDEMPOTENT.contains(self.method)
            || self.has_idempotency_key()
            || self.context().is_some_and(|call| call.retry().safe_to_repeat)
    }
}

impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", self.method)
            .field("host", &self.uri.host())
            .field("path", &self.uri.path())
            .field("fields", &self.headers.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl<'a, B> From<&'a Request<B>> for RequestHead<'a> {
    fn from(request: &'a Request<B>) -> Self {
        Self::new(request.method(), request.uri(), request.headers(), request.extensions(), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_shows_no_secret() {
        let mut request = Request::post("http://user:secret@a.example/x?key=secret").body(()).unwrap();
        request.headers_mut().insert("authorization", "secret".parse().unwrap());
        let text = format!("{:?}", RequestHead::from(&request));
        assert_eq!(
            text,
            r#"RequestHead { method: POST, host: Some("a.example"), path: "/x", fields: ["authorization"], .. }"#
        );
    }

    #[test]
    fn which_requests_may_be_sent_again() {
        let repeatable = |method: &str, key: bool, safe: bool| {
            let mut request = Request::builder().method(method).body(()).unwrap();
            if key {
                request.headers_mut().insert("Idempotency-Key", "\"8e03978e\"".parse().unwrap());
            }
            CallContext::edit(request.extensions_mut()).retry_mut().safe_to_repeat = safe;
            RequestHead::from(&request).is_repeatable()
        };
        for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"] {
            assert!(repeatable(method, false, false), "{method}");
        }
        for method in ["POST", "PATCH", "CONNECT", "PURGE", "get"] {
            assert!(!repeatable(method, false, false), "{method}");
            assert!(repeatable(method, true, false), "{method} with a key");
            assert!(repeatable(method, false, true), "{method}, safe by the caller's word");
        }
    }

    #[test]
    fn a_context_that_is_kept_apart_is_found() {
        let mut context = CallContext::default();
        context.retry_mut().safe_to_repeat = true;
        let request = Request::post("/").body(()).unwrap();
        let (parts, ()) = request.into_parts();
        let head =
            |context| RequestHead::new(&parts.method, &parts.uri, &parts.headers, &parts.extensions, context);
        assert!(head(Some(&context)).is_repeatable() && !head(None).is_repeatable());
    }
}
