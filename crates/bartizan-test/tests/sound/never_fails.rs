//! Turns every error into a 502, so that it has none itself.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bartizan_test::contract::Inner;
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use tower_service::Service;

use super::{Answer, Req};

#[derive(Clone, Debug)]
pub(crate) struct NeverFails {
    inner: Inner,
    has_failed: bool,
}

impl NeverFails {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, has_failed: false }
    }
}

impl Service<Req> for NeverFails {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Req>::poll_ready(&mut self.inner, cx).map(|ready| {
            self.has_failed = ready.is_err();
            Ok(())
        })
    }

    fn call(&mut self, request: Req) -> Self::Future {
        if self.has_failed {
            return Box::pin(async { Ok(bad_gateway()) });
        }
        let called = self.inner.call(request);
        Box::pin(async move {
            let answer: Answer = called.await;
            Ok(answer.unwrap_or_else(|_| bad_gateway()))
        })
    }
}

fn bad_gateway() -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
