use std::sync::Arc;

use bartizan_client::{BoxedBody, BoxedService};
use bartizan_core::BoxError;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service};

/// What a layer of the caller's makes of a service.
type Ring = Arc<dyn Fn(BoxedService) -> BoxedService + Send + Sync>;

/// Layers of the caller's around one place of the stack, the first outermost.
#[derive(Clone, Default)]
pub(super) struct Rings {
    rings: Vec<Ring>,
}

impl Rings {
    pub(super) fn add<L, S>(&mut self, layer: L)
    where
        L: Layer<BoxedService, Service = S> + Send + Sync + 'static,
        S: Service<Request<Full<Bytes>>, Response = Response<BoxedBody>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        self.rings.push(Arc::new(move |inner| BoxedService::new(layer.layer(inner))));
    }

    /// `None` if there is nothing to put around, so that nothing is boxed for it.
    pub(super) fn layer(self) -> Option<Self> {
        (!self.rings.is_empty()).then_some(self)
    }
}

impl<S> Layer<S> for Rings
where
    S: Service<Request<Full<Bytes>>, Response = Response<BoxedBody>, Error = BoxError>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    type Service = BoxedService;

    fn layer(&self, inner: S) -> BoxedService {
        self.rings.iter().rev().fold(BoxedService::new(inner), |inner, ring| ring(inner))
    }
}

#[cfg(test)]
mod tests {
    use tower::layer::util::Identity;

    use super::*;

    #[test]
    fn without_layers_nothing_is_boxed() {
        let mut rings = Rings::default();
        assert!(rings.clone().layer().is_none());
        rings.add(Identity::new());
        assert!(rings.layer().is_some());
    }
}
