use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bartizan_core::BoxError;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;
use tower_service::Service;

use crate::Client;

/// A client with a name, made by [`Client::boxed`].
pub type BoxClient = Client<BoxedService>;

/// Any service behind one type.
#[derive(Clone)]
pub struct BoxedService {
    inner: BoxCloneSyncService<Request<Full<Bytes>>, Response<BoxedBody>, BoxError>,
}

impl BoxedService {
    /// Boxes a service. A call then allocates once, and once for its response's body unless that is a [`BoxedBody`]; so does a clone.
    pub fn new<S, R>(service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
        R: Body<Data = Bytes> + Send + 'static,
        R::Error: Into<BoxError>,
    {
        let boxed = |response: Response<R>| response.map(BoxedBody::new);
        Self { inner: BoxCloneSyncService::new(service.map_response(boxed).map_err(Into::into)) }
    }
}

impl Service<Request<Full<Bytes>>> for BoxedService {
    type Response = Response<BoxedBody>;
    type Error = BoxError;
    type Future = BoxedFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> BoxedFuture {
        BoxedFuture { inner: self.inner.call(request) }
    }
}

impl fmt::Debug for BoxedService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxedService")
    }
}

/// The future of [`BoxedService`].
pub struct BoxedFuture {
    inner: Pin<Box<dyn Future<Output = Result<Response<BoxedBody>, BoxError>> + Send>>,
}

impl Future for BoxedFuture {
    type Output = Result<Response<BoxedBody>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.inner.as_mut().poll(cx)
    }
}

impl fmt::Debug for BoxedFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxedFuture")
    }
}

/// Any response body behind one type.
///
/// ```
/// use bartizan_client::BoxedBody;
/// use http::Response;
///
/// let answer = Response::new(BoxedBody::from("pong"));
/// let nothing = Response::new(BoxedBody::empty());
/// # let _ = (answer, nothing);
/// ```
pub struct BoxedBody {
    inner: UnsyncBoxBody<Bytes, BoxError>,
}

impl BoxedBody {
    /// Boxes a body; one that is boxed already stays as it is.
    pub fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        match boxed_already(body) {
            Ok(boxed) => boxed,
            Err(body) => Self { inner: body.map_err(Into::into).boxed_unsync() },
        }
    }

    /// No body.
    pub fn empty() -> Self {
        Self::from(Bytes::new())
    }
}

/// A body that turns out to be a boxed one.
fn boxed_already<B: 'static>(body: B) -> Result<BoxedBody, B> {
    // `Any` lends, so the body is taken out of an `Option`.
    let mut body = Some(body);
    match (&mut body as &mut dyn Any).downcast_mut().and_then(Option::take) {
        Some(boxed) => Ok(boxed),
        None => Err(body.expect("only a boxed body was taken out")),
    }
}

impl From<Bytes> for BoxedBody {
    fn from(body: Bytes) -> Self {
        Self::new(Full::new(body))
    }
}

impl From<String> for BoxedBody {
    fn from(body: String) -> Self {
        Self::from(Bytes::from(body))
    }
}

impl From<&'static str> for BoxedBody {
    fn from(body: &'static str) -> Self {
        Self::from(Bytes::from(body))
    }
}

impl Body for BoxedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl fmt::Debug for BoxedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxedBody").field("size_hint", &self.size_hint()).finish()
    }
}
