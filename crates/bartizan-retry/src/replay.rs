use std::fmt;
use std::task::{Context, Poll};

use bartizan_core::{BoxError, ReplayBody};
use bytes::Bytes;
use http::Request;
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

/// Keeps streamed request bodies while they are sent, so that layers inside can send them again. One for a stack,
/// outermost.
///
/// `Full` and `Empty` do not need it. Up to the limit a stream can be sent again, with its trailers; above, it is sent
/// once and no layer will retry it. Nothing waits for the whole body: the first attempt streams as it would without.
///
/// The body has to be `Unpin`; `Box::pin` makes any body so.
///
/// Readiness: pass-through. Allocates twice a call, once for the shared state and once for the list of frames; frames of a
/// few bytes are copied together.
///
/// ```
/// use bartizan_retry::{ReplayLayer, RetryLayer};
/// use tower::ServiceBuilder;
///
/// let stack = ServiceBuilder::new().layer(ReplayLayer::default()).layer(RetryLayer::new());
/// # let _ = stack;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ReplayLayer {
    limit: usize,
}

impl ReplayLayer {
    /// Keeps at most `limit` bytes of data and trailers of each request.
    ///
    /// [`default`](Self::default) is 64 KiB: room for nearly every JSON body, and a thousand calls at once keep at most 64 MiB.
    pub const fn new(limit: usize) -> Self {
        Self { limit }
    }
}

impl Default for ReplayLayer {
    fn default() -> Self {
        Self::new(64 * 1024)
    }
}

impl<S> Layer<S> for ReplayLayer {
    type Service = ReplayService<S>;

    fn layer(&self, inner: S) -> ReplayService<S> {
        ReplayService { inner, limit: self.limit }
    }
}

/// The service of [`ReplayLayer`].
#[derive(Clone)]
pub struct ReplayService<S> {
    inner: S,
    limit: usize,
}

impl<S, B> Service<Request<B>> for ReplayService<S>
where
    S: Service<Request<ReplayBody<B>>>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        self.inner.call(request.map(|body| ReplayBody::new(body, self.limit)))
    }
}

impl<S: fmt::Debug> fmt::Debug for ReplayService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayService").field("limit", &self.limit).field("inner", &self.inner).finish()
    }
}
