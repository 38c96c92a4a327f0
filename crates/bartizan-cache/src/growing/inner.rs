use std::pin::Pin;
use std::task::{Context, Poll};

use bartizan_core::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// The origin's body, of whatever type.
pub(super) type Inner = Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>;

pub(super) fn boxed<B>(body: B) -> Inner
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    Box::pin(Boxed { body })
}

pin_project! {
    struct Boxed<B> {
        #[pin]
        body: B,
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> Body for Boxed<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.project().body.poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
