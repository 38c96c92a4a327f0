use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bartizan_core::has_media_type;
use http::{HeaderMap, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

mod alarm;
mod body;
mod watch;

use self::watch::Limits;
use crate::target::Target;
use crate::{Hook, MinThroughput};

pub use body::TimeoutBody;

/// Guards the response's body: how long the next frame may be waited for and, if asked, how much must come at least.
///
/// Only the time in which the caller waits is counted; a caller that reads slowly is not the origin's fault. A body that is
/// cut off ends with a [`BodyStalled`](crate::BodyStalled) or a [`BodyTooSlow`](crate::BodyTooSlow).
///
/// A stream of events (`text/event-stream`) is rightly silent for long and left alone, unless you
/// [include it](Self::including_event_streams).
///
/// ```
/// use std::time::Duration;
/// use bartizan_timeout::{BodyTimeoutLayer, MinThroughput};
///
/// let thirty_seconds = BodyTimeoutLayer::default();
/// let half_a_minute = Duration::from_secs(30);
/// let no_drip = BodyTimeoutLayer::new(half_a_minute).min_throughput(MinThroughput::new(30 * 1024, half_a_minute)?);
/// # let _ = (thirty_seconds, no_drip);
/// # Ok::<(), bartizan_timeout::InvalidThroughput>(())
/// ```
#[derive(Clone)]
pub struct BodyTimeoutLayer<H = ()> {
    rule: Rule,
    hook: H,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    idle: Option<Duration>,
    min_throughput: Option<MinThroughput>,
    including_event_streams: bool,
}

impl Rule {
    /// What the body of this response is held to.
    fn limits(&self, headers: &HeaderMap) -> Option<Limits> {
        let idle = self.idle?;
        if !self.including_event_streams && has_media_type(headers, "text/event-stream") {
            return None;
        }
        Some(Limits { idle, floor: self.min_throughput })
    }
}

impl BodyTimeoutLayer {
    /// At most `idle` for the next frame. Zero lets through only what is ready at once; [`Duration::MAX`] bounds nothing, for a
    /// [throughput](Self::min_throughput) alone.
    ///
    /// [`default`](Self::default) is 30 s: as long as a whole call may take to its head.
    pub const fn new(idle: Duration) -> Self {
        Self::with_idle(Some(idle))
    }

    /// Leaves every body alone, whatever else is set. The same type, for configuration.
    pub const fn disabled() -> Self {
        Self::with_idle(None)
    }

    const fn with_idle(idle: Option<Duration>) -> Self {
        let rule = Rule { idle, min_throughput: None, including_event_streams: false };
        Self { rule, hook: () }
    }
}

impl<H> BodyTimeoutLayer<H> {
    /// Ends a body of which less comes, so that one byte now and then does not keep it alive. By default any pace will do.
    #[must_use]
    pub fn min_throughput(mut self, floor: MinThroughput) -> Self {
        self.rule.min_throughput = Some(floor);
        self
    }

    /// Guards streams of events too, which by default it leaves alone, for an origin that sends comments to show that it is alive.
    #[must_use]
    pub fn including_event_streams(mut self) -> Self {
        self.rule.including_event_streams = true;
        self
    }

    /// What the next frame may take; `None` if it is [`disabled`](BodyTimeoutLayer::disabled).
    pub fn idle(&self) -> Option<Duration> {
        self.rule.idle
    }

    /// Tells `hook` of every body that was cut off. By default nobody is told.
    pub fn hook<G>(self, hook: G) -> BodyTimeoutLayer<G> {
        BodyTimeoutLayer { rule: self.rule, hook }
    }
}

impl Default for BodyTimeoutLayer {
    fn default() -> Self {
        Self::new(Duration::from_secs(30))
    }
}

impl<S, H: Clone> Layer<S> for BodyTimeoutLayer<H> {
    type Service = BodyTimeout<S, H>;

    fn layer(&self, inner: S) -> Self::Service {
        BodyTimeout { inner, rule: self.rule, hook: self.hook.clone() }
    }
}

impl<H> fmt::Debug for BodyTimeoutLayer<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyTimeoutLayer").field("rule", &self.rule).finish_non_exhaustive()
    }
}

/// The service of [`BodyTimeoutLayer`]. It cannot fail by itself, so the inner error type stays.
#[derive(Clone)]
pub struct BodyTimeout<S, H = ()> {
    inner: S,
    rule: Rule,
    hook: H,
}

impl<S, B, R, H> Service<Request<B>> for BodyTimeout<S, H>
where
    S: Service<Request<B>, Response = Response<R>>,
    H: Hook + Clone,
{
    type Response = Response<TimeoutBody<R, H>>;
    type Error = S::Error;
    type Future = BodyTimeoutFuture<S::Future, H>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let guard = Some((self.rule, Target::of(request.uri()), self.hook.clone()));
        BodyTimeoutFuture { inner: self.inner.call(request), guard }
    }
}

impl<S: fmt::Debug, H> fmt::Debug for BodyTimeout<S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyTimeout")
            .field("rule", &self.rule)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`BodyTimeout`].
    pub struct BodyTimeoutFuture<Fut, H> {
        #[pin]
        inner: Fut,
        // Taken by the response's body.
        guard: Option<(Rule, Target, H)>,
    }
}

impl<Fut, H, R, E> Future for BodyTimeoutFuture<Fut, H>
where
    Fut: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<TimeoutBody<R, H>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let (rule, target, hook) = this.guard.take().expect("a future is not polled after its end");
        let limits = rule.limits(response.headers());
        Poll::Ready(Ok(response.map(|body| TimeoutBody::new(body, limits, target, hook))))
    }
}

impl<Fut, H> fmt::Debug for BodyTimeoutFuture<Fut, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = self.guard.as_ref().map(|(_, target, _)| target);
        f.debug_struct("BodyTimeoutFuture").field("target", &target).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
