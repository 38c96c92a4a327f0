use std::fmt;
use std::marker::PhantomData;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::{CallContext, Face, Refuse, Respond};
use http::{HeaderName, Request, Response};
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::future::{AttemptFuture, Bounded, Clock};
use crate::target::Target;
use crate::{Hook, millis};

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
    pass_on: Option<HeaderName>,
    hook: H,
    face: PhantomData<fn() -> F>,
}

impl AttemptTimeoutLayer {
    /// At most `limit` for one attempt. Zero lets through only what is ready at once.
    ///
    /// [`default`](Self::default) is 10 s: a third of the default deadline, so that a hung first attempt leaves time for
    /// two more.
    pub const fn new(limit: Duration) -> Self {
        Self { limit: Some(limit), pass_on: None, hook: (), face: PhantomData }
    }

    /// Bounds nothing, and does not look at the deadline either. The same type, for configuration.
    pub const fn disabled() -> Self {
        Self { limit: None, pass_on: None, hook: (), face: PhantomData }
    }
}

impl<F, H> AttemptTimeoutLayer<F, H> {
    /// Tells the origin in this header field how long the attempt has, in whole milliseconds: its limit or what is left of
    /// the deadline. Rounded down, at least 1, in place of what the request says there; an attempt without a bound leaves
    /// the field alone. An origin with [`DeadlineLayer::shortened_by`](crate::DeadlineLayer::shortened_by) then stops when
    /// nobody waits any more.
    ///
    /// By default nothing is told. There is no standard field for it, so name one that your origin reads: gRPC has
    /// `grpc-timeout`, in a format of its own; Envoy sends
    /// `x-envoy-expected-rq-timeout-ms`, in this one.
    #[must_use]
    pub fn pass_on(mut self, field: HeaderName) -> Self {
        self.pass_on = Some(field);
        self
    }

    /// What one attempt may take; `None` if it is [`disabled`](AttemptTimeoutLayer::disabled).
    pub fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// Answers 504 with problem details in place of an error, the default, and keeps the inner error type. For the server side.
    pub fn respond(self) -> AttemptTimeoutLayer<Respond, H> {
        AttemptTimeoutLayer { limit: self.limit, pass_on: self.pass_on, hook: self.hook, face: PhantomData }
    }

    /// Tells `hook` of every attempt that timed out. By default nobody is told.
    pub fn hook<G>(self, hook: G) -> AttemptTimeoutLayer<F, G> {
        AttemptTimeoutLayer { limit: self.limit, pass_on: self.pass_on, hook, face: PhantomData }
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
        AttemptTimeout {
            inner,
            limit: self.limit,
            pass_on: self.pass_on.clone(),
            hook: self.hook.clone(),
            face: PhantomData,
        }
    }
}

impl<F, H> fmt::Debug for AttemptTimeoutLayer<F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptTimeoutLayer")
            .field("limit", &self.limit)
            .field("pass_on", &self.pass_on)
            .finish_non_exhaustive()
    }
}

/// The service of [`AttemptTimeoutLayer`].
pub struct AttemptTimeout<S, F = Refuse, H = ()> {
    inner: S,
    limit: Option<Duration>,
    pass_on: Option<HeaderName>,
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
    type Future = AttemptFuture<S::Future, F, H>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), F::Error>> {
        self.inner.poll_ready(cx).map_err(F::error)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let hook = self.hook.clone();
        let Some(limit) = self.limit else {
            return AttemptFuture::new(Bounded::unbounded(self.inner.call(request)), hook);
        };
        let (started, target) = (Instant::now(), Target::of(request.uri()));
        let (mut clock, mut time) = (Clock::Attempt { started, limit }, limit);
        if let Some(deadline) = CallContext::of(request.extensions()).and_then(CallContext::deadline) {
            let left = deadline.left(started.into_std());
            if left.is_zero() {
                // An idle handle must not keep what the inner reserved when it became ready.
                self.inner = self.inner.clone();
                return AttemptFuture::new(Bounded::refused(deadline, target), hook);
            }
            if left < limit {
                (clock, time) = (Clock::Deadline(deadline), left);
            }
        }
        if let Some(field) = self.pass_on.as_ref().filter(|_| clock.until().is_some()) {
            request.headers_mut().insert(field.clone(), millis::value(time));
        }
        AttemptFuture::new(Bounded::running(self.inner.call(request), clock, target), hook)
    }
}

impl<S: Clone, F, H: Clone> Clone for AttemptTimeout<S, F, H> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            limit: self.limit,
            pass_on: self.pass_on.clone(),
            hook: self.hook.clone(),
            face: PhantomData,
        }
    }
}

impl<S: fmt::Debug, F, H> fmt::Debug for AttemptTimeout<S, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptTimeout")
            .field("limit", &self.limit)
            .field("pass_on", &self.pass_on)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
