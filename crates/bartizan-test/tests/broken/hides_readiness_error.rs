//! Turns an error of its inner's `poll_ready` into text.

use std::task::{Context, Poll};

use bartizan_test::contract::{Inner, InnerFuture};
use tower::BoxError;
use tower_service::Service;

use super::Req;

#[derive(Clone, Debug)]
pub(crate) struct HidesReadinessError(pub(crate) Inner);

impl Service<Req> for HidesReadinessError {
    type Response = <Inner as Service<Req>>::Response;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Req>::poll_ready(&mut self.0, cx).map_err(|error| error.to_string().into())
    }

    fn call(&mut self, request: Req) -> InnerFuture {
        self.0.call(request)
    }
}
