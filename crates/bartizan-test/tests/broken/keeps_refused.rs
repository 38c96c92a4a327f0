//! A gate that refuses every call after the twentieth, and keeps the instance it had polled for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bartizan_test::contract::Inner;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tower::BoxError;
use tower_service::Service;

use super::{Reply, Req};

#[derive(Clone, Debug)]
pub(crate) struct KeepsRefused {
    inner: Inner,
    calls: Arc<AtomicUsize>,
}

impl KeepsRefused {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, calls: Arc::default() }
    }
}

impl Service<Req> for KeepsRefused {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Req>::poll_ready(&mut self.inner, cx)
    }

    fn call(&mut self, request: Req) -> Reply {
        if self.calls.load(Ordering::Relaxed) >= 20 {
            return Box::pin(async { Err("too many calls".into()) });
        }
        let (called, calls) = (self.inner.call(request), Arc::clone(&self.calls));
        Box::pin(async move {
            let answer = called.await;
            calls.fetch_add(1, Ordering::Relaxed);
            answer
        })
    }
}
