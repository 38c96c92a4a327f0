//! Takes an error of its inner's `poll_ready` for readiness.

use std::task::{Context, Poll};

use bartizan_test::contract::{Inner, InnerFuture};
use tower::BoxError;
use tower_service::Service;

use super::Req;

#[derive(Clone, Debug)]
pub(crate) struct CallsFailed(pub(crate) Inner);

impl Service<Req> for CallsFailed {
    type Response = <Inner as Service<Req>>::Response;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Req>::poll_ready(&mut self.0, cx).map(|_| Ok(()))
    }

    fn call(&mut self, request: Req) -> InnerFuture {
        self.0.call(request)
    }
}
