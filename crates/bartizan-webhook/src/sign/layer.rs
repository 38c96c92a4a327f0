use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::{BoxError, WallClock};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::future::ResponseFuture;
use crate::Signer;

/// Signs what is sent, with every key of a [`Signer`] that has not ended, at the date of this very attempt.
///
/// It stands inside of retry, so that each attempt has a timestamp of its own. Where the id is signed, an [`EventIdLayer`](super::EventIdLayer) stands
/// outside, so that all attempts have the same one; a request without an id is refused otherwise.
///
/// The whole body has to be there before the first byte is sent, so it is read into memory, and its trailers are dropped.
///
/// ```
/// use bartizan_webhook::sign::{EventIdLayer, SignLayer};
/// use bartizan_webhook::SignatureFormat;
/// use tower::ServiceBuilder;
///
/// let signer = SignatureFormat::standard_webhooks().signer(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])?;
/// let sending = ServiceBuilder::new()
///     .layer(EventIdLayer::new(&signer))
///     // Here stands retry.
///     .layer(SignLayer::new(signer));
/// # let _ = sending;
/// # Ok::<(), bartizan_webhook::InvalidFormat>(())
/// ```
#[derive(Clone, Debug)]
pub struct SignLayer {
    config: Config,
}

#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) signer: Signer,
    pub(super) body_limit: usize,
    pub(super) clock: WallClock,
}

impl SignLayer {
    /// With those keys.
    pub fn new(signer: Signer) -> Self {
        Self { config: Config { signer, body_limit: 1024 * 1024, clock: WallClock::system() } }
    }

    /// How many bytes a body may have. 1 MiB by default, which is what [`VerifyLayer`](crate::VerifyLayer) takes.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.config.body_limit = bytes;
        self
    }

    /// Where timestamps are read. The system's clock by default.
    #[must_use]
    pub fn wall_clock(mut self, clock: WallClock) -> Self {
        self.config.clock = clock;
        self
    }
}

impl<S> Layer<S> for SignLayer {
    type Service = Sign<S>;

    fn layer(&self, inner: S) -> Sign<S> {
        Sign { inner, config: Arc::new(self.config.clone()) }
    }
}

/// The service of [`SignLayer`].
#[derive(Clone)]
pub struct Sign<S> {
    inner: S,
    config: Arc<Config>,
}

impl<S, B, R> Service<Request<B>> for Sign<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    B: Body + From<Bytes>,
    B::Error: Into<BoxError>,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = ResponseFuture<S, B, S::Future>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ResponseFuture::new(request, self.inner.clone(), self.config.clone())
    }
}

impl<S: fmt::Debug> fmt::Debug for Sign<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sign").field("inner", &self.inner).finish_non_exhaustive()
    }
}
