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
            let start = {
                let mut next_start = next_start.lock().expect("not poisoned");
                let start = next_start.unwrap_or_else(Instant::now).max(Instant::now());
                *next_start = Some(start + Duration::from_secs(1));
                start
            };
            sleep_until(start).await;
            poll_fn(|cx| Service::<Req>::poll_ready(&mut inner, cx)).await?;
            inner.call(request).await
        })
    }
}
