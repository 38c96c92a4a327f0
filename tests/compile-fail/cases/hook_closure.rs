//! A closure in the place of a hook.

use bartizan::core::BoxError;
use bartizan::retry::{Retrying, RetryLayer};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::ServiceBuilder;
use tower::util::BoxCloneSyncService;

type HttpClient = BoxCloneSyncService<Request<Full<Bytes>>, Response<Full<Bytes>>, BoxError>;

fn main() {
    let _ = ServiceBuilder::new()
        .layer(RetryLayer::new().hook(|event: &Retrying<'_>| println!("{:?}", event.wait)))
        .check_service::<HttpClient, Request<Full<Bytes>>, Response<Full<Bytes>>, BoxError>();
}
