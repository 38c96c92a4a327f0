use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::{BoxError, ByStatus, Classify};
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::entry::Entry;
use super::future::ResponseFuture;
use super::{Hook, Scope};

/// Writes one line for each call, or for each attempt. See the [module](super).
#[derive(Clone)]
pub struct LogLayer<C = ByStatus, H = ()> {
    scope: Option<Scope>,
    classifier: C,
    hook: H,
}

impl LogLayer {
    /// Around the whole stack: one line for each call.
    pub const fn call() -> Self {
        Self::of(Some(Scope::Call))
    }

    /// Inside of retry: one line for each attempt.
    pub const fn attempt() -> Self {
        Self::of(Some(Scope::Attempt))
    }

    /// Writes and tells nothing. The same type, for configuration.
    pub const fn disabled() -> Self {
        Self::of(None)
    }

    const fn of(scope: Option<Scope>) -> Self {
        Self { scope, classifier: ByStatus, hook: () }
    }
}

impl<C, H> LogLayer<C, H> {
    /// What counts as failed. [`ByStatus`] by default. Marks of inner layers are honoured first, as everywhere.
    pub fn with_classifier<D>(self, classifier: D) -> LogLayer<D, H> {
        LogLayer { scope: self.scope, classifier, hook: self.hook }
    }

    /// Tells `hook` of everything that ended, beside the log. By default nobody is told.
    pub fn hook<G>(self, hook: G) -> LogLayer<C, G> {
        LogLayer { scope: self.scope, classifier: self.classifier, hook }
    }

    pub(super) fn scope(&self) -> Option<Scope> {
        self.scope
    }

    pub(super) fn classifier(&self) -> &C {
        &self.classifier
    }

    pub(super) fn told(&self) -> &H {
        &self.hook
    }
}

impl<S, C: Clone, H: Clone> Layer<S> for LogLayer<C, H> {
    type Service = Log<S, C, H>;

    fn layer(&self, inner: S) -> Self::Service {
        Log { inner, layer: Arc::new(self.clone()) }
    }
}

impl<C, H> fmt::Debug for LogLayer<C, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLayer").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// The service of [`LogLayer`].
pub struct Log<S, C = ByStatus, H = ()> {
    inner: S,
    layer: Arc<LogLayer<C, H>>,
}

impl<S, B, R, C, H> Service<Request<B>> for Log<S, C, H>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    C: Classify,
    H: Hook,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future, C, H>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let entry = Entry::of(&request, &self.layer);
        ResponseFuture::new(self.inner.call(request), entry)
    }
}

impl<S: Clone, C, H> Clone for Log<S, C, H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S: fmt::Debug, C, H> fmt::Debug for Log<S, C, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("layer", &self.layer).field("inner", &self.inner).finish()
    }
}
