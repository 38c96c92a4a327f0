//! The response future.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_core::{Face, ReadyThenCall};
use http::header::WWW_AUTHENTICATE;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::Denied;
use super::private::keep_private;
use crate::trace;

pin_project! {
    /// The future of [`Verify`](super::Verify).
    pub struct ResponseFuture<S, B, Fut, F> {
        #[pin]
        state: State<S, B, Fut>,
        face: PhantomData<fn() -> F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, Fut> {
        Calling { #[pin] call: ReadyThenCall<S, Request<B>, Fut>, is_unseen: bool },
        Denied { denied: Option<Denied> },
    }
}

impl<S: Service<Request<B>>, B, F> ResponseFuture<S, B, S::Future, F> {
    pub(super) fn calling(call: ReadyThenCall<S, Request<B>, S::Future>, is_unseen: bool) -> Self {
        Self { state: State::Calling { call, is_unseen }, face: PhantomData }
    }

    pub(super) fn denied(denied: Denied) -> Self {
        trace::refused(&denied);
        Self { state: State::Denied { denied: Some(denied) }, face: PhantomData }
    }
}

impl<S, B, R, F> Future for ResponseFuture<S, B, S::Future, F>
where
    S: Service<Request<B>, Response = Response<R>>,
    F: Face<S::Error>,
{
    type Output = Result<Response<F::Body<R>>, F::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Calling { call, is_unseen } => {
                let mut response = ready!(call.poll(cx)).map_err(F::error)?;
                if *is_unseen {
                    keep_private(response.headers_mut());
                }
                Poll::Ready(Ok(F::pass(response)))
            }
            StateProjection::Denied { denied } => {
                let denied = denied.take().expect("a future is not polled after its end");
                let challenges = denied.challenges().to_vec();
                let mut response = F::refuse(denied)?;
                for challenge in challenges {
                    response.headers_mut().append(WWW_AUTHENTICATE, challenge);
                }
                Poll::Ready(Ok(response))
            }
        }
    }
}

impl<S, B, Fut, F> fmt::Debug for ResponseFuture<S, B, Fut, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Calling { .. } => "ResponseFuture(calling)",
            State::Denied { .. } => "ResponseFuture(denied)",
        })
    }
}
