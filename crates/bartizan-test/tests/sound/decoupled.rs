//! Always ready; the future polls a clone.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use bartizan_test::contract::Inner;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tower::BoxError;
use tower_service::Service;

use super::{Reply, Req};

#[derive(Clone, Debug)]
pub(crate) struct Decoupled(Inner);

impl Decoupled {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(inner)
    }
}

impl Service<Req> for Decoupled {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Reply {
        let mut inner = self.0.clone();
        Box::pin(async move {
            poll_fn(|cx| Service::<Req>::poll_ready(&mut inner, cx)).await?;
            inner.call(request).await
        })
    }
}
