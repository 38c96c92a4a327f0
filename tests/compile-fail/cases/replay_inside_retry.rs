//! The layers in the wrong order: what keeps a stream stands inside of what sends it again.

use std::convert::Infallible;

use bartizan::core::{BoxError, ReplayBody};
use bartizan::retry::{ReplayLayer, RetryLayer};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use tower::ServiceBuilder;
use tower::util::BoxCloneSyncService;

type Stream = BoxBody<Bytes, Infallible>;
type HttpClient = BoxCloneSyncService<Request<ReplayBody<Stream>>, Response<String>, BoxError>;

fn main() {
    let _ = ServiceBuilder::new()
        .layer(RetryLayer::new())
        .layer(ReplayLayer::default())
        .check_service::<HttpClient, Request<Stream>, Response<String>, BoxError>();
}
