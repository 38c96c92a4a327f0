use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_core::BoxError;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// A body until it has ended, whichever way: then it is gone, with the connection that it may hold.
    #[derive(Debug)]
    pub(crate) struct Held<B> {
        #[pin]
        body: Option<B>,
    }
}

impl<B> Held<B> {
    pub(crate) fn new(body: B) -> Self {
        Self { body: Some(body) }
    }

    pub(crate) fn into_inner(self) -> Option<B> {
        self.body
    }

    pub(crate) fn let_go(self: Pin<&mut Self>) {
        self.project().body.set(None);
    }
}

impl<B: Body> Held<B>
where
    B::Error: Into<BoxError>,
{
    pub(crate) fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let mut body = self.project().body;
        let Some(inner) = body.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let frame = ready!(inner.poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            body.set(None);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }
}

impl<B: Body> Held<B> {
    pub(crate) fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
