//! Polls its inner with a waker that wakes nobody.

use std::task::{Context, Poll, Waker};

use bartizan_test::contract::{Inner, InnerFuture};
use tower::BoxError;
use tower_service::Service;

use super::Req;

#[derive(Clone, Debug)]
pub(crate) struct LosesWaker(pub(crate) Inner);

impl Service<Req> for LosesWaker {
    type Response = <Inner as Service<Req>>::Response;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Req>::poll_ready(&mut self.0, &mut Context::from_waker(Waker::noop()))
    }

    fn call(&mut self, request: Req) -> InnerFuture {
        self.0.call(request)
    }
}

/// Clones the waker of its first poll only, and wakes that one for good.
#[derive(Debug)]
pub(crate) struct KeepsFirstWaker {
    inner: Inner,
    first: Option<Waker>,
}

impl KeepsFirstWaker {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, first: None }
    }
}

impl Clone for KeepsFirstWaker {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone())
    }
}

impl Service<Req> for KeepsFirstWaker {
    type Response = <Inner as Service<Req>>::Response;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let first = self.first.get_or_insert_with(|| cx.waker().clone());
        Service::<Req>::poll_ready(&mut self.inner, &mut Context::from_waker(first))
    }

    fn call(&mut self, request: Req) -> InnerFuture {
        self.first = None;
        self.inner.call(request)
    }
}

/// Keeps the waker, and has its inner wake another one.
#[derive(Clone, Debug)]
pub(crate) struct NeverUsesWaker {
    inner: Inner,
    kept: Option<Waker>,
}

impl NeverUsesWaker {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, kept: None }
    }
}

impl Service<Req> for NeverUsesWaker {
    type Response = <Inner as Service<Req>>::Response;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.kept = Some(cx.waker().clone());
        Service::<Req>::poll_ready(&mut self.inner, &mut Context::from_waker(Waker::noop()))
    }

    fn call(&mut self, request: Req) -> InnerFuture {
        self.inner.call(request)
    }
}
