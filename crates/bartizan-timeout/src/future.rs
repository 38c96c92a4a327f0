//! The response future of both layers.

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

use crate::target::Target;
use crate::timed::{Expired, Timed};
use crate::{AttemptTimedOut, DeadlineExceeded, Hook, TimedOut, trace};

pin_project! {
    /// The future of [`AttemptTimeout`](crate::AttemptTimeout) and [`DeadlineService`](crate::DeadlineService).
    pub struct ResponseFuture<Fut, F, H> {
        #[pin]
        state: State<Fut>,
        clock: Clock,
        target: Target,
        hook: H,
        face: PhantomData<fn() -> F>,
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
    fn until(&self) -> Option<Instant> {
        match *self {
            Self::Unbounded => None,
            Self::Attempt { started, limit } => crate::timed::after(started, limit),
            Self::Deadline(deadline) => Some(Instant::from_std(deadline.at)),
        }
    }
}

impl<Fut: Future, F, H> ResponseFuture<Fut, F, H> {
    pub(crate) fn running(future: Fut, clock: Clock, target: Target, hook: H) -> Self {
        let state = State::Running { timed: Timed::new(future) };
        Self { state, clock, target, hook, face: PhantomData }
    }

    /// For a call whose deadline was over before it began.
    pub(crate) fn refused(deadline: Deadline, target: Target, hook: H) -> Self {
        Self { state: State::Over, clock: Clock::Deadline(deadline), target, hook, face: PhantomData }
    }
}

impl<Fut, F, H, R, E> Future for ResponseFuture<Fut, F, H>
where
    Fut: Future<Output = Result<Response<R>, E>>,
    F: Face<E>,
    H: Hook,
{
    type Output = Result<Response<F::Body<R>>, F::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let rejection = match this.state.as_mut().project() {
            StateProjection::Over => Some(Rejection::new(None)),
            StateProjection::Running { timed } => match ready!(timed.poll(cx, || this.clock.until())) {
                Ok(Ok(response)) => return Poll::Ready(Ok(F::pass(response))),
                Ok(Err(error)) => return Poll::Ready(Err(F::error(error))),
                Err(Expired) => None,
            },
        };
        // The inner future is gone before anybody hears of it.
        this.state.set(State::Over);
        let (now, target) = (Instant::now(), *this.target);
        Poll::Ready(match *this.clock {
            Clock::Attempt { started, limit } => {
                let error = AttemptTimedOut { limit, elapsed: now - started, target };
                tell(this.hook, TimedOut::Attempt(&error));
                F::refuse(error)
            }
            Clock::Deadline(deadline) => {
                let elapsed = now.into_std().saturating_duration_since(deadline.started);
                let error = DeadlineExceeded { total: deadline.total(), elapsed, target, rejection };
                tell(this.hook, TimedOut::Deadline(&error));
                F::refuse(error)
            }
            Clock::Unbounded => unreachable!("what is unbounded never expires and is never refused"),
        })
    }
}

fn tell(hook: &impl Hook, event: TimedOut<'_>) {
    trace::timed_out(event);
    hook.timed_out(event);
}

impl<Fut, F, H> fmt::Debug for ResponseFuture<Fut, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("clock", &self.clock).field("target", &self.target).finish()
    }
}
