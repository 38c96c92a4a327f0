//! The response future of the log layer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_core::{BoxError, Classify};
use http::Response;
use pin_project_lite::pin_project;

use super::Hook;
use super::entry::Entry;

pin_project! {
    /// The future of [`Log`](super::Log). Dropping it writes that the call was dropped.
    pub struct ResponseFuture<F, C, H>
    where
        H: Hook,
    {
        // The order counts: the inner future is gone when the drop is written.
        #[pin]
        inner: F,
        // None once it is written, or if nobody wants it.
        entry: Option<Entry<C, H>>,
    }
}

impl<F, C, H: Hook> ResponseFuture<F, C, H> {
    pub(super) fn new(inner: F, entry: Option<Entry<C, H>>) -> Self {
        Self { inner, entry }
    }
}

impl<F, C, H, R, E> Future for ResponseFuture<F, C, H>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Into<BoxError>,
    C: Classify,
    H: Hook,
{
    type Output = Result<Response<R>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx)).map_err(Into::into);
        if let Some(entry) = this.entry.take() {
            entry.finish(&result);
        }
        Poll::Ready(result)
    }
}

impl<F, C, H: Hook> fmt::Debug for ResponseFuture<F, C, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.entry.as_ref().map(Entry::endpoint);
        f.debug_struct("ResponseFuture").field("endpoint", &endpoint).finish_non_exhaustive()
    }
}
