//! Remembers that it is ready, and so does its derived clone.

use std::task::{Context, Poll, ready};

use bartizan_test::contract::{Inner, InnerFuture};
use tower::BoxError;
use tower_service::Service;

use super::Req;

#[derive(Clone, Debug)]
pub(crate) struct CopiesReadiness {
    inner: Inner,
    is_ready: bool,
}

impl CopiesReadiness {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, is_ready: false }
    }
}

impl Service<Req> for CopiesReadiness {
    type Response = <Inner as Service<Req>>::Response;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if !self.is_ready {
            ready!(Service::<Req>::poll_ready(&mut self.inner, cx))?;
            self.is_ready = true;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> InnerFuture {
        self.is_ready = false;
        self.inner.call(request)
    }
}
