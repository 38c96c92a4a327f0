use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::{CallContext, Entry, Face, Readied, RequestHead};
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::bulkheads::Bulkheads;
use super::error::Why;
use super::future::{ResponseFuture, Waiting};
use super::{Bulkhead, BulkheadFull, Permit, PermittedBody};
use crate::{Event, Hook, Within, trace};

/// The service of [`BulkheadLayer`](super::BulkheadLayer).
pub struct BulkheadService<S, F, H = ()> {
    pub(crate) inner: Readied<S>,
    pub(crate) config: Arc<Config<H>>,
    pub(crate) face: PhantomData<fn() -> F>,
}

/// What all clones of a service, and all its calls, share.
#[derive(Clone)]
pub(crate) struct Config<H> {
    /// `None` where nobody is asked.
    pub(crate) bulkheads: Option<Arc<Bulkheads>>,
    pub(crate) max_wait: Duration,
    pub(crate) hook: H,
}

/// What became of a request at the start.
enum Start {
    Go(Option<Permit>),
    Refused(BulkheadFull),
    Wait(Arc<Entry<Bulkhead>>, Within),
}

impl<H: Hook> Config<H> {
    pub(crate) fn tell(&self, event: &Event<'_>) {
        trace::event(event);
        self.hook.event(event);
    }

    fn start(&self, request: &RequestHead<'_>) -> Start {
        let Some(bulkheads) = &self.bulkheads else { return Start::Go(None) };
        let bulkhead = bulkheads.get(request);
        if let Some(permit) = bulkhead.value().take() {
            return Start::Go(Some(permit));
        }
        if bulkhead.value().queue() == 0 {
            return Start::Refused(bulkhead.value().full(Why::Full));
        }
        let deadline = request.context().and_then(CallContext::deadline);
        Start::Wait(bulkhead, Within::new(self.max_wait, deadline.map(|deadline| deadline.at)))
    }
}

impl<S, B, R, F, H> Service<Request<B>> for BulkheadService<S, F, H>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body,
    F: Face<S::Error>,
    H: Hook,
{
    type Response = Response<F::Body<PermittedBody<R>>>;
    type Error = F::Error;
    type Future = ResponseFuture<S, B, S::Future, F, H>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), F::Error>> {
        self.inner.poll(cx).map_err(F::error)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.config.start(&RequestHead::from(&request)) {
            Start::Go(permit) => {
                ResponseFuture::calling(self.inner.call(request), permit, self.config.clone())
            }
            Start::Refused(full) => {
                self.inner.refuse();
                ResponseFuture::refused(full, self.config.clone())
            }
            Start::Wait(bulkhead, within) => {
                let waiting = Waiting::new(self.inner.fresh(), request, bulkhead, within);
                ResponseFuture::waiting(waiting, self.config.clone())
            }
        }
    }
}

impl<S: Clone, F, H> Clone for BulkheadService<S, F, H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), config: self.config.clone(), face: PhantomData }
    }
}

impl<S: fmt::Debug, F, H> fmt::Debug for BulkheadService<S, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkheadService").field("inner", self.inner.inner()).finish_non_exhaustive()
    }
}
