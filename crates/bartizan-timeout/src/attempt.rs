use std::fmt;
use std::marker::PhantomData;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::{CallContext, Face, Refuse, Respond};
use http::{Request, Response};
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::Hook;
use crate::future::{Clock, ResponseFuture};
use crate::target::Target;

/// Bounds one attempt, from the call to the response's head.
///
/// An attempt gets its limit or what is left of the call's deadline, whichever is less.
///
/// ```
/// use std::time::Duration;
/// use bartizan_timeout::AttemptTimeoutLayer;
///
/// let ten_seconds = AttemptTimeoutLayer::default();
/// let two_seconds = AttemptTimeoutLayer::new(Duration::from_secs(2));
/// # let _ = (ten_seconds, two_seconds);
/// ```
#[derive(Clone)]
pub struct AttemptTimeoutLayer<F = Refuse, H = ()> {
    limit: Option<Duration>,
    hook: H,
    face: PhantomData<fn() -> F>,
}

impl AttemptTimeoutLayer {
    /// At most `limit` for one attempt. Zero lets through only what is ready at once.
    ///
    /// [`default`](Self::default) is 10 s: a third of the default deadline, so that a hung first attempt leaves time for
    /// two more.
    pub const fn new(limit: Duration) -> Self {
        Self { limit: Some(limit), hook: (), face: PhantomData }
    }

    /// Bounds nothing, and does not look at the deadline either. The same type, for configuration.
    pub const fn disabled() -> Self {
        Self { limit: None, hook: (), face: PhantomData }
    }
}

impl<F, H> AttemptTimeoutLayer<F, H> {
    /// Answers 504 with problem details in place of an error, and keeps the inner error type. For the server side.
    pub fn respond(self) -> AttemptTimeoutLayer<Respond, H> {
        AttemptTimeoutLayer { limit: self.limit, hook: self.hook, face: PhantomData }
    }

    /// Tells `hook` of every attempt that timed out. By default nobody is told.
    pub fn hook<G>(self, hook: G) -> AttemptTimeoutLayer<F, G> {
        AttemptTimeoutLayer { limit: self.limit, hook, face: PhantomData }
    }
}

impl Default for AttemptTimeoutLayer {
    fn default() -> Self {
        Self::new(Duration::from_secs(10))
    }
}

impl<S, F, H: Clone> Layer<S> for AttemptTimeoutLayer<F, H> {
    type Service = AttemptTimeout<S, F, H>;

    fn layer(&self, inner: S) -> Self::Service {
        AttemptTimeout { inner, limit: self.limit, hook: self.hook.clone(), face: PhantomData }
    }
}

impl<F, H> fmt::Debug for AttemptTimeoutLayer<F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptTimeoutLayer").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// The service of [`AttemptTimeoutLayer`].
pub struct AttemptTimeout<S, F = Refuse, H = ()> {
    inner: S,
    limit: Option<Duration>,
    hook: H,
    face: PhantomData<fn() -> F>,
}

impl<S, B, R, F, H> Service<Request<B>> for AttemptTimeout<S, F, H>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    F: Face<S::Error>,
    H: Hook + Clone,
{
    type Response = Response<F::Body<R>>;
    type Error = F::Error;
    type Future = ResponseFuture<S::Future, F, H>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), F::Error>> {
        self.inner.poll_ready(cx).map_err(F::error)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let hook = self.hook.clone();
        let Some(limit) = self.limit else {
            return ResponseFuture::running(self.inner.call(request), Clock::Unbounded, Target::NONE, hook);
        };
        let (started, target) = (Instant::now(), Target::of(request.uri()));
        let mut clock = Clock::Attempt { started, limit };
        if let Some(deadline) = CallContext::of(request.extensions()).and_then(CallContext::deadline) {
            let left = deadline.left(started.into_std());
            if left.is_zero() {
                // An idle handle must not keep what the inner reserved when it became ready.
                self.inner = self.inner.clone();
                return ResponseFuture::refused(deadline, target, hook);
            }
            if left < limit {
                clock = Clock::Deadline(deadline);
            }
        }
        ResponseFuture::running(self.inner.call(request), clock, target, hook)
    }
}

impl<S: Clone, F, H: Clone> Clone for AttemptTimeout<S, F, H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), limit: self.limit, hook: self.hook.clone(), face: PhantomData }
    }
}

impl<S: fmt::Debug, F, H> fmt::Debug for AttemptTimeout<S, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptTimeout")
            .field("limit", &self.limit)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
