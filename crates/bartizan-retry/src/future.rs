//! The response future of retry.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_core::{Attempts, BoxError, Replay};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower_service::Service;

use crate::call::Call;
use crate::{Hook, Policy};

pin_project! {
    /// The future of [`Retry`](crate::Retry).
    ///
    /// Dropping it ends the attempt or the wait that is going on; nothing is left behind.
    pub struct ResponseFuture<S, B, P, H, F> {
        #[pin]
        state: State<S, B, F>,
        call: Call<S, B, P, H>,
    }
}

pin_project! {
    // Between attempts only a body is held beside what the call keeps: the request is made when it is sent.
    #[project = StateProjection]
    enum State<S, B, F> {
        Calling { #[pin] attempt: F },
        Waiting { #[pin] timer: Sleep, body: Option<B> },
        NotReady { inner: S, body: Option<B> },
    }
}

impl<S: Service<Request<B>>, B, P, H> ResponseFuture<S, B, P, H, S::Future> {
    pub(crate) fn new(first: S::Future, call: Call<S, B, P, H>) -> Self {
        Self { state: State::Calling { attempt: first }, call }
    }
}

impl<S, B, R, P, H> Future for ResponseFuture<S, B, P, H, S::Future>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    B: Replay,
    P: Policy,
    H: Hook,
{
    type Output = Result<Response<R>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let result = match this.state.as_mut().project() {
                StateProjection::Calling { attempt } => ready!(attempt.poll(cx)),
                StateProjection::Waiting { timer, body } => {
                    ready!(timer.poll(cx));
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
            let Some(again) = this.call.after(&result) else {
                return Poll::Ready(with_attempts(result, this.call));
            };
            // The failed attempt's response and its future go here, before the wait.
            drop(result);
            this.state.set(State::Waiting { timer: sleep(again.wait), body: Some(again.body) });
        }
    }
}

fn with_attempts<R, S, B: Replay, P: Policy, H: Hook>(
    result: Result<Response<R>, BoxError>,
    call: &Call<S, B, P, H>,
) -> Result<Response<R>, BoxError> {
    let made = call.made();
    result.map(|mut response| {
        if made.get() > 1 {
            response.extensions_mut().insert(Attempts(made));
        }
        response
    })
}

impl<S, B, P, H, F> fmt::Debug for ResponseFuture<S, B, P, H, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Calling { .. } => "calling",
            State::Waiting { .. } => "waiting",
            State::NotReady { .. } => "not ready",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
