//! Header fields that every request is given.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::Header;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{HeaderName, Request};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::request::AcceptIsDefault;

/// Gives each request the header fields that an API wants in all of them.
///
/// | method | what it does |
/// |---|---|
/// | [`if_absent`](Self::if_absent) | a default: added where the request has no field of that name |
/// | [`overriding`](Self::overriding) | takes the place of all fields of that name in the request |
/// | [`append`](Self::append) | added to what the request has |
/// | [`content_type_json`](Self::content_type_json) | a default for requests that have a body |
///
/// [`new`](Self::new) sets none. Fields are given in this order: `overriding`, `if_absent`, `append`, so whatever was set by
/// `overriding` is not absent. Each may be used several times with one name, which then has all the values, in the order given.
///
/// It stands outermost, outside retry, so that all attempts are given the same fields, once. A field that is new for each attempt,
/// such as a date or a signature, needs a layer inside. It does not look at answers, and it does not add fields to the
/// requests that a client inside makes of its own accord, such as after a redirect.
///
/// ```
/// use bartizan_client::DefaultHeadersLayer;
/// use bartizan_core::Header;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use tower::{ServiceBuilder, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tower::BoxError> {
/// # let http_client = tower::service_fn(|request: Request<Full<bytes::Bytes>>| async move {
/// #     Ok::<_, std::convert::Infallible>(Response::new(request.headers().clone()))
/// # });
/// let client = ServiceBuilder::new()
///     .layer(
///         DefaultHeadersLayer::new()
///             .if_absent(Header::new("accept", "application/json")?)
///             .overriding(Header::new("x-api-key", "s3cret")?.sensitive())
///             .content_type_json(),
///     )
///     .service(http_client); // answers with the fields it was sent
///
/// let request = Request::get("/report").header("accept", "text/csv").body(Full::default())?;
/// let sent = client.oneshot(request).await?.into_body();
/// assert_eq!(sent["accept"], "text/csv");
/// assert_eq!(sent["x-api-key"], "s3cret");
/// assert!(!sent.contains_key("content-type"), "there is no body");
/// # Ok(()) }
/// ```
///
/// # Readiness
///
/// Pass-through. It cannot fail: the error type is the inner service's, and so is the future.
///
/// # Cost
///
/// Names and values are shared, not copied; the request's map of fields allocates as it grows. A layer without fields costs nothing.
#[derive(Clone, Default)]
pub struct DefaultHeadersLayer {
    fields: Arc<Fields>,
}

#[derive(Clone, Default)]
struct Fields {
    overriding: HeaderMap,
    if_absent: HeaderMap,
    append: HeaderMap,
    content_type_json: bool,
}

impl DefaultHeadersLayer {
    /// Without any field, which leaves all requests as they are.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `header` to requests that have no field of that name. None by default.
    ///
    /// Other values for the same name, given by further calls, are added along with it.
    #[must_use]
    pub fn if_absent(mut self, header: Header) -> Self {
        add(&mut Arc::make_mut(&mut self.fields).if_absent, header);
        self
    }

    /// Puts `header` in the place of all that a request has under that name. None by default.
    #[must_use]
    pub fn overriding(mut self, header: Header) -> Self {
        add(&mut Arc::make_mut(&mut self.fields).overriding, header);
        self
    }

    /// Adds `header` to each request, as one more field line of that name (RFC 9110 section 5.3). None by default.
    #[must_use]
    pub fn append(mut self, header: Header) -> Self {
        add(&mut Arc::make_mut(&mut self.fields).append, header);
        self
    }

    /// Adds `content-type: application/json` to requests that have a body and no `content-type`.
    ///
    /// A body counts as none if it is at its end or its exact length is 0. A stream of unknown length counts as one, though it
    /// may turn out to be empty. By default no `content-type` is added.
    #[must_use]
    pub fn content_type_json(mut self) -> Self {
        Arc::make_mut(&mut self.fields).content_type_json = true;
        self
    }
}

fn add(fields: &mut HeaderMap, header: Header) {
    fields.append(header.name(), header.value().clone());
}

impl<S> Layer<S> for DefaultHeadersLayer {
    type Service = DefaultHeaders<S>;

    fn layer(&self, inner: S) -> DefaultHeaders<S> {
        DefaultHeaders { inner, fields: self.fields.clone() }
    }
}

impl fmt::Debug for DefaultHeadersLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultHeadersLayer").field("fields", &self.fields).finish()
    }
}

/// The service of [`DefaultHeadersLayer`].
#[derive(Clone)]
pub struct DefaultHeaders<S> {
    inner: S,
    fields: Arc<Fields>,
}

impl<S, B> Service<Request<B>> for DefaultHeaders<S>
where
    S: Service<Request<B>>,
    B: Body,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let is_json = self.fields.content_type_json && has_body(request.body());
        // What `fetch` asks for on its own account gives way to what was set up for all requests.
        // Taken out, so that a retry further in has nothing to copy.
        let has_default_accept = request.extensions_mut().remove::<AcceptIsDefault>().is_some();
        if has_default_accept && self.fields.if_absent.contains_key(ACCEPT) {
            request.headers_mut().remove(ACCEPT);
        }
        self.fields.give(request.headers_mut());
        if is_json {
            request.headers_mut().entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        self.inner.call(request)
    }
}

impl<S: fmt::Debug> fmt::Debug for DefaultHeaders<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultHeaders").field("fields", &self.fields).field("inner", &self.inner).finish()
    }
}

fn has_body(body: &impl Body) -> bool {
    !body.is_end_stream() && body.size_hint().exact() != Some(0)
}

impl Fields {
    fn give(&self, headers: &mut HeaderMap) {
        for name in self.overriding.keys() {
            headers.remove(name);
            append_all(headers, name, &self.overriding);
        }
        for name in self.if_absent.keys() {
            if !headers.contains_key(name) {
                append_all(headers, name, &self.if_absent);
            }
        }
        for name in self.append.keys() {
            append_all(headers, name, &self.append);
        }
    }
}

fn append_all(headers: &mut HeaderMap, name: &HeaderName, from: &HeaderMap) {
    for value in from.get_all(name) {
        headers.append(name, value.clone());
    }
}

/// The names alone: not every secret is marked as one.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Names<'a>(&'a HeaderMap);
        impl fmt::Debug for Names<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_list().entries(self.0.keys().map(HeaderName::as_str)).finish()
            }
        }
        f.debug_struct("Fields")
            .field("overriding", &Names(&self.overriding))
            .field("if_absent", &Names(&self.if_absent))
            .field("append", &Names(&self.append))
            .field("content_type_json", &self.content_type_json)
            .finish()
    }
}

#[cfg(test)]
mod tests;
