use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_core::BoxError;
use bytes::Bytes;
use futures_core::Stream;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use serde::de::DeserializeOwned;
use tower_service::Service;

use crate::paginate::{NextPage, Pages};
use crate::{Error, Reply};

/// [`Pages`] as a `Stream`, made by [`Pages::into_stream`]. Allocates once a page.
pub struct PageStream<S, T, N> {
    state: State<S, T, N>,
}

type Asking<S, T, N> =
    Pin<Box<dyn Future<Output = (Pages<S, T, N>, Option<Result<Reply<Option<T>>, Error>>)> + Send>>;

enum State<S, T, N> {
    Asking(Asking<S, T, N>),
    // Empty while the pages are on their way into a future.
    Idle(Option<Pages<S, T, N>>),
}

impl<S, T, N> Pages<S, T, N> {
    /// The pages as a `Stream`.
    pub fn into_stream(self) -> PageStream<S, T, N> {
        PageStream { state: State::Idle(Some(self)) }
    }
}

// Nothing in it is pinned but what is boxed.
impl<S, T, N> Unpin for PageStream<S, T, N> {}

impl<S, T, N, R> Stream for PageStream<S, T, N>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError> + Send,
    S::Future: Send,
    R: Body<Data = Bytes> + Send,
    R::Error: Into<BoxError>,
    T: DeserializeOwned + Send + 'static,
    N: NextPage<T> + Send + 'static,
{
    type Item = Result<Reply<Option<T>>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match &mut this.state {
                State::Asking(asking) => {
                    let (pages, page) = ready!(asking.as_mut().poll(cx));
                    this.state = State::Idle(Some(pages));
                    return Poll::Ready(page);
                }
                State::Idle(pages) => {
                    let Some(mut pages) = pages.take() else { return Poll::Ready(None) };
                    this.state = State::Asking(Box::pin(async move {
                        let page = pages.next().await;
                        (pages, page)
                    }));
                }
            }
        }
    }
}

impl<S, T, N> fmt::Debug for PageStream<S, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Asking(_) => f.write_str("PageStream(asking)"),
            State::Idle(pages) => f.debug_tuple("PageStream").field(pages).finish(),
        }
    }
}
