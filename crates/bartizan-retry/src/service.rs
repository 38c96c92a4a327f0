use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::{BoxError, CallContext, Delivery, Replay, RequestHead, WallClock};
use http::{HeaderName, Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::call::{Call, Provision};
use crate::future::ResponseFuture;
use crate::kept::Kept;
use crate::spending::{Accounts, Spending};
use crate::{Hook, Policy, Resend, Schedule, Standard, Stop};

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
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) wall_clock: WallClock,
    /// By which tiers in other processes are told that retries are spent.
    pub(crate) spent_field: Option<HeaderName>,
}

impl<S, B, R, P, H> Service<Request<B>> for Retry<S, P, H>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    B: Replay,
    R: Body,
    P: Policy,
    H: Hook,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = ResponseFuture<S, B, R, P, H, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let over = CallContext::of(request.extensions()).map(|call| call.retry()).unwrap_or_default();
        let max_attempts = over.attempts.unwrap_or(self.config.schedule.max_attempts.get());
        let spending = if self.config.enabled {
            self.config.accounts.spending(&RequestHead::from(&request))
        } else {
            Spending::unlimited()
        };
        let again = if !self.config.enabled || over.off {
            Err(Stop::Off)
        } else if max_attempts.get() == 1 {
            Err(Stop::Attempts)
        } else {
            self.provide(&mut request)
        };
        let call = Call::new(self.config.clone(), again, max_attempts, spending);
        ResponseFuture::new(self.inner.call(request), call)
    }
}

impl<S: Clone, P: Policy, H> Retry<S, P, H> {
    /// Keeps what more attempts would need, if there may be any: the readied inner makes the first, fresh clones make the others.
    #[inline]
    fn provide<B: Replay>(&self, request: &mut Request<B>) -> Result<Provision<S, B>, Stop> {
        let freely = match self.config.policy.resend(&RequestHead::from(&*request)) {
            Resend::Freely => true,
            Resend::IfUnsent if Delivery::READS_HYPER => false,
            Resend::IfUnsent | Resend::Never => return Err(Stop::Method),
        };
        let kept = Kept::of(request).ok_or(Stop::Body)?;
        Ok(Provision { inner: self.inner.clone(), kept, freely })
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
            .field("budget", &self.accounts)
            .finish_non_exhaustive()
    }
}
