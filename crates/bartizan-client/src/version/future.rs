//! The response future of the version layer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use super::endpoint::Endpoint;
use super::seen::New;
use super::{ApiVersionLayer, Deprecated, Hook, Notice, trace};

pin_project! {
    /// The future of [`ApiVersionService`](super::ApiVersionService).
    pub struct ResponseFuture<F, H> {
        #[pin]
        inner: F,
        // None where the layer is disabled.
        watch: Option<Watch<H>>,
    }
}

impl<F, H> ResponseFuture<F, H> {
    pub(super) fn new(inner: F, watch: Option<Watch<H>>) -> Self {
        Self { inner, watch }
    }
}

/// Who asked for what, until the answer is there.
pub(super) struct Watch<H> {
    pub(super) endpoint: Endpoint,
    pub(super) layer: Arc<ApiVersionLayer<H>>,
}

impl<H: Hook> Watch<H> {
    fn read<R>(&self, response: &mut Response<R>) {
        let Self { endpoint, layer } = self;
        let Some(deprecated) = Deprecated::read(response.headers(), layer.clock()) else { return };
        if let Some(new) = layer.seen().first(endpoint) {
            let notice = Notice {
                method: endpoint.method(),
                host: endpoint.host(),
                path: endpoint.path(),
                deprecated: &deprecated,
                is_last: new == New::Last,
            };
            trace::deprecated(&notice);
            layer.told().deprecated(&notice);
        }
        response.extensions_mut().insert(deprecated);
    }
}

impl<F, H, R, E> Future for ResponseFuture<F, H>
where
    F: Future<Output = Result<Response<R>, E>>,
    H: Hook,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut result = ready!(this.inner.poll(cx));
        if let (Some(watch), Ok(response)) = (this.watch, &mut result) {
            watch.read(response);
        }
        Poll::Ready(result)
    }
}

impl<F, H> fmt::Debug for ResponseFuture<F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.watch.as_ref().map(|watch| &watch.endpoint);
        f.debug_struct("ResponseFuture").field("endpoint", &endpoint).finish_non_exhaustive()
    }
}
