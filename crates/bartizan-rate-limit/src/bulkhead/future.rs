//! The response future.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bartizan_core::{Entry, Face, ReadyThenCall};
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

use super::service::Config;
use super::slots::ONE;
use super::{Bulkhead, BulkheadFull, Permit, PermittedBody};
use crate::wait::{TooLong, Wait};
use crate::{Event, Hook, Within};

pin_project! {
    /// The future of [`BulkheadService`](super::BulkheadService).
    pub struct ResponseFuture<S, B, Fut, F, H> {
        #[pin]
        state: State<S, B, Fut>,
        config: Arc<Config<H>>,
        face: PhantomData<fn() -> F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, Fut> {
        // Apart, so that calls which wait for nothing have no room for it.
        Waiting { waiting: Box<Waiting<S, B>> },
        // The call goes before its permit: what it holds is given back first.
        Calling { #[pin] call: ReadyThenCall<S, Request<B>, Fut>, permit: Option<Permit> },
        Refused { full: Option<BulkheadFull> },
        Over,
    }
}

impl<S: Service<Request<B>>, B, F, H> ResponseFuture<S, B, S::Future, F, H> {
    pub(crate) fn calling(
        call: ReadyThenCall<S, Request<B>, S::Future>,
        permit: Option<Permit>,
        config: Arc<Config<H>>,
    ) -> Self {
        Self { state: State::Calling { call, permit }, config, face: PhantomData }
    }

    pub(crate) fn waiting(waiting: Waiting<S, B>, config: Arc<Config<H>>) -> Self {
        Self { state: State::Waiting { waiting: Box::new(waiting) }, config, face: PhantomData }
    }

    pub(crate) fn refused(full: BulkheadFull, config: Arc<Config<H>>) -> Self {
        Self { state: State::Refused { full: Some(full) }, config, face: PhantomData }
    }
}

impl<S, B, R, F, H> Future for ResponseFuture<S, B, S::Future, F, H>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
    F: Face<S::Error>,
    H: Hook,
{
    type Output = Result<Response<F::Body<PermittedBody<R>>>, F::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Waiting { waiting } => {
                    let next = match ready!(waiting.poll(cx)) {
                        Ok((inner, request, permit)) => {
                            this.config.tell(&Event::Waited(waiting.since.elapsed()));
                            State::Calling { call: ReadyThenCall::new(inner, request), permit: Some(permit) }
                        }
                        Err(full) => State::Refused { full: Some(full) },
                    };
                    this.state.set(next);
                }
                StateProjection::Calling { call, permit } => {
                    let result = ready!(call.poll(cx)).map_err(F::error);
                    let permit = permit.take();
                    // The inner's future goes before the permit here too.
                    this.state.set(State::Over);
                    let response = result?;
                    return Poll::Ready(Ok(F::pass(response.map(|body| PermittedBody::new(body, permit)))));
                }
                StateProjection::Refused { full } => {
                    let full = full.take().expect("a future is not polled after its end");
                    this.config.tell(&Event::BulkheadFull(&full));
                    this.state.set(State::Over);
                    return Poll::Ready(F::refuse(full));
                }
                StateProjection::Over => panic!("a future is not polled after its end"),
            }
        }
    }
}

/// A call that waits. It keeps nothing of the inner meanwhile.
pub(crate) struct Waiting<S, B> {
    /// Both until the wait is over.
    call: Option<(S, Request<B>)>,
    wait: Wait<Arc<Entry<Bulkhead>>>,
    within: Within,
    since: Instant,
}

type Goes<S, B> = (S, Request<B>, Permit);

impl<S, B> Waiting<S, B> {
    pub(crate) fn new(inner: S, request: Request<B>, bulkhead: Arc<Entry<Bulkhead>>, within: Within) -> Self {
        Self { call: Some((inner, request)), wait: Wait::New(bulkhead), within, since: Instant::now() }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Goes<S, B>, BulkheadFull>> {
        Poll::Ready(match ready!(self.wait.poll(ONE, self.within, cx)) {
            Ok(bulkhead) => {
                let permit = bulkhead.value().taken_one();
                let (inner, request) = self.call.take().expect("it is there until the wait is over");
                Ok((inner, request, permit))
            }
            Err(TooLong { line, refused, now }) => Err(line.value().too_long(refused, now, self.within)),
        })
    }
}

impl<S, B, Fut, F, H> fmt::Debug for ResponseFuture<S, B, Fut, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Waiting { .. } => "ResponseFuture(waiting)",
            State::Calling { .. } => "ResponseFuture(calling)",
            State::Refused { .. } => "ResponseFuture(refused)",
            State::Over => "ResponseFuture(over)",
        })
    }
}
