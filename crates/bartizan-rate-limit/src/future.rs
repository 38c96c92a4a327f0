//! The response future.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bartizan_core::{
    ByStatus, Entry, Face, Head, Outcome, ReadyThenCall, Rejection, RequestHead, Subject, classify,
};
use http::{HeaderMap, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

use crate::backend::{Acquiring, Backend, Grant};
use crate::error::Why;
use crate::gate::{GateLine, Passed};
use crate::said;
use crate::service::Config;
use crate::wait::{TooLong, Wait};
use crate::{Event, Hook, RateLimited, Within, standing};

pin_project! {
    /// The future of [`RateLimit`](crate::RateLimit).
    pub struct ResponseFuture<S, B, Fut, F, H, K: Backend> {
        #[pin]
        state: State<S, B, Fut, K>,
        config: Arc<Config<H, K>>,
        face: PhantomData<fn() -> F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, Fut, K: Backend> {
        // Apart, so that calls which wait for nothing have no room for it.
        Waiting { waiting: Pin<Box<Waiting<S, B, K>>> },
        // The call goes before its ticket: what it holds is given back first.
        Calling { #[pin] call: ReadyThenCall<S, Request<B>, Fut>, ticket: Option<Ticket<K::Grant>> },
        Refused { limited: Option<RateLimited> },
        Over,
    }
}

/// What a call was given. Dropped before the call was begun, it is given back; afterwards it was spent.
pub(crate) struct Ticket<G: Grant> {
    grant: Option<G>,
    passed: Option<Passed>,
    is_begun: bool,
}

impl<G: Grant> Ticket<G> {
    pub(crate) fn new(grant: Option<G>, passed: Option<Passed>) -> Self {
        Self { grant, passed, is_begun: false }
    }

    /// Nothing was sent.
    fn give_back(mut self) {
        self.is_begun = false;
    }
}

impl<G: Grant> Drop for Ticket<G> {
    fn drop(&mut self) {
        if !self.is_begun {
            if let Some(grant) = self.grant.take() {
                grant.give_back();
            }
            self.passed.take().map(Passed::give_back);
        }
    }
}

impl<S: Service<Request<B>>, B, F, H, K: Backend> ResponseFuture<S, B, S::Future, F, H, K> {
    pub(crate) fn calling(
        call: ReadyThenCall<S, Request<B>, S::Future>,
        ticket: Ticket<K::Grant>,
        config: Arc<Config<H, K>>,
    ) -> Self {
        Self { state: State::Calling { call, ticket: Some(ticket) }, config, face: PhantomData }
    }

    pub(crate) fn waiting(waiting: Waiting<S, B, K>, config: Arc<Config<H, K>>) -> Self {
        Self { state: State::Waiting { waiting: Box::pin(waiting) }, config, face: PhantomData }
    }

    pub(crate) fn refused(limited: RateLimited, config: Arc<Config<H, K>>) -> Self {
        Self { state: State::Refused { limited: Some(limited) }, config, face: PhantomData }
    }
}

impl<S, B, R, F, H, K> Future for ResponseFuture<S, B, S::Future, F, H, K>
where
    S: Service<Request<B>, Response = Response<R>>,
    F: Face<S::Error>,
    H: Hook,
    K: Backend,
{
    type Output = Result<Response<F::Body<R>>, F::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Waiting { waiting } => {
                    let next = match ready!(waiting.as_mut().poll(this.config, cx)) {
                        Ok((inner, request, ticket)) => {
                            State::Calling { call: ReadyThenCall::new(inner, request), ticket: Some(ticket) }
                        }
                        Err(limited) => State::Refused { limited: Some(limited) },
                    };
                    this.state.set(next);
                }
                StateProjection::Calling { mut call, ticket } => {
                    let result = call.as_mut().poll(cx);
                    let calling = ticket.as_mut().expect("a future is not polled after its end");
                    calling.is_begun = call.is_called();
                    let result = ready!(result).map_err(F::error);
                    let ticket = ticket.take().expect("it was there");
                    this.state.set(State::Over);
                    return Poll::Ready(this.config.ended::<_, _, F>(result, ticket));
                }
                StateProjection::Refused { limited } => {
                    let limited = limited.take().expect("a future is not polled after its end");
                    this.config.tell(&Event::Refused(&limited));
                    this.state.set(State::Over);
                    return Poll::Ready(this.config.refuse::<_, _, F>(limited));
                }
                StateProjection::Over => panic!("a future is not polled after its end"),
            }
        }
    }
}

impl<H: Hook, K: Backend> Config<H, K> {
    fn ended<R, E, F: Face<E>>(
        &self,
        result: Result<Response<R>, F::Error>,
        mut ticket: Ticket<K::Grant>,
    ) -> Result<Response<F::Body<R>>, F::Error> {
        let outcome = match &result {
            Ok(response) => classify(&ByStatus, Ok(Head::from(response))),
            Err(error) if F::view(error).and_then(Rejection::of).is_some() => Outcome::Neutral,
            Err(_) => Outcome::Failure,
        };
        // On the server side somebody has asked and was answered, and be it with a refusal: whoever tries keys in vain is one to be limited.
        if outcome == Outcome::Neutral && !self.is_server {
            ticket.give_back();
            return result.map(F::pass);
        }
        let mut response = result?;
        if let Some(passed) = ticket.passed.take() {
            self.heed(passed, &Head::from(&response), outcome);
        }
        if self.is_server {
            self.say(ticket.grant.as_ref(), response.headers_mut());
        }
        Ok(F::pass(response))
    }

    fn heed(&self, passed: Passed, head: &Head<'_>, outcome: Outcome) {
        let Some(mut said) = said::hear(head, outcome, || self.wall_clock.now()) else { return };
        // Unless it is throttling by somebody's word.
        if !self.pauses_on_503
            && head.status == StatusCode::SERVICE_UNAVAILABLE
            && outcome == Outcome::Failure
        {
            said.pause = None;
        }
        if let (Some(subject), Some(pause)) = (passed.answered(&said), said.pause) {
            self.tell(&Event::Paused { subject: &subject, lasts: pause.lasts });
        }
    }

    fn refuse<R, E, F: Face<E>>(&self, limited: RateLimited) -> Result<Response<F::Body<R>>, F::Error> {
        let standing = limited.standing();
        let mut response = F::refuse(limited)?;
        if let Some(standing) = standing {
            standing::write(&standing, response.headers_mut());
        }
        Ok(response)
    }

    fn say(&self, grant: Option<&K::Grant>, headers: &mut HeaderMap) {
        if let Some(standing) = grant.and_then(K::Grant::standing) {
            standing::write(&standing, headers);
        }
    }
}

pin_project! {
    /// A call that waits, before a closed gate, for tokens, or for one after the other. It keeps nothing of the inner meanwhile.
    pub(crate) struct Waiting<S, B, K: Backend> {
        // Both until the wait is over.
        call: Option<(S, Request<B>)>,
        cost: Option<NonZeroU32>,
        within: Within,
        since: Instant,
        #[pin]
        stage: Stage<K>,
    }
}

pin_project! {
    #[project = StageProjection]
    pub(crate) enum Stage<K: Backend> {
        Gate { wait: Wait<Arc<Entry<GateLine>>> },
        Tokens { #[pin] acquire: K::Acquire, passed: Option<Passed> },
    }
}

impl<K: Backend> Stage<K> {
    pub(crate) fn gate(wait: Wait<Arc<Entry<GateLine>>>) -> Self {
        Self::Gate { wait }
    }

    pub(crate) fn tokens(acquire: K::Acquire, passed: Option<Passed>) -> Self {
        Self::Tokens { acquire, passed }
    }
}

type Goes<S, B, K> = (S, Request<B>, Ticket<<K as Backend>::Grant>);

impl<S, B, K: Backend> Waiting<S, B, K> {
    pub(crate) fn new(
        inner: S,
        request: Request<B>,
        cost: Option<NonZeroU32>,
        within: Within,
        stage: Stage<K>,
    ) -> Self {
        Self { call: Some((inner, request)), cost, within, since: Instant::now(), stage }
    }

    fn poll<H: Hook>(
        self: Pin<&mut Self>,
        config: &Config<H, K>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Goes<S, B, K>, RateLimited>> {
        let mut this = self.project();
        let ticket = loop {
            let left = || {
                Within::new(this.within.max_wait.saturating_sub(this.since.elapsed()), this.within.deadline)
            };
            match this.stage.as_mut().project() {
                StageProjection::Gate { wait } => {
                    let passed = match ready!(wait.poll(NonZeroU32::MIN, left(), cx)) {
                        Ok(gate) => Passed::new(gate),
                        Err(too_long) => return Poll::Ready(Err(closed(&too_long, *this.within))),
                    };
                    let Some(cost) = *this.cost else {
                        break Ticket::new(None, Some(passed));
                    };
                    let (_, request) = this.call.as_ref().expect("it is there until the wait is over");
                    match config.backend.acquire(&RequestHead::from(request), cost, left()) {
                        Acquiring::Now(grant) => break Ticket::new(Some(grant), Some(passed)),
                        Acquiring::Refused(limited) => {
                            passed.give_back();
                            return Poll::Ready(Err(limited));
                        }
                        Acquiring::Later(acquire) => {
                            this.stage.set(Stage::Tokens { acquire, passed: Some(passed) });
                        }
                    }
                }
                StageProjection::Tokens { acquire, passed } => {
                    let result = ready!(acquire.poll(cx));
                    let passed = passed.take();
                    match result {
                        // It was closed meanwhile: what is sent now would only be thrown back.
                        Ok(grant) if passed.as_ref().is_some_and(Passed::is_paused) => {
                            grant.give_back();
                            let gate = passed.and_then(Passed::give_back).expect("it is one that is closed");
                            this.stage.set(Stage::Gate { wait: Wait::New(gate) });
                        }
                        Ok(grant) => break Ticket::new(Some(grant), passed),
                        Err(limited) => {
                            passed.map(Passed::give_back);
                            return Poll::Ready(Err(limited));
                        }
                    }
                }
            }
        };
        config.tell(&Event::Waited(this.since.elapsed()));
        let (inner, request) = this.call.take().expect("it is there until the wait is over");
        Poll::Ready(Ok((inner, request, ticket)))
    }
}

/// The gate stays closed for too long.
fn closed(too_long: &TooLong<Arc<Entry<GateLine>>>, within: Within) -> RateLimited {
    let TooLong { line: gate, refused, now } = too_long;
    let due = refused.due();
    let why = match gate.value().source().paused_until() {
        Some(_) => Why::Paused,
        None => due.and_then(|due| within.why(due, *now)).unwrap_or(Why::Quota { quota: None }),
    };
    let subject: &Subject = gate.subject();
    RateLimited::new(subject, why, due.map(|due| due.saturating_duration_since(*now)))
}

impl<S, B, Fut, F, H, K: Backend> fmt::Debug for ResponseFuture<S, B, Fut, F, H, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Waiting { .. } => "ResponseFuture(waiting)",
            State::Calling { .. } => "ResponseFuture(calling)",
            State::Refused { .. } => "ResponseFuture(refused)",
            State::Over => "ResponseFuture(over)",
        })
    }
}
