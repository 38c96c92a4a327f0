use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use bartizan_core::{BoxError, CallContext, Header, shown_url};
use bartizan_timeout::{BodyDeadline, DeadlineLayer};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body::Body;
use http_body_util::Full;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;
use tower_layer::Layer;
use tower_service::Service;

use crate::asked::Asked;
use crate::client::Limits;
use crate::error::Kind;
use crate::{Error, Reply};

/// In a request's extensions: its `Accept` was set by [`RequestBuilder::fetch`], not by the caller.
#[derive(Clone, Copy)]
pub(crate) struct AcceptIsDefault;

/// A request that is being built, and what shall be different for this one call.
///
/// What cannot be built is told by [`send`](Self::send): nothing is sent then.
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder<S, B = Full<Bytes>> {
    service: S,
    limits: Limits,
    request: Request<B>,
    time: Option<Duration>,
    /// The first thing that could not be built.
    fault: Option<BoxError>,
}

impl<S> RequestBuilder<S> {
    pub(crate) fn new(service: S, limits: Limits, method: Method, target: &str) -> Self {
        let mut request = Request::new(Full::default());
        *request.method_mut() = method;
        let mut builder = Self { service, limits, request, time: None, fault: None };
        match uri(target) {
            Ok(uri) => *builder.request.uri_mut() = uri,
            Err(error) => builder.fault = Some(error),
        }
        builder
    }

    /// A JSON body. Sets `Content-Type: application/json`, unless the request has one.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        let json = serde_json::to_vec(value).map_err(Into::into);
        self.encoded(json.map(Bytes::from), "application/json")
    }

    /// A body as HTML forms have it. Sets `Content-Type: application/x-www-form-urlencoded`, unless the request has one.
    pub fn form<T: Serialize + ?Sized>(self, value: &T) -> Self {
        let form = serde_urlencoded::to_string(value).map_err(Into::into);
        self.encoded(form.map(Bytes::from), "application/x-www-form-urlencoded")
    }

    /// Any body that is in memory. Sets no `Content-Type`.
    pub fn bytes(mut self, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = Full::new(body.into());
        self
    }

    fn encoded(mut self, body: Result<Bytes, BoxError>, media_type: &'static str) -> Self {
        match body {
            Ok(body) => {
                let field = self.request.headers_mut().entry(CONTENT_TYPE);
                field.or_insert(HeaderValue::from_static(media_type));
                self.bytes(body)
            }
            Err(error) => self.failed(error),
        }
    }
}

impl<S, B> RequestBuilder<S, B> {
    /// A body of another type, such as a stream. To be retried it must be one that can be sent twice.
    pub fn body<C>(self, body: C) -> RequestBuilder<S, C> {
        let Self { service, limits, request, time, fault } = self;
        RequestBuilder { service, limits, request: request.map(|_| body), time, fault }
    }

    /// Adds to the query, after what the target has.
    pub fn query<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_urlencoded::to_string(value) {
            Ok(more) if more.is_empty() => self,
            Ok(more) => match with_query(self.request.uri(), &more) {
                Ok(uri) => {
                    *self.request.uri_mut() = uri;
                    self
                }
                Err(error) => self.failed(error),
            },
            Err(error) => self.failed(error),
        }
    }

    /// Sets a header field, in place of any of that name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match Header::new(name, value) {
            Ok(header) => {
                header.set(self.request.headers_mut());
                self
            }
            Err(error) => self.failed(error),
        }
    }

    /// Sets header fields, each in place of all of its name.
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        let mut names = headers.keys().cloned().collect::<Vec<_>>();
        names.dedup();
        for name in &names {
            self.request.headers_mut().remove(name);
        }
        self.request.headers_mut().extend(headers);
        self
    }

    /// At most so long for this call, with all its attempts: through the body where that is read here, as
    /// [`fetch`](Self::fetch) and [`Reply::bytes`] do, else to the answer's head. Shortens what the stack allows.
    pub fn timeout(mut self, total: Duration) -> Self {
        self.time = Some(total);
        self
    }

    /// Sends this request once, whatever the stack does otherwise.
    pub fn no_retry(mut self) -> Self {
        self.context().retry_mut().off = true;
        self
    }

    /// At most so many attempts for this request, in place of the stack's number.
    pub fn max_attempts(mut self, attempts: NonZeroU32) -> Self {
        self.context().retry_mut().attempts = Some(attempts);
        self
    }

    /// This request may be sent twice although its method does not promise it.
    pub fn safe_to_repeat(mut self) -> Self {
        self.context().retry_mut().safe_to_repeat = true;
        self
    }

    /// Puts a value into the request's extensions, for a layer to see.
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.request.extensions_mut().insert(value);
        self
    }

    /// The request, to be sent by other means.
    ///
    /// # Errors
    /// When it cannot be built. The [`timeout`](Self::timeout) is not in it.
    pub fn build(self) -> Result<Request<B>, Error> {
        let asked = self.asked();
        match self.fault {
            None => Ok(self.request),
            Some(error) => Err(asked.error(Kind::Request(error))),
        }
    }

    pub(crate) fn with_uri(mut self, uri: Uri) -> Self {
        *self.request.uri_mut() = uri;
        self
    }

    fn context(&mut self) -> &mut CallContext {
        CallContext::edit(self.request.extensions_mut())
    }

    fn failed(mut self, error: impl Into<BoxError>) -> Self {
        self.fault.get_or_insert_with(|| error.into());
        self
    }

    pub(crate) fn asked(&self) -> Asked {
        Asked::new(&self.request, self.limits)
    }
}

impl<S, B, R> RequestBuilder<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    /// Sends the request. The reply's body is not read yet.
    ///
    /// # Errors
    /// When the request cannot be built, when the service fails or refuses, and when the answer is not 2xx.
    pub async fn send(mut self) -> Result<Reply<R>, Error> {
        self.context().through_body_mut();
        let (mut asked, time, service) = (self.asked(), self.time, self.service.clone());
        let mut request = self.build()?;
        asked.follow(request.extensions_mut());
        let result = match time {
            None => service.oneshot(request).await.map_err(Into::into),
            Some(total) => within(total, service, request).await.map(|(response, deadline)| {
                asked.deadline = deadline;
                response
            }),
        };
        match result {
            Ok(response) => Reply::of(response, asked).await,
            Err(error) => Err(asked.error(Kind::Call(error))),
        }
    }

    /// Sends the request and reads the answer's JSON; 204 and an empty body are `None`. Asks for `application/json`, unless
    /// the request or the default headers have an `Accept` field.
    ///
    /// # Errors
    /// As [`send`](Self::send) and [`Reply::json`].
    pub async fn fetch<T: DeserializeOwned>(self) -> Result<Option<T>, Error> {
        Ok(self.fetch_reply().await?.into_body())
    }

    /// As [`fetch`](Self::fetch), where an answer without a body is an error.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch), and when there is no body.
    pub async fn fetch_one<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.fetch_reply().await?.some()
    }

    /// As [`fetch`](Self::fetch), with status and header fields.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub async fn fetch_reply<T: DeserializeOwned>(mut self) -> Result<Reply<Option<T>>, Error> {
        if !self.request.headers().contains_key(ACCEPT) {
            self.request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
            self.request.extensions_mut().insert(AcceptIsDefault);
        }
        self.send().await?.json().await
    }
}

/// The answer, and what is left of the time for its body.
async fn within<S, B, R>(
    total: Duration,
    service: S,
    request: Request<B>,
) -> Result<(Response<R>, BodyDeadline), BoxError>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
{
    let (head, body) = DeadlineLayer::new(total).layer(service).oneshot(request).await?.into_parts();
    let (body, deadline) = body.into_parts();
    Ok((Response::from_parts(head, body.expect("nobody has read it yet")), deadline))
}

impl<S, B> fmt::Debug for RequestBuilder<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder")
            .field("method", self.request.method())
            .field("url", &shown_url(self.request.uri(), ".."))
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

impl<S: Clone, B: Clone> RequestBuilder<S, B> {
    /// The same again; `None` if it could not be built in the first place.
    pub(crate) fn again(&self) -> Option<Self> {
        self.fault.is_none().then(|| Self {
            service: self.service.clone(),
            limits: self.limits,
            request: self.request.clone(),
            time: self.time,
            fault: None,
        })
    }
}

/// An absolute URL as it is; all else is a path, which `Uri` would take for a host if it had no slash.
fn uri(target: &str) -> Result<Uri, BoxError> {
    // `Uri` would drop it, and with it what a password with a `#` in it leaves of the host.
    if target.contains('#') {
        return Err("a fragment, from `#` on, is never sent; leave it out, or write `%23`".into());
    }
    let scheme = target.split_once("://").map(|(scheme, _)| scheme);
    // RFC 3986 section 3.1; a `://` further on belongs to a query.
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let is_absolute = scheme.is_some_and(|scheme| scheme.bytes().all(is_scheme));
    let slash = if is_absolute || target.starts_with('/') || target == "*" { "" } else { "/" };
    // Exact, and given away, so that the text becomes the URI's without a copy.
    Ok([slash, target].concat().try_into()?)
}

fn with_query(uri: &Uri, more: &str) -> Result<Uri, BoxError> {
    let path = uri.path();
    let path_and_query = match uri.query().filter(|query| !query.is_empty()) {
        Some(query) => format!("{path}?{query}&{more}"),
        None => format!("{path}?{more}"),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query.parse()?);
    Ok(Uri::from_parts(parts)?)
}

#[cfg(test)]
mod tests;
