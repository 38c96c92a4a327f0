//! Calls a clone that nobody has polled.

use std::task::{Context, Poll};

use bartizan_test::contract::{Inner, InnerFuture};
use tower::BoxError;
use tower_service::Service;

use super::Req;

#[derive(Clone, Debug)]
pub(crate) struct CallsUnpolled(pub(crate) Inner);

impl Service<Req> for CallsUnpolled {
    type Response = <Inner as Service<Req>>::Response;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> InnerFuture {
        self.0.clone().call(request)
    }
}

/// The mistake that tower's docs warn of: the original was polled, and keeps what it got, while its clone is called.
#[derive(Clone, Debug)]
pub(crate) struct PollsOriginalCallsClone(pub(crate) Inner);

impl Service<Req> for PollsOriginalCallsClone {
    type Response = <Inner as Service<Req>>::Response;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Req>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, request: Req) -> InnerFuture {
        self.0.clone().call(request)
    }
}
