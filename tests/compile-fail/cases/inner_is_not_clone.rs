//! Retry makes later attempts with clones of the inner service, and this one has no clones.

use bartizan::core::BoxError;
use bartizan::retry::RetryLayer;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::ServiceBuilder;
use tower::util::BoxService;

type HttpClient = BoxService<Request<Full<Bytes>>, Response<Full<Bytes>>, BoxError>;

fn main() {
    let _ = ServiceBuilder::new()
        .layer(RetryLayer::new())
        .check_service::<HttpClient, Request<Full<Bytes>>, Response<Full<Bytes>>, BoxError>();
}
