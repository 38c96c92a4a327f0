//! The response future of interceptors, from the inside out: an [`Exchange`], with a [`Then`] for each response or error
//! interceptor around it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_core::{BoxError, ReadyThenCall};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::Next;
use super::chain::Step;

pin_project! {
    /// A future and the interceptor behind it.
    ///
    /// The first is gone before the interceptor is called.
    pub struct Then<F, T, G> {
        #[pin]
        state: ThenState<F, G>,
        step: T,
    }
}

pin_project! {
    #[project = ThenProjection]
    enum ThenState<F, G> {
        First { #[pin] first: F },
        Intercepting { #[pin] future: G },
        Done,
    }
}

impl<F, T, G> Then<F, T, G> {
    pub(crate) fn new(first: F, step: T) -> Self {
        Self { state: ThenState::First { first }, step }
    }
}

impl<F: Future, T: Step<F::Output>> Future for Then<F, T, T::Future> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                ThenProjection::First { first } => {
                    let input = ready!(first.poll(cx));
                    this.state.set(ThenState::Done);
                    match this.step.start(input) {
                        Ok(future) => this.state.set(ThenState::Intercepting { future }),
                        Err(passed_by) => return Poll::Ready(passed_by),
                    }
                }
                ThenProjection::Intercepting { future } => {
                    let output = ready!(future.poll(cx));
                    this.state.set(ThenState::Done);
                    return Poll::Ready(T::end(output));
                }
                ThenProjection::Done => panic!("an interceptor's future was polled after it was done"),
            }
        }
    }
}

pin_project! {
    /// The request interceptors and the call.
    pub struct Exchange<S, B, Q, F> {
        #[pin]
        state: ExchangeState<S, B, Q, F>,
    }
}

pin_project! {
    #[project = ExchangeProjection]
    enum ExchangeState<S, B, Q, F> {
        // The inner is taken when the request is there.
        Requesting { #[pin] interceptors: Q, not_ready_inner: Option<S> },
        Calling { #[pin] call: ReadyThenCall<S, Request<B>, F> },
    }
}

impl<S, B, Q, F> Exchange<S, B, Q, F> {
    pub(crate) fn new(interceptors: Q, not_ready_inner: S) -> Self {
        let not_ready_inner = Some(not_ready_inner);
        Self { state: ExchangeState::Requesting { interceptors, not_ready_inner } }
    }
}

impl<S, B, R, Q> Future for Exchange<S, B, Q, S::Future>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    Q: Future<Output = Result<Next<B, R>, BoxError>>,
{
    type Output = Result<Response<R>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let call = match state.as_mut().project() {
                ExchangeProjection::Requesting { interceptors, not_ready_inner } => {
                    match ready!(interceptors.poll(cx))? {
                        Next::Call(request) => {
                            let inner =
                                not_ready_inner.take().expect("the inner is there until the one call");
                            ReadyThenCall::new(inner, request)
                        }
                        Next::Answer(response) => return Poll::Ready(Ok(response)),
                    }
                }
                ExchangeProjection::Calling { call } => return call.poll(cx).map_err(Into::into),
            };
            state.set(ExchangeState::Calling { call });
        }
    }
}

impl<F, T, G> fmt::Debug for Then<F, T, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            ThenState::First { .. } => "Then(first)",
            ThenState::Intercepting { .. } => "Then(intercepting)",
            ThenState::Done => "Then(done)",
        })
    }
}

impl<S, B, Q, F> fmt::Debug for Exchange<S, B, Q, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            ExchangeState::Requesting { .. } => "Exchange(requesting)",
            ExchangeState::Calling { .. } => "Exchange(calling)",
        })
    }
}
