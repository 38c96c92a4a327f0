//! Takes a token in each `poll_ready`.

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

use super::{Reply, Req, call_when_ready};

#[derive(Clone, Debug)]
pub(crate) struct TakesTwice {
    inner: Inner,
    polls: Arc<AtomicUsize>,
}

impl TakesTwice {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, polls: Arc::default() }
    }
}

impl Service<Req> for TakesTwice {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Reply {
        let inner = self.inner.clone();
        let has_token = self.polls.load(Ordering::Relaxed) <= 150;
        Box::pin(async move {
            if !has_token {
                return Err("no token left".into());
            }
            call_when_ready(inner, request).await
        })
    }
}

/// Is ready at one poll and pending at the next, when there is no call between.
#[derive(Debug)]
pub(crate) struct ReadyByTurns {
    inner: Inner,
    was_ready: bool,
}

impl ReadyByTurns {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, was_ready: false }
    }
}

impl Clone for ReadyByTurns {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone())
    }
}

impl Service<Req> for ReadyByTurns {
    type Response = <Inner as Service<Req>>::Response;
    type Error = BoxError;
    type Future = <Inner as Service<Req>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if std::mem::take(&mut self.was_ready) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = Service::<Req>::poll_ready(&mut self.inner, cx);
        self.was_ready = polled.is_ready();
        polled
    }

    fn call(&mut self, request: Req) -> Self::Future {
        self.was_ready = false;
        self.inner.call(request)
    }
}
