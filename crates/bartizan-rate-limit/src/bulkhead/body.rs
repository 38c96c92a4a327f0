use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::Permit;

pin_project! {
    /// The body of [`BulkheadService`](super::BulkheadService)'s responses. It keeps the permit of its call until its end, an error, or its drop.
    pub struct PermittedBody<B> {
        // It goes before its permit: what it holds is given back first.
        #[pin]
        inner: B,
        permit: Option<Permit>,
    }
}

impl<B: Body> PermittedBody<B> {
    pub(crate) fn new(inner: B, permit: Option<Permit>) -> Self {
        // hyper stops at the content-length, so there may be no poll that tells of the end.
        let permit = permit.filter(|_| !inner.is_end_stream());
        Self { inner, permit }
    }
}

impl<B: Body> Body for PermittedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) || this.inner.is_end_stream() {
            *this.permit = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: Default> Default for PermittedBody<B> {
    fn default() -> Self {
        Self { inner: B::default(), permit: None }
    }
}

impl<B: fmt::Debug> fmt::Debug for PermittedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermittedBody")
            .field("inner", &self.inner)
            .field("has_permit", &self.permit.is_some())
            .finish()
    }
}
