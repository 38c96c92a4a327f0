//! The response futures.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_core::{Classify, Face, Head, Outcome, ReadyThenCall};
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::service::Judge;
use crate::{CircuitOpen, CountedBody, OnTransition, Permit};

pin_project! {
    /// The future of [`CircuitBreakerService`](crate::CircuitBreakerService).
    pub struct ResponseFuture<S, B, Fut, C, F, H: OnTransition> {
        #[pin]
        state: State<S, B, Fut, H>,
        judge: Judge<C>,
        face: PhantomData<fn() -> F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, Fut, H: OnTransition> {
        // The call goes before its permit: what it holds is given back first.
        Calling { #[pin] call: ReadyThenCall<S, Request<B>, Fut>, permit: Option<Permit<H>> },
        Refused { open: Option<CircuitOpen> },
        Over,
    }
}

impl<S: Service<Request<B>>, B, C, F, H: OnTransition> ResponseFuture<S, B, S::Future, C, F, H> {
    pub(crate) fn calling(
        call: ReadyThenCall<S, Request<B>, S::Future>,
        permit: Option<Permit<H>>,
        judge: Judge<C>,
    ) -> Self {
        Self { state: State::Calling { call, permit }, judge, face: PhantomData }
    }

    pub(crate) fn refused(open: CircuitOpen, judge: Judge<C>) -> Self {
        Self { state: State::Refused { open: Some(open) }, judge, face: PhantomData }
    }
}

impl<S, B, R, C, F, H> Future for ResponseFuture<S, B, S::Future, C, F, H>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
    C: Classify,
    F: Face<S::Error>,
    H: OnTransition,
{
    type Output = Result<Response<F::Body<CountedBody<R, H>>>, F::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (result, permit) = match this.state.as_mut().project() {
            StateProjection::Calling { call, permit } => {
                (ready!(call.poll(cx)).map_err(F::error), permit.take())
            }
            StateProjection::Refused { open } => {
                let open = open.take().expect("a future is not polled after its end");
                return Poll::Ready(F::refuse(open));
            }
            StateProjection::Over => panic!("a future is not polled after its end"),
        };
        this.state.set(State::Over);
        let Some(permit) = permit else {
            return Poll::Ready(result.map(|response| F::pass(response.map(CountedBody::uncounted))));
        };
        let (outcome, asked) = this.judge.judge(match &result {
            Ok(response) => Ok(Head::from(response)),
            Err(error) => Err(F::view(error)),
        });
        Poll::Ready(match result {
            Ok(response) if outcome == Outcome::Success && !this.judge.head_only => {
                Ok(F::pass(response.map(|body| CountedBody::counted(body, permit))))
            }
            result => {
                permit.end_with(outcome, asked);
                result.map(|response| F::pass(response.map(CountedBody::uncounted)))
            }
        })
    }
}

impl<S, B, Fut, C, F, H: OnTransition> fmt::Debug for ResponseFuture<S, B, Fut, C, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Calling { .. } => "ResponseFuture(calling)",
            State::Refused { .. } => "ResponseFuture(refused)",
            State::Over => "ResponseFuture(over)",
        })
    }
}

pin_project! {
    /// The future of [`Gate`](crate::Gate).
    pub struct GateFuture<S, B, Fut, F> {
        #[pin]
        state: GateState<S, B, Fut>,
        face: PhantomData<fn() -> F>,
    }
}

pin_project! {
    #[project = GateStateProjection]
    enum GateState<S, B, Fut> {
        Calling { #[pin] call: ReadyThenCall<S, Request<B>, Fut> },
        Refused { open: Option<CircuitOpen> },
    }
}

impl<S: Service<Request<B>>, B, F> GateFuture<S, B, S::Future, F> {
    pub(crate) fn calling(call: ReadyThenCall<S, Request<B>, S::Future>) -> Self {
        Self { state: GateState::Calling { call }, face: PhantomData }
    }

    pub(crate) fn refused(open: CircuitOpen) -> Self {
        Self { state: GateState::Refused { open: Some(open) }, face: PhantomData }
    }
}

impl<S, B, R, F> Future for GateFuture<S, B, S::Future, F>
where
    S: Service<Request<B>, Response = Response<R>>,
    F: Face<S::Error>,
{
    type Output = Result<Response<F::Body<R>>, F::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            GateStateProjection::Calling { call } => call.poll(cx).map_ok(F::pass).map_err(F::error),
            GateStateProjection::Refused { open } => {
                Poll::Ready(F::refuse(open.take().expect("a future is not polled after its end")))
            }
        }
    }
}

impl<S, B, Fut, F> fmt::Debug for GateFuture<S, B, Fut, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            GateState::Calling { .. } => "GateFuture(calling)",
            GateState::Refused { .. } => "GateFuture(refused)",
        })
    }
}
