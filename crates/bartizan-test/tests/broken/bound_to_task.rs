//! Takes it for granted that the task which polls the future is the one that polled readiness.

use std::task::{Context, Poll};

use bartizan_test::contract::Inner;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::task;
use tower::BoxError;
use tower_service::Service;

use super::{Reply, Req};

#[derive(Clone, Debug)]
pub(crate) struct BoundToTask(pub(crate) Inner);

impl Service<Req> for BoundToTask {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Req>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, request: Req) -> Reply {
        let (called, caller) = (self.0.call(request), task::try_id());
        Box::pin(async move {
            assert_eq!(task::try_id(), caller, "polled in another task");
            called.await
        })
    }
}
