use std::fmt;
use std::marker::PhantomData;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::{CallContext, Deadline, Face, Refuse, Respond};
use http::{HeaderMap, HeaderName, Request, Response};
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

mod body;

use crate::future::{Bounded, Clock, DeadlineFuture};
use crate::target::Target;
use crate::{Hook, millis};

pub use body::{BodyDeadline, DeadlineBody};

/// Bounds a whole call: all its attempts, and the waits between them, to the response's head, and
/// [through its body](Self::through_body) if that is asked for.
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

#[derive(Clone, Debug)]
struct Rule {
    total: Option<Duration>,
    enforce: bool,
    through_body: bool,
    shortened_by: Option<HeaderName>,
}

impl Rule {
    fn is_disabled(&self) -> bool {
        self.total.is_none() && !self.enforce
    }

    /// What this layer gives to the call: its own time, or less if the request says so.
    fn given(&self, headers: &HeaderMap) -> Option<Duration> {
        let said = self.shortened_by.as_ref().and_then(|name| millis::read(headers, name));
        match (self.total, said) {
            (Some(total), Some(said)) => Some(total.min(said)),
            (total, said) => total.or(said),
        }
    }
}

impl DeadlineLayer {
    /// At most `total` for the whole call, written and enforced.
    ///
    /// [`default`](Self::default) is 30 s: what most callers, proxies and load balancers in front wait for themselves.
    pub const fn new(total: Duration) -> Self {
        Self::with_rule(Some(total), true)
    }

    /// Ends a call at the deadline that is written in it, and lets a call without one run on.
    pub const fn enforce_only() -> Self {
        Self::with_rule(None, true)
    }

    /// Does nothing. The same type, for configuration.
    pub const fn disabled() -> Self {
        Self::with_rule(None, false)
    }

    const fn with_rule(total: Option<Duration>, enforce: bool) -> Self {
        let rule = Rule { total, enforce, through_body: false, shortened_by: None };
        Self { rule, hook: (), face: PhantomData }
    }
}

impl<F, H> DeadlineLayer<F, H> {
    /// Writes the deadline, and leaves it to inner layers to keep it. By default it keeps it itself.
    #[must_use]
    pub fn stamp_only(mut self) -> Self {
        self.rule.enforce = false;
        self
    }

    /// Bounds the response's body by the same deadline: reading it ends with
    /// [`DeadlineExceeded`](crate::DeadlineExceeded). By default the deadline ends at the head, since a stream may rightly take
    /// longer than any call; for one call it is switched on by [`ThroughBody`](bartizan_core::ThroughBody) in the call's
    /// context. With [`stamp_only`](Self::stamp_only) that is written for the layer that enforces.
    #[must_use]
    pub fn through_body(mut self) -> Self {
        self.rule.through_body = true;
        self
    }

    /// Takes what this header field of the request says for the deadline, in whole milliseconds, where it is sooner: for
    /// a server whose callers [pass their time on](crate::AttemptTimeoutLayer::pass_on). 0 says that no time is left.
    ///
    /// It never makes a deadline later. Anything but one field of digits is ignored. By default no field is read: a stranger
    /// may have sent it.
    #[must_use]
    pub fn shortened_by(mut self, field: HeaderName) -> Self {
        self.rule.shortened_by = Some(field);
        self
    }

    /// What a whole call may take, as far as this layer gives it.
    pub fn total(&self) -> Option<Duration> {
        self.rule.total
    }

    /// Answers 504 with problem details in place of an error, the default, and keeps the inner error type. For the server side. Once
    /// the head is out there is no such answer any more: a body that is cut off ends with an error all the same.
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
        DeadlineService { inner, rule: self.rule.clone(), hook: self.hook.clone(), face: PhantomData }
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
    type Response = Response<F::Body<DeadlineBody<R, H>>>;
    type Error = F::Error;
    type Future = DeadlineFuture<S::Future, F, H>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), F::Error>> {
        self.inner.poll_ready(cx).map_err(F::error)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (hook, rule) = (self.hook.clone(), &self.rule);
        if rule.is_disabled() {
            return DeadlineFuture::new(
                Bounded::unbounded(self.inner.call(request)),
                BodyDeadline::none(hook),
            );
        }
        let mut now = None;
        if let Some(given) = rule.given(request.headers()) {
            let started = *now.insert(Instant::now());
            // What is beyond what the clock can show bounds nothing.
            if let Some(deadline) = Deadline::after(started.into_std(), given) {
                let context = CallContext::edit(request.extensions_mut());
                context.shorten_deadline(deadline);
                if rule.through_body && !rule.enforce {
                    context.through_body_mut().turn_on();
                }
            }
        }
        let context = CallContext::of(request.extensions());
        let written = context.and_then(CallContext::deadline);
        let Some(deadline) = written.filter(|_| rule.enforce) else {
            return DeadlineFuture::new(
                Bounded::unbounded(self.inner.call(request)),
                BodyDeadline::none(hook),
            );
        };
        let (now, target) = (now.unwrap_or_else(Instant::now), Target::of(request.uri()));
        let body = match context.and_then(CallContext::through_body) {
            _ if rule.through_body => BodyDeadline::always(deadline, target, hook),
            Some(switch) => BodyDeadline::switched(deadline, target, switch.clone(), hook),
            None => BodyDeadline::none(hook),
        };
        if deadline.left(now.into_std()).is_zero() {
            // An idle handle must not keep what the inner reserved when it became ready.
            self.inner = self.inner.clone();
            return DeadlineFuture::new(Bounded::refused(deadline, target), body);
        }
        let bounded = Bounded::running(self.inner.call(request), Clock::Deadline(deadline), target);
        DeadlineFuture::new(bounded, body)
    }
}

impl<S: Clone, F, H: Clone> Clone for DeadlineService<S, F, H> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            rule: self.rule.clone(),
            hook: self.hook.clone(),
            face: PhantomData,
        }
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
