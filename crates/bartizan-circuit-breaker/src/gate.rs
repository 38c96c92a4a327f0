use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::{Face, Readied, Refuse, RequestHead};
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::circuits::Circuits;
use crate::future::GateFuture;
use crate::{OnTransition, trace};

/// Refuses while the circuit of a [`CircuitBreakerLayer`](crate::CircuitBreakerLayer) further in is open and not due. Made by
/// [`CircuitBreakerLayer::gate`](crate::CircuitBreakerLayer::gate).
pub struct GateLayer<F = Refuse, H = ()> {
    pub(crate) circuits: Arc<Circuits<H>>,
    pub(crate) face: PhantomData<fn() -> F>,
}

impl<F, H> Clone for GateLayer<F, H> {
    fn clone(&self) -> Self {
        Self { circuits: self.circuits.clone(), face: PhantomData }
    }
}

impl<S, F, H> Layer<S> for GateLayer<F, H> {
    type Service = Gate<S, F, H>;

    fn layer(&self, inner: S) -> Gate<S, F, H> {
        Gate { inner: Readied::new(inner), circuits: self.circuits.clone(), face: PhantomData }
    }
}

impl<F, H> fmt::Debug for GateLayer<F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GateLayer")
    }
}

/// The service of [`GateLayer`].
pub struct Gate<S, F = Refuse, H = ()> {
    inner: Readied<S>,
    circuits: Arc<Circuits<H>>,
    face: PhantomData<fn() -> F>,
}

impl<S, B, R, F, H> Service<Request<B>> for Gate<S, F, H>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    F: Face<S::Error>,
    H: OnTransition + Clone,
{
    type Response = Response<F::Body<R>>;
    type Error = F::Error;
    type Future = GateFuture<S, B, S::Future, F>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), F::Error>> {
        self.inner.poll(cx).map_err(F::error)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.circuits.look(&RequestHead::from(&request)) {
            Ok(()) => GateFuture::calling(self.inner.call(request)),
            Err(open) => {
                trace::refused(&open);
                self.inner.refuse();
                GateFuture::refused(open)
            }
        }
    }
}

impl<S: Clone, F, H> Clone for Gate<S, F, H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), circuits: self.circuits.clone(), face: PhantomData }
    }
}

impl<S: fmt::Debug, F, H> fmt::Debug for Gate<S, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("inner", self.inner.inner()).finish_non_exhaustive()
    }
}
