//! A retry that takes its kept clone for ready, since the first one was.

use std::task::{Context, Poll};

use bartizan_test::contract::Inner;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tower::BoxError;
use tower_service::Service;

use super::{Reply, Req};

#[derive(Clone, Debug)]
pub(crate) struct RetriesUnpolled(pub(crate) Inner);

impl Service<Req> for RetriesUnpolled {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Req>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, request: Req) -> Reply {
        let first = self.0.call(request.clone());
        let mut inner = self.0.clone();
        Box::pin(async move {
            match first.await {
                Ok(response) => Ok(response),
                Err(_) => inner.call(request).await,
            }
        })
    }
}
