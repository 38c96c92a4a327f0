//! Puts the instance that its future was polling into a pool when that future is dropped, permit and all.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
};

use bartizan_test::contract::{Inner, InnerFuture};
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tower::BoxError;
use tower_service::Service;

use super::{Answer, Req};

#[derive(Clone, Debug)]
pub(crate) struct KeepsOnDrop {
    inner: Inner,
    pool: Arc<Mutex<Vec<Inner>>>,
}

impl KeepsOnDrop {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, pool: Arc::default() }
    }
}

impl Service<Req> for KeepsOnDrop {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Pooled;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Pooled {
        Pooled {
            inner: Some(self.inner.clone()),
            request: Some(request),
            called: None,
            pool: Arc::clone(&self.pool),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Pooled {
    inner: Option<Inner>,
    request: Option<Req>,
    called: Option<Pin<Box<InnerFuture>>>,
    pool: Arc<Mutex<Vec<Inner>>>,
}

impl Future for Pooled {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        if let Some(inner) = &mut self.inner {
            ready!(Service::<Req>::poll_ready(inner, cx))?;
        }
        if let (Some(mut inner), Some(request)) = (self.inner.take(), self.request.take()) {
            self.called = Some(Box::pin(inner.call(request)));
        }
        self.called.as_mut().expect("called once ready").as_mut().poll(cx)
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        self.pool.lock().expect("not poisoned").extend(self.inner.take());
    }
}

/// Puts the instance of a service into the pool when that is dropped, ready or not.
#[derive(Debug)]
pub(crate) struct HandleKeepsOnDrop {
    inner: Inner,
    pool: Arc<Mutex<Vec<Inner>>>,
}

impl HandleKeepsOnDrop {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, pool: Arc::default() }
    }
}

impl Clone for HandleKeepsOnDrop {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), pool: Arc::clone(&self.pool) }
    }
}

impl Drop for HandleKeepsOnDrop {
    fn drop(&mut self) {
        let fresh = self.inner.clone();
        self.pool.lock().expect("not poisoned").push(std::mem::replace(&mut self.inner, fresh));
    }
}

impl Service<Req> for HandleKeepsOnDrop {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Req>::poll_ready(&mut self.inner, cx)
    }

    fn call(&mut self, request: Req) -> InnerFuture {
        self.inner.call(request)
    }
}
