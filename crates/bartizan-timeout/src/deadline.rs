use std::fmt;
use std::marker::PhantomData;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::{CallContext, Deadline, Face, Refuse, Respond};
use http::{Request, Response};
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::Hook;
use crate::future::{Clock, ResponseFuture};
use crate::target::Target;

/// Bounds a whole call: all its attempts, and the waits between them, to the response's head.
///
/// It writes an absolute instant into the request's [`CallContext`], where inner layers see it, and ends the call when it
/// has come. A deadline that is there already is only ever shortened.
///
/// Where something stands between that shall have its own say, such as a cache that answers stale when time runs
/// out, write with one layer ([`stamp_only`](Self::stamp_only)) and end with another ([`enforce_only`](Self::enforce_only)).
///
/// ```
/// use std::time::Duration;
/// use bartizan_timeout::DeadlineLayer;
///
/// let thirty_seconds = DeadlineLayer::default();
/// let five_seconds = DeadlineLayer::new(Duration::from_secs(5));
/// # let _ = (thirty_seconds, five_seconds);
/// ```
#[derive(Clone)]
pub struct DeadlineLayer<F = Refuse, H = ()> {
    rule: Rule,
    hook: H,
    face: PhantomData<fn() -> F>,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    total: Option<Duration>,
    enforce: bool,
}

impl DeadlineLayer {
    /// At most `total` for the whole call, written and enforced.
    ///
    /// [`default`](Self::default) is 30 s: what most callers, proxies and load balancers in front wait for themselves.
    pub const fn new(total: Duration) -> Self {
        Self::with_rule(Rule { total: Some(total), enforce: true })
    }

    /// Ends a call at the deadline that is written in it, and lets a call without one run on.
    pub const fn enforce_only() -> Self {
        Self::with_rule(Rule { total: None, enforce: true })
    }

    /// Does nothing. The same type, for configuration.
    pub const fn disabled() -> Self {
        Self::with_rule(Rule { total: None, enforce: false })
    }

    const fn with_rule(rule: Rule) -> Self {
        Self { rule, hook: (), face: PhantomData }
    }
}

impl<F, H> DeadlineLayer<F, H> {
    /// Writes the deadline, and leaves it to inner layers to keep it.
    #[must_use]
    pub fn stamp_only(mut self) -> Self {
        self.rule.enforce = false;
        self
    }

    /// Answers 504 with problem details in place of an error, and keeps the inner error type. For the server side.
    pub fn respond(self) -> DeadlineLayer<Respond, H> {
        DeadlineLayer { rule: self.rule, hook: self.hook, face: PhantomData }
    }

    /// Tells `hook` of every call that ran out of time. By default nobody is told.
    pub fn hook<G>(self, hook: G) -> DeadlineLayer<F, G> {
        DeadlineLayer { rule: self.rule, hook, face: PhantomData }
    }
}

impl Default for DeadlineLayer {
    fn default() -> Self {
        Self::new(Duration::from_secs(30))
    }
}

impl<S, F, H: Clone> Layer<S> for DeadlineLayer<F, H> {
    type Service = DeadlineService<S, F, H>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService { inner, rule: self.rule, hook: self.hook.clone(), face: PhantomData }
    }
}

impl<F, H> fmt::Debug for DeadlineLayer<F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadlineLayer").field("rule", &self.rule).finish_non_exhaustive()
    }
}

/// The service of [`DeadlineLayer`].
pub struct DeadlineService<S, F = Refuse, H = ()> {
    inner: S,
    rule: Rule,
    hook: H,
    face: PhantomData<fn() -> F>,
}

impl<S, B, R, F, H> Service<Request<B>> for DeadlineService<S, F, H>
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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (hook, mut now) = (self.hook.clone(), None);
        if let Some(total) = self.rule.total {
            let started = *now.insert(Instant::now());
            // A total beyond what the clock can show bounds nothing.
            if let Some(deadline) = Deadline::after(started.into_std(), total) {
                CallContext::edit(request.extensions_mut()).shorten_deadline(deadline);
            }
        }
        let written = CallContext::of(request.extensions()).and_then(CallContext::deadline);
        let Some(deadline) = written.filter(|_| self.rule.enforce) else {
            return ResponseFuture::running(self.inner.call(request), Clock::Unbounded, Target::NONE, hook);
        };
        let (now, target) = (now.unwrap_or_else(Instant::now), Target::of(request.uri()));
        if deadline.left(now.into_std()).is_zero() {
            // An idle handle must not keep what the inner reserved when it became ready.
            self.inner = self.inner.clone();
            return ResponseFuture::refused(deadline, target, hook);
        }
        ResponseFuture::running(self.inner.call(request), Clock::Deadline(deadline), target, hook)
    }
}

impl<S: Clone, F, H: Clone> Clone for DeadlineService<S, F, H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), rule: self.rule, hook: self.hook.clone(), face: PhantomData }
    }
}

impl<S: fmt::Debug, F, H> fmt::Debug for DeadlineService<S, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadlineService")
            .field("rule", &self.rule)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
