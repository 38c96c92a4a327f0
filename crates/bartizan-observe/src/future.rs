//! The response future.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_core::BoxError;
use http::Response;
use pin_project_lite::pin_project;

use crate::Hook;
use crate::entry::Entry;

pin_project! {
    /// The future of [`Observe`](crate::Observe). Its span is entered while it is polled. Dropping it ends the span as dropped.
    pub struct ResponseFuture<F, H>
    where
        H: Hook,
    {
        // The order counts: the inner future is gone when the drop is told.
        #[pin]
        inner: F,
        // None once it is told, or if nobody wants it.
        entry: Option<Box<Entry<H>>>,
    }
}

impl<F, H: Hook> ResponseFuture<F, H> {
    pub(crate) fn new(inner: F, entry: Option<Box<Entry<H>>>) -> Self {
        Self { inner, entry }
    }
}

impl<F, H, R, E> Future for ResponseFuture<F, H>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Into<BoxError>,
    H: Hook,
{
    type Output = Result<Response<R>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let within = this.entry.as_ref().map(|entry| entry.span().enter());
        let polled = this.inner.poll(cx);
        drop(within);
        let result = ready!(polled).map_err(Into::into);
        if let Some(entry) = this.entry.take() {
            entry.finish(&result);
        }
        Poll::Ready(result)
    }
}

impl<F, H: Hook> fmt::Debug for ResponseFuture<F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("is_observed", &self.entry.is_some()).finish_non_exhaustive()
    }
}
