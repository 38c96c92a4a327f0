//! The same, found by `check_service` right where the layer is put in.

use std::convert::Infallible;

use bartizan::core::BoxError;
use bartizan::retry::RetryLayer;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use tower::ServiceBuilder;
use tower::util::BoxCloneSyncService;

type Stream = BoxBody<Bytes, Infallible>;
type HttpClient = BoxCloneSyncService<Request<Stream>, Response<String>, BoxError>;

fn main() {
    let _ = ServiceBuilder::new()
        .layer(RetryLayer::new())
        .check_service::<HttpClient, Request<Stream>, Response<String>, BoxError>();
}
