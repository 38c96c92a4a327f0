//! Wakes itself while its inner is pending.

use std::task::{Context, Poll};

use bartizan_test::contract::{Inner, InnerFuture};
use tower::BoxError;
use tower_service::Service;

use super::Req;

#[derive(Clone, Debug)]
pub(crate) struct BusyLoop(pub(crate) Inner);

impl Service<Req> for BusyLoop {
    type Response = <Inner as Service<Req>>::Response;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let polled = Service::<Req>::poll_ready(&mut self.0, cx);
        if polled.is_pending() {
            cx.waker().wake_by_ref();
        }
        polled
    }

    fn call(&mut self, request: Req) -> InnerFuture {
        self.0.call(request)
    }
}
