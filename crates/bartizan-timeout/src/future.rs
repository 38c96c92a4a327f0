//! The response futures of the layers.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bartizan_core::{Deadline, Face, Rejection};
use http::Response;
use pin_project_lite::pin_project;
use tokio::time::Instant;

pub use crate::body_timeout::BodyTimeoutFuture;

use crate::error::Progress;
use crate::target::Target;
use crate::timed::{Expired, Timed};
use crate::{AttemptTimedOut, BodyDeadline, DeadlineBody, DeadlineExceeded, Hook, TimedOut, trace};

pin_project! {
    /// The future of [`AttemptTimeout`](crate::AttemptTimeout).
    pub struct AttemptFuture<Fut, F, H> {
        #[pin]
        bounded: Bounded<Fut>,
        hook: H,
        face: PhantomData<fn() -> F>,
    }
}

impl<Fut, F, H> AttemptFuture<Fut, F, H> {
    pub(crate) fn new(bounded: Bounded<Fut>, hook: H) -> Self {
        Self { bounded, hook, face: PhantomData }
    }
}

impl<Fut, F, H, R, E> Future for AttemptFuture<Fut, F, H>
where
    Fut: Future<Output = Result<Response<R>, E>>,
    F: Face<E>,
    H: Hook,
{
    type Output = Result<Response<F::Body<R>>, F::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        Poll::Ready(match ready!(this.bounded.poll(cx)) {
            Ok(Ok(response)) => Ok(F::pass(response)),
            Ok(Err(error)) => Err(F::error(error)),
            Err(over) => over.refuse::<F, _, _>(this.hook),
        })
    }
}

impl<Fut, F, H> fmt::Debug for AttemptFuture<Fut, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bounded.show("AttemptFuture", f)
    }
}

pin_project! {
    /// The future of [`DeadlineService`](crate::DeadlineService).
    pub struct DeadlineFuture<Fut, F, H> {
        #[pin]
        bounded: Bounded<Fut>,
        // Taken by the response's body.
        body: Option<BodyDeadline<H>>,
        face: PhantomData<fn() -> F>,
    }
}

impl<Fut, F, H> DeadlineFuture<Fut, F, H> {
    pub(crate) fn new(bounded: Bounded<Fut>, body: BodyDeadline<H>) -> Self {
        Self { bounded, body: Some(body), face: PhantomData }
    }
}

impl<Fut, F, H, R, E> Future for DeadlineFuture<Fut, F, H>
where
    Fut: Future<Output = Result<Response<R>, E>>,
    F: Face<E>,
    H: Hook,
{
    type Output = Result<Response<F::Body<DeadlineBody<R, H>>>, F::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.bounded.poll(cx));
        let body = this.body.take().expect("a future is not polled after its end");
        Poll::Ready(match result {
            Ok(Ok(response)) => Ok(F::pass(response.map(|inner| body.around(inner)))),
            Ok(Err(error)) => Err(F::error(error)),
            Err(over) => over.refuse::<F, _, _>(body.hook()),
        })
    }
}

impl<Fut, F, H> fmt::Debug for DeadlineFuture<Fut, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bounded.show("DeadlineFuture", f)
    }
}

pin_project! {
    /// What both have in common: a call with a clock beside it.
    pub(crate) struct Bounded<Fut> {
        #[pin]
        state: State<Fut>,
        clock: Clock,
        target: Target,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<Fut> {
        Running { #[pin] timed: Timed<Fut> },
        // Nothing was sent, or time ran out and the inner future is gone.
        Over,
    }
}

/// What bounds a call, and since when.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    Unbounded,
    Attempt { started: Instant, limit: Duration },
    Deadline(Deadline),
}

impl Clock {
    pub(crate) fn until(&self) -> Option<Instant> {
        match *self {
            Self::Unbounded => None,
            Self::Attempt { started, limit } => crate::timed::after(started, limit),
            Self::Deadline(deadline) => Some(Instant::from_std(deadline.at)),
        }
    }
}

/// Which clock it was.
enum Over {
    Attempt(AttemptTimedOut),
    Deadline(DeadlineExceeded),
}

impl Over {
    fn refuse<F: Face<E>, E, B>(self, hook: &impl Hook) -> Result<Response<F::Body<B>>, F::Error> {
        match self {
            Self::Attempt(error) => {
                tell(hook, TimedOut::Attempt(&error));
                F::refuse(error)
            }
            Self::Deadline(error) => {
                tell(hook, TimedOut::Deadline(&error));
                F::refuse(error)
            }
        }
    }
}

impl<Fut: Future> Bounded<Fut> {
    pub(crate) fn unbounded(future: Fut) -> Self {
        Self::running(future, Clock::Unbounded, Target::NONE)
    }

    pub(crate) fn running(future: Fut, clock: Clock, target: Target) -> Self {
        Self { state: State::Running { timed: Timed::new(future) }, clock, target }
    }

    pub(crate) fn refused(deadline: Deadline, target: Target) -> Self {
        Self { state: State::Over, clock: Clock::Deadline(deadline), target }
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Fut::Output, Over>> {
        let mut this = self.project();
        let progress = match this.state.as_mut().project() {
            StateProjection::Over => Progress::NothingSent(Rejection::new(None)),
            StateProjection::Running { timed } => match ready!(timed.poll(cx, || this.clock.until())) {
                Ok(output) => return Poll::Ready(Ok(output)),
                Err(Expired) => Progress::Sent,
            },
        };
        // The inner future is gone before anybody hears of it.
        this.state.set(State::Over);
        let (now, target) = (Instant::now(), *this.target);
        Poll::Ready(Err(match *this.clock {
            Clock::Attempt { started, limit } => {
                Over::Attempt(AttemptTimedOut { limit, elapsed: now - started, target })
            }
            Clock::Deadline(deadline) => {
                Over::Deadline(DeadlineExceeded::of(deadline, now, target, progress))
            }
            Clock::Unbounded => unreachable!("what is unbounded never expires and is never refused"),
        }))
    }
}

impl<Fut> Bounded<Fut> {
    fn show(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name).field("clock", &self.clock).field("target", &self.target).finish_non_exhaustive()
    }
}

pub(crate) fn tell(hook: &impl Hook, event: TimedOut<'_>) {
    trace::timed_out(event);
    hook.timed_out(event);
}
