//! A second between the starts of any two calls; a slot once taken is gone, whether the call starts or not.

use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use bartizan_test::contract::Inner;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::time::{Instant, sleep_until};
use tower::BoxError;
use tower_service::Service;

use super::{Reply, Req, call_when_ready};

#[derive(Clone, Debug)]
pub(crate) struct KeepsSlot {
    inner: Inner,
    next_start: Arc<Mutex<Option<Instant>>>,
    takes_at_first_poll: bool,
}

impl KeepsSlot {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, next_start: Arc::default(), takes_at_first_poll: false }
    }

    pub(crate) fn at_first_poll(inner: Inner) -> Self {
        Self { takes_at_first_poll: true, ..Self::new(inner) }
    }
}

impl Service<Req> for KeepsSlot {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Reply {
        let (inner, next_start) = (self.inner.clone(), Arc::clone(&self.next_start));
        let start = (!self.takes_at_first_poll).then(|| take(&next_start));
        Box::pin(async move {
            sleep_until(start.unwrap_or_else(|| take(&next_start))).await;
            call_when_ready(inner, request).await
        })
    }
}

fn take(next_start: &Mutex<Option<Instant>>) -> Instant {
    let now = Instant::now();
    let mut next_start = next_start.lock().expect("not poisoned");
    let start = next_start.unwrap_or(now).max(now);
    *next_start = Some(start + Duration::from_secs(1));
    start
}
