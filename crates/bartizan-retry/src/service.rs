use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::{BoxError, CallContext, Replay, WallClock};
use http::{Request, Response};
use tower_service::Service;

use crate::call::Call;
use crate::future::ResponseFuture;
use crate::kept::Kept;
use crate::{Hook, Policy, RequestHead, Schedule, Standard, Stop};

/// The service of [`RetryLayer`](crate::RetryLayer).
pub struct Retry<S, P = Standard, H = ()> {
    pub(crate) inner: S,
    pub(crate) config: Arc<Config<P, H>>,
}

/// What all clones of a service, and all its calls, share.
#[derive(Clone)]
pub(crate) struct Config<P, H> {
    pub(crate) enabled: bool,
    pub(crate) policy: P,
    pub(crate) hook: H,
    pub(crate) schedule: Schedule,
    pub(crate) wall_clock: WallClock,
}

impl<S, B, R, P, H> Service<Request<B>> for Retry<S, P, H>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    B: Replay,
    P: Policy,
    H: Hook,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = ResponseFuture<S, B, P, H, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let over = CallContext::of(request.extensions()).map(|call| call.retry()).unwrap_or_default();
        let max_attempts = over.attempts.unwrap_or(self.config.schedule.max_attempts.get());
        let kept = if !self.config.enabled || over.off {
            Err(Stop::Off)
        } else if max_attempts.get() == 1 {
            Err(Stop::Attempts)
        } else if !self.config.policy.may_repeat(&RequestHead::from(&request)) {
            Err(Stop::Method)
        } else {
            // Cloned only if it may be needed: the readied inner makes the first attempt, fresh clones make the others.
            Kept::of(&mut request).map(|kept| (self.inner.clone(), kept)).ok_or(Stop::Body)
        };
        ResponseFuture::new(self.inner.call(request), Call::new(self.config.clone(), kept, max_attempts))
    }
}

impl<S: Clone, P, H> Clone for Retry<S, P, H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), config: self.config.clone() }
    }
}

impl<S: fmt::Debug, P, H> fmt::Debug for Retry<S, P, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry").field("config", &self.config).field("inner", &self.inner).finish()
    }
}

impl<P, H> fmt::Debug for Config<P, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("enabled", &self.enabled)
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}
