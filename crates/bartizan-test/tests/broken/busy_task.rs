//! Spawns a task that wakes it over and over while its inner is pending.

use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use bartizan_test::contract::{Inner, InnerFuture};
use tokio::task::{AbortHandle, yield_now};
use tower::BoxError;
use tower_service::Service;

use super::Req;

#[derive(Debug)]
pub(crate) struct BusyTask {
    inner: Inner,
    task: Option<Task>,
}

#[derive(Debug)]
struct Task {
    waker: Arc<Mutex<Waker>>,
    handle: AbortHandle,
}

impl Task {
    fn spawn(waker: &Waker) -> Self {
        let waker = Arc::new(Mutex::new(waker.clone()));
        let shared = Arc::clone(&waker);
        let task = tokio::spawn(async move {
            loop {
                yield_now().await;
                shared.lock().expect("not poisoned").wake_by_ref();
            }
        });
        Self { waker, handle: task.abort_handle() }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

impl BusyTask {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, task: None }
    }
}

impl Clone for BusyTask {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone())
    }
}

impl Service<Req> for BusyTask {
    type Response = <Inner as Service<Req>>::Response;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let polled = Service::<Req>::poll_ready(&mut self.inner, cx);
        if polled.is_pending() {
            let task = self.task.get_or_insert_with(|| Task::spawn(cx.waker()));
            task.waker.lock().expect("not poisoned").clone_from(cx.waker());
        } else {
            self.task = None;
        }
        polled
    }

    fn call(&mut self, request: Req) -> InnerFuture {
        self.inner.call(request)
    }
}
