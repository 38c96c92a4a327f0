use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_core::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::error;

pin_project! {
    /// So many bytes and no trailers, which may be about them alone. Fewer or more are an error.
    pub(crate) struct Exactly<B> {
        #[pin]
        body: B,
        left: usize,
    }
}

impl<B> Exactly<B> {
    pub(crate) fn new(body: B, left: usize) -> Self {
        Self { body, left }
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> Body for Exactly<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        loop {
            let Some(frame) = ready!(this.body.as_mut().poll_frame(cx)).transpose().map_err(Into::into)?
            else {
                let is_short = *this.left > 0;
                return Poll::Ready(is_short.then(|| Err(error::of_another_length())));
            };
            let Ok(data) = frame.into_data() else { continue };
            let Some(left) = this.left.checked_sub(data.len()) else {
                return Poll::Ready(Some(Err(error::of_another_length())));
            };
            *this.left = left;
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}
