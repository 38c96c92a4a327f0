use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bartizan_core::BoxError;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::growing::Reader;

pin_project! {
    /// The body of [`Cache`](crate::Cache)'s responses: what was stored, or what the inner answers, which is kept on the way if it may be stored.
    pub struct CacheBody<B> {
        #[pin]
        content: Content<B>,
    }
}

pin_project! {
    #[project = ContentProjection]
    enum Content<B> {
        Stored { data: Option<Bytes>, trailers: Option<HeaderMap> },
        Passed { #[pin] inner: B },
        Shared { reader: Reader },
    }
}

impl<B> CacheBody<B> {
    pub(crate) fn stored(data: Bytes, trailers: Option<HeaderMap>) -> Self {
        Self { content: Content::Stored { data: Some(data).filter(|data| !data.is_empty()), trailers } }
    }

    pub(crate) fn passed(inner: B) -> Self {
        Self { content: Content::Passed { inner } }
    }

    pub(crate) fn shared(reader: Reader) -> Self {
        Self { content: Content::Shared { reader } }
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> Body for CacheBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project().content.project() {
            ContentProjection::Stored { data, trailers } => {
                let frame = data.take().map(Frame::data).or_else(|| trailers.take().map(Frame::trailers));
                Poll::Ready(frame.map(Ok))
            }
            ContentProjection::Passed { inner } => inner.poll_frame(cx).map_err(Into::into),
            ContentProjection::Shared { reader } => Pin::new(reader).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Stored { data, trailers } => data.is_none() && trailers.is_none(),
            Content::Passed { inner } => inner.is_end_stream(),
            Content::Shared { reader } => reader.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Stored { data, .. } => {
                SizeHint::with_exact(data.as_ref().map_or(0, |data| data.len() as u64))
            }
            Content::Passed { inner } => inner.size_hint(),
            Content::Shared { reader } => reader.size_hint(),
        }
    }
}

/// Empty.
impl<B> Default for CacheBody<B> {
    fn default() -> Self {
        Self::stored(Bytes::new(), None)
    }
}

impl<B> fmt::Debug for CacheBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.content {
            Content::Stored { .. } => "CacheBody(stored)",
            Content::Passed { .. } => "CacheBody(passed)",
            Content::Shared { .. } => "CacheBody(shared)",
        })
    }
}
