//! The response future of retry.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_core::{BoxError, Replay};
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::call::{Again, Call};
use crate::wait::Wait;
use crate::{Hook, Policy};

pin_project! {
    /// The future of [`Retry`](crate::Retry).
    ///
    /// Dropping it ends the attempt or the wait that is going on; nothing is left behind, and what a wait had taken from the
    /// budget is given back.
    pub struct ResponseFuture<S, B, R, P, H, F> {
        #[pin]
        state: State<S, B, R, F>,
        call: Call<S, B, P, H>,
    }
}

pin_project! {
    // Between attempts only a body is held beside what the call keeps: the request is made when it is sent.
    #[project = StateProjection]
    enum State<S, B, R, F> {
        Calling { #[pin] attempt: F },
        // Boxed: it is large, and most calls never wait.
        Waiting { wait: Pin<Box<Wait<R>>>, body: Option<B> },
        NotReady { inner: S, body: Option<B> },
    }
}

impl<S: Service<Request<B>>, B, R, P, H> ResponseFuture<S, B, R, P, H, S::Future> {
    #[inline]
    pub(crate) fn new(first: S::Future, call: Call<S, B, P, H>) -> Self {
        Self { state: State::Calling { attempt: first }, call }
    }
}

impl<S, B, R, P, H> Future for ResponseFuture<S, B, R, P, H, S::Future>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    B: Replay,
    R: Body,
    P: Policy,
    H: Hook,
{
    type Output = Result<Response<R>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let result = match this.state.as_mut().project() {
                StateProjection::Calling { attempt } => ready!(attempt.poll(cx)),
                StateProjection::Waiting { wait, body } => {
                    ready!(wait.as_mut().poll(cx));
                    let (inner, body) = (this.call.not_ready_inner(), body.take());
                    this.state.set(State::NotReady { inner, body });
                    continue;
                }
                StateProjection::NotReady { inner, body } => match ready!(inner.poll_ready(cx)) {
                    Ok(()) => {
                        let body = body.take().expect("the body is there until the one call");
                        let attempt = inner.call(this.call.request(body));
                        this.state.set(State::Calling { attempt });
                        continue;
                    }
                    Err(error) => Err(error),
                },
            };
            let result = result.map_err(Into::into);
            let Some(Again { wait, body, .. }) = this.call.after(&result) else {
                return Poll::Ready(this.call.finish(result));
            };
            // The attempt's future goes here, before the wait.
            let wait = Box::pin(Wait::new(wait, result.ok().map(Response::into_body)));
            this.state.set(State::Waiting { wait, body: Some(body) });
        }
    }
}

impl<S, B, R, P, H, F> fmt::Debug for ResponseFuture<S, B, R, P, H, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Calling { .. } => "calling",
            State::Waiting { .. } => "waiting",
            State::NotReady { .. } => "not ready",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
