use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// What was read of a body. One frame is kept as it came; several are joined.
#[derive(Default)]
pub(super) struct Kept {
    first: Bytes,
    joined: BytesMut,
    trailers: Option<HeaderMap>,
}

impl Kept {
    pub(super) fn push(&mut self, frame: Frame<Bytes>) {
        match frame.into_data() {
            Ok(data) if self.len() == 0 => self.first = data,
            Ok(data) => {
                if self.joined.is_empty() {
                    self.joined.extend_from_slice(&std::mem::take(&mut self.first));
                }
                self.joined.extend_from_slice(&data);
            }
            Err(frame) => self.trailers = frame.into_trailers().ok(),
        }
    }

    /// How many bytes of data.
    pub(super) fn len(&self) -> usize {
        self.data().len()
    }

    pub(super) fn data(&self) -> &[u8] {
        if self.joined.is_empty() { &self.first } else { &self.joined }
    }
}

pin_project! {
    /// The body of an answer that was judged, or left alone: the same bytes and trailers. Frames that came one by one may have been
    /// joined.
    pub struct OutcomeBody<R: Body> {
        data: Bytes,
        trailers: Option<HeaderMap>,
        rest: Rest<R::Error>,
        #[pin]
        inner: R,
    }
}

/// What comes after what was read.
pub(super) enum Rest<E> {
    Unread,
    End,
    Error(E),
}

impl<R: Body> OutcomeBody<R> {
    pub(super) fn unread(inner: R) -> Self {
        Self { data: Bytes::new(), trailers: None, rest: Rest::Unread, inner }
    }

    pub(super) fn read(kept: Kept, rest: Rest<R::Error>, inner: R) -> Self {
        let data = if kept.joined.is_empty() { kept.first } else { kept.joined.freeze() };
        Self { data, trailers: kept.trailers, rest, inner }
    }
}

impl<R: Body<Data = Bytes>> Body for OutcomeBody<R> {
    type Data = Bytes;
    type Error = R::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        let this = self.project();
        if !this.data.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(this.data)))));
        }
        if let Some(trailers) = this.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        if matches!(this.rest, Rest::Unread) {
            return this.inner.poll_frame(cx);
        }
        Poll::Ready(match std::mem::replace(this.rest, Rest::End) {
            Rest::Error(error) => Some(Err(error)),
            Rest::Unread | Rest::End => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        let rest_is_over = match self.rest {
            Rest::Unread => self.inner.is_end_stream(),
            Rest::End => true,
            Rest::Error(_) => false,
        };
        self.data.is_empty() && self.trailers.is_none() && rest_is_over
    }

    fn size_hint(&self) -> SizeHint {
        let data = self.data.len() as u64;
        let mut hint = match self.rest {
            Rest::End => return SizeHint::with_exact(data),
            Rest::Unread | Rest::Error(_) => self.inner.size_hint(),
        };
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(data));
        }
        hint.set_lower(hint.lower().saturating_add(data));
        hint
    }
}

impl<R: Body> fmt::Debug for OutcomeBody<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = match self.rest {
            Rest::Unread => "unread",
            Rest::End => "end",
            Rest::Error(_) => "error",
        };
        f.debug_struct("OutcomeBody")
            .field("read", &self.data.len())
            .field("then", &rest)
            .finish_non_exhaustive()
    }
}
