//! A layer in a router, which takes only services that cannot fail, without `.respond()`.

use std::convert::Infallible;

use bartizan::timeout::DeadlineLayer;
use http::{Request, Response};
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service};

type Route = BoxCloneSyncService<Request<()>, Response<()>, Infallible>;

/// The bounds of `axum::Router::layer`.
fn router_layer<L>(_: L)
where
    L: Layer<Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request<()>> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request<()>>>::Error: Into<Infallible> + 'static,
    <L::Service as Service<Request<()>>>::Future: Send + 'static,
{
}

fn main() {
    router_layer(DeadlineLayer::default().respond());
    router_layer(DeadlineLayer::default());
}
