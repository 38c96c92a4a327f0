//! The response future.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bartizan_core::{BoxError, Face, Respond, RespondBody};
use bytes::Bytes;
use http::{Request, Response, request};
use http_body::Body;
use http_body_util::Full;
use pin_project_lite::pin_project;
use tokio::time::{Timeout, timeout};

use super::refused::NotKept;
use super::service::Config;
use crate::collect::{Collect, NotCollected};
use crate::inbox::{InboxError, Put};
use crate::trace;

type Putting = Pin<Box<dyn Future<Output = Result<Put, InboxError>> + Send>>;

pin_project! {
    /// The future of [`Receiver`](super::Receiver).
    pub struct ResponseFuture<B> {
        #[pin]
        state: State<B>,
        config: Arc<Config>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<B> {
        Unverified,
        Reading { #[pin] body: Collect<B>, head: Box<request::Parts> },
        Putting { #[pin] put: Timeout<Putting> },
    }
}

impl<B: Body> ResponseFuture<B> {
    pub(super) fn new(request: Request<B>, config: Arc<Config>) -> Self {
        let (head, body) = request.into_parts();
        let state = if config.takes(&head) {
            // Verified, it is there already.
            let body = Collect::new(body, config.body_limit, config.put_timeout);
            State::Reading { body, head: Box::new(head) }
        } else {
            State::Unverified
        };
        Self { state, config }
    }
}

impl<B> Future for ResponseFuture<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<RespondBody<Full<Bytes>>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let kept = match this.state.as_mut().project() {
                StateProjection::Unverified => Err(NotKept::Unverified),
                StateProjection::Reading { body, head } => match ready!(body.poll(cx, |_| {})) {
                    Ok(body) => {
                        let put = this.config.put(head, body);
                        this.state.set(State::Putting { put: timeout(this.config.put_timeout, put) });
                        continue;
                    }
                    Err(NotCollected::TooSlow) => Err(NotKept::TooSlow(this.config.put_timeout)),
                    Err(NotCollected::Other(bartizan_core::NotCollected::Broken(error))) => {
                        Err(NotKept::Broken(error.into()))
                    }
                    Err(NotCollected::Other(_)) => Err(NotKept::TooLarge(this.config.body_limit)),
                },
                StateProjection::Putting { put } => match ready!(put.poll(cx)) {
                    Ok(Ok(put)) => Ok(put),
                    Ok(Err(error)) => Err(NotKept::inbox(error, this.config.retry_after)),
                    Err(_) => Err(NotKept::inbox_slow(this.config.retry_after)),
                },
            };
            return Poll::Ready(answer(kept));
        }
    }
}

impl Config {
    fn put(&self, head: &request::Parts, body: Bytes) -> Putting {
        let (inbox, event) = (self.inbox.clone(), self.event(head, body));
        Box::pin(async move { inbox.put(event).await })
    }
}

fn answer(kept: Result<Put, NotKept>) -> Result<Response<RespondBody<Full<Bytes>>>, Infallible> {
    match kept {
        Ok(_) => Ok(Response::new(RespondBody::inner(Full::default()))),
        Err(refused) => {
            trace::not_kept(&refused);
            Respond::refuse(refused)
        }
    }
}

impl<B> fmt::Debug for ResponseFuture<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Unverified => "ResponseFuture(unverified)",
            State::Reading { .. } => "ResponseFuture(reading)",
            State::Putting { .. } => "ResponseFuture(putting)",
        })
    }
}
