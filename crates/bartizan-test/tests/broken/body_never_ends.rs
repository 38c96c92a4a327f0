//! Answers with a body that is pending for ever and wakes nobody.

use std::task::{Context, Poll};

use bartizan_test::{bodies::Body, contract::Inner};
use http::Response;
use tower::BoxError;
use tower_service::Service;

use super::{Pin, Req};

#[derive(Clone, Debug)]
pub(crate) struct BodyNeverEnds(pub(crate) Inner);

impl Service<Req> for BodyNeverEnds {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Req>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let called = self.0.call(request);
        Box::pin(async move { Ok(called.await?.map(|_| Body::never())) })
    }
}
