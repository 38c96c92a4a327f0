use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::{CallContext, Entry, Face, PerKey, Readied, RequestHead, WallClock};
use http::{Request, Response};
use tower_service::Service;

use crate::backend::{Acquiring, Backend};
use crate::cost::Costs;
use crate::future::{ResponseFuture, Stage, Ticket, Waiting};
use crate::gate::{GateLine, Passed};
use crate::layer::open_gate;
use crate::wait::{Lined, Wait};
use crate::{Event, Hook, InMemory, RateLimited, Within, trace};

/// The service of [`RateLimitLayer`](crate::RateLimitLayer).
pub struct RateLimit<S, F, H = (), B = InMemory> {
    pub(crate) inner: Readied<S>,
    pub(crate) config: Arc<Config<H, B>>,
    pub(crate) face: PhantomData<fn() -> F>,
}

/// What all clones of a service, and all its calls, share.
#[derive(Clone)]
pub(crate) struct Config<H, B> {
    pub(crate) backend: B,
    /// `None` where answers are not heeded.
    pub(crate) gates: Option<Arc<PerKey<GateLine>>>,
    pub(crate) pauses_on_503: bool,
    pub(crate) costs: Costs,
    pub(crate) max_wait: Duration,
    pub(crate) hook: H,
    pub(crate) wall_clock: WallClock,
    /// Whether answers say how it stands, and those of layers below cost their token.
    pub(crate) is_server: bool,
}

impl<H: Hook, B> Config<H, B> {
    pub(crate) fn tell(&self, event: &Event<'_>) {
        trace::event(event);
        self.hook.event(event);
    }

    pub(crate) fn within(&self, request: &RequestHead<'_>) -> Within {
        let deadline = request.context().and_then(CallContext::deadline);
        Within::new(self.max_wait, deadline.map(|deadline| deadline.at))
    }

    /// The gate of this request; `Err` if it has to be waited for.
    fn pass(&self, request: &RequestHead<'_>) -> Result<Option<Passed>, Arc<Entry<GateLine>>> {
        let Some(gates) = &self.gates else { return Ok(None) };
        let gate = gates.get(request, |_| open_gate());
        if gate.line().take(NonZeroU32::MIN) { Ok(Some(Passed::new(gate))) } else { Err(gate) }
    }
}

/// What became of a request at the start.
enum Start<B: Backend> {
    Go(Ticket<B::Grant>),
    Refused(RateLimited),
    Wait(Stage<B>, Within),
}

impl<H: Hook, B: Backend> Config<H, B> {
    fn start(&self, request: &RequestHead<'_>) -> (Option<NonZeroU32>, Start<B>) {
        let cost = self.costs.of(request);
        let passed = match self.pass(request) {
            Ok(passed) => passed,
            Err(gate) => return (cost, Start::Wait(Stage::gate(Wait::New(gate)), self.within(request))),
        };
        let Some(tokens) = cost else { return (cost, Start::Go(Ticket::new(None, passed))) };
        let start = match self.backend.acquire(request, tokens, self.within(request)) {
            Acquiring::Now(grant) => Start::Go(Ticket::new(Some(grant), passed)),
            Acquiring::Refused(limited) => {
                passed.map(Passed::give_back);
                Start::Refused(limited)
            }
            Acquiring::Later(acquire) => Start::Wait(Stage::tokens(acquire, passed), self.within(request)),
        };
        (cost, start)
    }
}

impl<S, B, R, F, H, K> Service<Request<B>> for RateLimit<S, F, H, K>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    F: Face<S::Error>,
    H: Hook,
    K: Backend,
{
    type Response = Response<F::Body<R>>;
    type Error = F::Error;
    type Future = ResponseFuture<S, B, S::Future, F, H, K>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), F::Error>> {
        self.inner.poll(cx).map_err(F::error)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (cost, start) = self.config.start(&RequestHead::from(&request));
        match start {
            Start::Go(ticket) => {
                ResponseFuture::calling(self.inner.call(request), ticket, self.config.clone())
            }
            Start::Refused(limited) => {
                self.inner.refuse();
                ResponseFuture::refused(limited, self.config.clone())
            }
            Start::Wait(stage, within) => {
                let waiting = Waiting::new(self.inner.fresh(), request, cost, within, stage);
                ResponseFuture::waiting(waiting, self.config.clone())
            }
        }
    }
}

impl<S: Clone, F, H, B> Clone for RateLimit<S, F, H, B> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), config: self.config.clone(), face: PhantomData }
    }
}

impl<S: fmt::Debug, F, H, B: fmt::Debug> fmt::Debug for RateLimit<S, F, H, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("backend", &self.config.backend)
            .field("inner", self.inner.inner())
            .finish_non_exhaustive()
    }
}
