use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::{Classify, Face, Head, Outcome, Readied, RequestHead, WallClock, classify, retry_after};
use http::{Request, Response, StatusCode};
use http_body::Body;
use tower_service::Service;

use crate::circuits::Circuits;
use crate::future::ResponseFuture;
use crate::{CountedBody, OnTransition, trace};

/// The service of [`CircuitBreakerLayer`](crate::CircuitBreakerLayer).
pub struct CircuitBreakerService<S, C, F, H> {
    pub(crate) inner: Readied<S>,
    pub(crate) circuits: Arc<Circuits<H>>,
    pub(crate) judge: Judge<C>,
    pub(crate) face: PhantomData<fn() -> F>,
}

/// What a result means.
#[derive(Clone, Debug)]
pub(crate) struct Judge<C> {
    pub(crate) classifier: C,
    pub(crate) wall_clock: WallClock,
    /// A good head is enough.
    pub(crate) head_only: bool,
}

impl<C: Classify> Judge<C> {
    /// The outcome, and for how long the origin wants to be left alone.
    pub(crate) fn judge(
        &self,
        result: Result<Head<'_>, Option<&(dyn Error + 'static)>>,
    ) -> (Outcome, Option<Duration>) {
        let result = match result {
            Ok(head) => Ok(head),
            Err(Some(error)) => Err(error),
            // It cannot be looked into, but an error it is.
            Err(None) => return (Outcome::Failure, None),
        };
        let outcome = classify(&self.classifier, result);
        let asked = result.ok().filter(|head| head.status == StatusCode::SERVICE_UNAVAILABLE);
        let asked = asked.and_then(|head| retry_after(head.headers, self.wall_clock.now()));
        (outcome, asked)
    }
}

impl<S, B, R, C, F, H> Service<Request<B>> for CircuitBreakerService<S, C, F, H>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body,
    C: Classify + Clone,
    F: Face<S::Error>,
    H: OnTransition + Clone,
{
    type Response = Response<F::Body<CountedBody<R, H>>>;
    type Error = F::Error;
    type Future = ResponseFuture<S, B, S::Future, C, F, H>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), F::Error>> {
        self.inner.poll(cx).map_err(F::error)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.circuits.admit(&RequestHead::from(&request)) {
            Ok(permit) => ResponseFuture::calling(self.inner.call(request), permit, self.judge.clone()),
            Err(open) => {
                trace::refused(&open);
                self.inner.refuse();
                ResponseFuture::refused(open, self.judge.clone())
            }
        }
    }
}

impl<S: Clone, C: Clone, F, H> Clone for CircuitBreakerService<S, C, F, H> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            circuits: self.circuits.clone(),
            judge: self.judge.clone(),
            face: PhantomData,
        }
    }
}

impl<S: fmt::Debug, C, F, H> fmt::Debug for CircuitBreakerService<S, C, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerService").field("inner", self.inner.inner()).finish_non_exhaustive()
    }
}
