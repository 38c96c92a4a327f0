//! A streamed body under retry, and no `ReplayLayer` that keeps what was sent.

use std::convert::Infallible;

use bartizan::retry::RetryLayer;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use tower::{ServiceBuilder, ServiceExt, service_fn};

type Stream = BoxBody<Bytes, Infallible>;

async fn upload(stream: Stream) {
    let http_client = service_fn(async |_: Request<Stream>| Ok::<_, Infallible>(Response::new(())));
    let client = ServiceBuilder::new().layer(RetryLayer::new()).service(http_client);
    let _ = client.oneshot(Request::new(stream)).await;
}

fn main() {
    let _ = upload;
}
