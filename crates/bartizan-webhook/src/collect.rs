use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

pin_project! {
    /// Reads a body that may take some time in all, and no longer.
    pub(crate) struct Collect<B> {
        #[pin]
        body: bartizan_core::Collect<B>,
        within: Duration,
        // Only for a body that is waited for, and from then on.
        timer: Option<Pin<Box<Sleep>>>,
    }
}

#[derive(Debug)]
pub(crate) enum NotCollected<E> {
    TooSlow,
    Other(bartizan_core::NotCollected<E>),
}

impl<B: Body> Collect<B> {
    /// `within` counts from the first poll.
    pub(crate) fn new(body: B, limit: usize, within: Duration) -> Self {
        Self { body: bartizan_core::Collect::new(body, limit), within, timer: None }
    }

    /// Tells each piece to `each`, and gives all of it at the end.
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        each: impl FnMut(&[u8]),
    ) -> Poll<Result<Bytes, NotCollected<B::Error>>> {
        let this = self.project();
        if let Poll::Ready(read) = this.body.poll_each(cx, each) {
            return Poll::Ready(read.map_err(NotCollected::Other));
        }
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(*this.within)));
        timer.as_mut().poll(cx).map(|()| Err(NotCollected::TooSlow))
    }
}
