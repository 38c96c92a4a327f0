//! Says ready while its inner is pending, and calls it all the same.

use std::task::{Context, Poll};

use bartizan_test::contract::{Inner, InnerFuture};
use tower::BoxError;
use tower_service::Service;

use super::Req;

#[derive(Clone, Debug)]
pub(crate) struct ReadyTooEarly(pub(crate) Inner);

impl Service<Req> for ReadyTooEarly {
    type Response = <Inner as Service<Req>>::Response;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match Service::<Req>::poll_ready(&mut self.0, cx) {
            Poll::Pending => Poll::Ready(Ok(())),
            ready => ready,
        }
    }

    fn call(&mut self, request: Req) -> InnerFuture {
        self.0.call(request)
    }
}
