//! Two calls at a time, and a second between the starts of any two; the others wait in their futures.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use bartizan_test::contract::Inner;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep_until},
};
use tower::BoxError;
use tower_service::Service;

use super::{Reply, Req};

const INTERVAL: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(crate) struct Queue {
    inner: Inner,
    permits: Arc<Semaphore>,
    next_start: Arc<Mutex<Option<Instant>>>,
}

impl Queue {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, permits: Arc::new(Semaphore::new(2)), next_start: Arc::default() }
    }
}

impl Service<Req> for Queue {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Reply {
        let Self { mut inner, permits, next_start } = self.clone();
        Box::pin(async move {
            let _permit = permits.acquire().await?;
            let slot = Slot::take(next_start);
            sleep_until(slot.start).await;
            poll_fn(|cx| Service::<Req>::poll_ready(&mut inner, cx)).await?;
            slot.spend();
            inner.call(request).await
        })
    }
}

/// A time to start at, which is given back unless it was spent.
struct Slot {
    start: Instant,
    next_start: Option<Arc<Mutex<Option<Instant>>>>,
}

impl Slot {
    fn take(next_start: Arc<Mutex<Option<Instant>>>) -> Self {
        let start = {
            let mut next_start = next_start.lock().expect("not poisoned");
            let start = next_start.unwrap_or_else(Instant::now).max(Instant::now());
            *next_start = Some(start + INTERVAL);
            start
        };
        Self { start, next_start: Some(next_start) }
    }

    fn spend(mut self) {
        self.next_start = None;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(next_start) = self.next_start.take() {
            let mut next_start = next_start.lock().expect("not poisoned");
            *next_start = next_start.map(|next| next - INTERVAL);
        }
    }
}
