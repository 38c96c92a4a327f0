use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_core::Outcome;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::{OnTransition, Permit};

pin_project! {
    /// The body of [`CircuitBreakerService`](crate::CircuitBreakerService)'s responses: an error in it makes the call a failure, its end
    /// a success, and so does dropping it, for who reads only the status must not open a circuit.
    pub struct CountedBody<B, H: OnTransition = ()> {
        #[pin]
        inner: B,
        ending: Ending<H>,
    }
}

/// A permit that is a success if nothing is said. A type of its own, so that the body can be taken apart.
struct Ending<H: OnTransition>(Option<Permit<H>>);

impl<H: OnTransition> Ending<H> {
    fn end(&mut self, outcome: Outcome) {
        if let Some(permit) = self.0.take() {
            permit.end(outcome);
        }
    }
}

impl<H: OnTransition> Drop for Ending<H> {
    fn drop(&mut self) {
        self.end(Outcome::Success);
    }
}

impl<B: Body, H: OnTransition> CountedBody<B, H> {
    pub(crate) fn counted(inner: B, permit: Permit<H>) -> Self {
        let mut body = Self { inner, ending: Ending(Some(permit)) };
        body.settle_at_end();
        body
    }

    pub(crate) fn uncounted(inner: B) -> Self {
        Self { inner, ending: Ending(None) }
    }

    /// hyper stops at the content-length, so there may be no poll that tells of the end.
    fn settle_at_end(&mut self) {
        if self.inner.is_end_stream() {
            self.ending.end(Outcome::Success);
        }
    }
}

impl<B: Body, H: OnTransition> Body for CountedBody<B, H> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        match &frame {
            Some(Err(_)) => this.ending.end(Outcome::Failure),
            Some(Ok(_)) if !this.inner.is_end_stream() => {}
            _ => this.ending.end(Outcome::Success),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: Default, H: OnTransition> Default for CountedBody<B, H> {
    fn default() -> Self {
        Self { inner: B::default(), ending: Ending(None) }
    }
}

impl<B: fmt::Debug, H: OnTransition> fmt::Debug for CountedBody<B, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountedBody").field("inner", &self.inner).finish_non_exhaustive()
    }
}
