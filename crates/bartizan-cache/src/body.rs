use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::fill::Fill;

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
        Kept { #[pin] inner: B, kept: Option<Kept> },
    }
}

/// What was read so far of a body that may be stored.
struct Kept {
    data: Vec<u8>,
    trailers: Option<HeaderMap>,
    fill: Fill,
}

impl<B> CacheBody<B> {
    pub(crate) fn stored(data: Bytes, trailers: Option<HeaderMap>) -> Self {
        Self { content: Content::Stored { data: Some(data).filter(|data| !data.is_empty()), trailers } }
    }

    pub(crate) fn passed(inner: B) -> Self {
        Self { content: Content::Passed { inner } }
    }
}

impl<B: Body<Data = Bytes>> CacheBody<B> {
    /// Stores the response once the body has come to a clean end.
    pub(crate) fn kept(inner: B, fill: Fill) -> Self {
        let mut kept = Kept { data: Vec::new(), trailers: None, fill };
        // Never by what is claimed.
        let claimed = usize::try_from(inner.size_hint().lower()).unwrap_or(usize::MAX);
        kept.data.reserve_exact(claimed.min(kept.fill.most()).min(64 * 1024));
        let mut body = Self { content: Content::Kept { inner, kept: Some(kept) } };
        if let Content::Kept { inner, kept } = &mut body.content
            && inner.is_end_stream()
        {
            Kept::end(kept);
        }
        body
    }
}

impl Kept {
    /// Forgets it all if there is no room.
    fn read(kept: &mut Option<Self>, frame: &Frame<Bytes>) {
        let Some(this) = kept else { return };
        if let Some(data) = frame.data_ref() {
            if this.data.len() + data.len() > this.fill.most() {
                if let Some(Self { fill, .. }) = kept.take() {
                    fill.give_up();
                }
            } else {
                this.data.extend_from_slice(data);
            }
        } else if let Some(trailers) = frame.trailers_ref() {
            this.trailers = Some(trailers.clone());
        }
    }

    fn end(kept: &mut Option<Self>) {
        if let Some(Self { data, trailers, fill }) = kept.take() {
            // Exactly as long as it is.
            fill.complete(Bytes::from(data.into_boxed_slice()), trailers);
        }
    }
}

impl<B: Body<Data = Bytes>> Body for CacheBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().content.project() {
            ContentProjection::Stored { data, trailers } => {
                let frame = data.take().map(Frame::data).or_else(|| trailers.take().map(Frame::trailers));
                Poll::Ready(frame.map(Ok))
            }
            ContentProjection::Passed { inner } => inner.poll_frame(cx),
            ContentProjection::Kept { mut inner, kept } => {
                let frame = ready!(inner.as_mut().poll_frame(cx));
                match &frame {
                    Some(Ok(frame)) => {
                        Kept::read(kept, frame);
                        // hyper stops at the content-length, so there may be no poll that tells of the end.
                        if inner.is_end_stream() {
                            Kept::end(kept);
                        }
                    }
                    Some(Err(_)) => *kept = None,
                    None => Kept::end(kept),
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Stored { data, trailers } => data.is_none() && trailers.is_none(),
            Content::Passed { inner } | Content::Kept { inner, .. } => inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Stored { data, .. } => {
                SizeHint::with_exact(data.as_ref().map_or(0, |data| data.len() as u64))
            }
            Content::Passed { inner } | Content::Kept { inner, .. } => inner.size_hint(),
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
            Content::Kept { .. } => "CacheBody(kept)",
        })
    }
}
