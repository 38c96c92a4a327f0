//! One call at a time, the others wait in a line that has room for one.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use bartizan_test::contract::Inner;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tower::BoxError;
use tower_service::Service;

use super::{Reply, Req, call_when_ready};

#[derive(Clone, Debug)]
pub(crate) struct WakesOne {
    inner: Inner,
    turn: Turn,
}

#[derive(Clone, Debug, Default)]
struct Turn(Arc<Mutex<Line>>);

#[derive(Debug, Default)]
struct Line {
    is_busy: bool,
    waiter: Option<Waker>,
}

struct MyTurn(Turn);

impl Turn {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<MyTurn> {
        let mut line = self.lock();
        if line.is_busy {
            line.waiter = Some(cx.waker().clone());
            return Poll::Pending;
        }
        line.is_busy = true;
        Poll::Ready(MyTurn(self.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.0.lock().expect("not poisoned")
    }
}

impl Drop for MyTurn {
    fn drop(&mut self) {
        let mut line = self.0.lock();
        line.is_busy = false;
        if let Some(waiter) = line.waiter.take() {
            waiter.wake();
        }
    }
}

impl WakesOne {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, turn: Turn::default() }
    }
}

impl Service<Req> for WakesOne {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Reply {
        let Self { inner, turn } = self.clone();
        Box::pin(async move {
            let _my_turn = std::future::poll_fn(|cx| turn.poll(cx)).await;
            call_when_ready(inner, request).await
        })
    }
}
