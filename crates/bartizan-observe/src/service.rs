use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::BoxError;
use http::{Request, Response};
use tower_service::Service;

use crate::entry::Entry;
use crate::future::ResponseFuture;
use crate::{Hook, ObserveLayer};

/// The service of [`ObserveLayer`].
pub struct Observe<S, H = ()> {
    pub(crate) inner: S,
    pub(crate) layer: Arc<ObserveLayer<H>>,
}

impl<S, B, R, H> Service<Request<B>> for Observe<S, H>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    H: Hook,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future, H>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let entry = Entry::of(&mut request, &self.layer);
        // Layers further in may open their spans in `call`.
        let within = entry.as_ref().map(|entry| entry.span().enter());
        let inner = self.inner.call(request);
        drop(within);
        ResponseFuture::new(inner, entry)
    }
}

impl<S: Clone, H> Clone for Observe<S, H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S: fmt::Debug, H> fmt::Debug for Observe<S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observe").field("layer", &self.layer).field("inner", &self.inner).finish()
    }
}
