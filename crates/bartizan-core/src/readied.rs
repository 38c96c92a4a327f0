use std::mem;
use std::task::{Context, Poll};

use tower_service::Service;

use crate::ReadyThenCall;

/// An inner service, and whether it was found ready. The shape `gate`: a refusal waits for nobody's readiness, and a call that is
/// let through takes that very instance along if it has to be waited for.
#[derive(Debug)]
pub struct Readied<S> {
    inner: S,
    is_ready: bool,
}

impl<S> Readied<S> {
    /// An inner service that nobody has asked yet.
    pub fn new(inner: S) -> Self {
        Self { inner, is_ready: false }
    }

    /// The inner service.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Polls the inner until it is ready. Ready in any case, unless the inner has failed for good.
    ///
    /// # Errors
    /// The inner's.
    pub fn poll<R>(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>>
    where
        S: Service<R>,
    {
        if !self.is_ready {
            self.is_ready = match self.inner.poll_ready(cx) {
                Poll::Ready(Ok(())) => true,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => false,
            };
        }
        Poll::Ready(Ok(()))
    }

    /// Calls it if it was found ready; else that very instance is polled on, and a fresh clone takes its place.
    pub fn call<R>(&mut self, request: R) -> ReadyThenCall<S, R, S::Future>
    where
        S: Service<R> + Clone,
    {
        if mem::take(&mut self.is_ready) {
            return ReadyThenCall::called(self.inner.call(request));
        }
        let fresh = self.inner.clone();
        ReadyThenCall::new(mem::replace(&mut self.inner, fresh), request)
    }

    /// An idle handle must not keep what the inner has reserved for it, or will: a fresh clone takes its place. One that is not ready may
    /// stand in a queue by now, and be given a permit while nobody looks.
    pub fn refuse(&mut self)
    where
        S: Clone,
    {
        *self = self.clone();
    }

    /// A fresh clone for a call that has to wait for something else first: neither it nor this handle keeps anything meanwhile.
    pub fn fresh(&mut self) -> S
    where
        S: Clone,
    {
        self.refuse();
        self.inner.clone()
    }
}

/// Shares the service, not its readiness.
impl<S: Clone> Clone for Readied<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone())
    }
}
