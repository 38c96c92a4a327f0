use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::WallClock;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::endpoint::Endpoint;
use super::future::{ResponseFuture, Watch};
use super::seen::Seen;
use super::{ApiVersion, Hook};

/// Sends a version with every request, and reports endpoints that are announced to end. See the [module](super).
#[derive(Clone)]
pub struct ApiVersionLayer<H = ()> {
    version: Option<ApiVersion>,
    enabled: bool,
    clock: WallClock,
    hook: H,
    seen: Arc<Seen>,
}

impl ApiVersionLayer {
    /// Sends `version`, and reads what answers announce.
    pub fn new(version: ApiVersion) -> Self {
        Self { version: Some(version), ..Self::watch_only() }
    }

    /// Sends no version, and reads what answers announce.
    pub fn watch_only() -> Self {
        Self {
            version: None,
            enabled: true,
            clock: WallClock::system(),
            hook: (),
            seen: Arc::new(Seen::default()),
        }
    }

    /// Sends and reads nothing. The same type, for configuration.
    pub fn disabled() -> Self {
        Self { enabled: false, ..Self::watch_only() }
    }
}

impl<H> ApiVersionLayer<H> {
    /// Tells `hook` of each endpoint once. By default nobody is told but, with the feature `tracing`, the log.
    pub fn hook<G>(self, hook: G) -> ApiVersionLayer<G> {
        let Self { version, enabled, clock, seen, .. } = self;
        ApiVersionLayer { version, enabled, clock, hook, seen }
    }

    /// What decides the century of a date with a two-digit year. The system's clock by default.
    #[must_use]
    pub fn wall_clock(mut self, clock: WallClock) -> Self {
        self.clock = clock;
        self
    }
}

impl<S, H: Clone> Layer<S> for ApiVersionLayer<H> {
    type Service = ApiVersionService<S, H>;

    fn layer(&self, inner: S) -> Self::Service {
        ApiVersionService { inner, layer: Arc::new(self.clone()) }
    }
}

impl<H> ApiVersionLayer<H> {
    pub(super) fn clock(&self) -> &WallClock {
        &self.clock
    }

    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    pub(super) fn told(&self) -> &H {
        &self.hook
    }
}

impl<H> fmt::Debug for ApiVersionLayer<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiVersionLayer")
            .field("version", &self.version)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

/// The service of [`ApiVersionLayer`].
pub struct ApiVersionService<S, H = ()> {
    inner: S,
    layer: Arc<ApiVersionLayer<H>>,
}

impl<S, B, R, H> Service<Request<B>> for ApiVersionService<S, H>
where
    S: Service<Request<B>, Response = Response<R>>,
    H: Hook,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, H>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if !self.layer.enabled {
            return ResponseFuture::new(self.inner.call(request), None);
        }
        if let Some(version) = &self.layer.version {
            version.put_on(&mut request);
        }
        let watch = Watch { endpoint: Endpoint::of(&request), layer: self.layer.clone() };
        ResponseFuture::new(self.inner.call(request), Some(watch))
    }
}

impl<S: Clone, H> Clone for ApiVersionService<S, H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S: fmt::Debug, H> fmt::Debug for ApiVersionService<S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiVersionService").field("layer", &self.layer).field("inner", &self.inner).finish()
    }
}
