//! A breaker that refuses in `poll_ready`, where an error is final, and closes again after a minute.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bartizan_test::contract::Inner;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::time::Instant;
use tower::BoxError;
use tower_service::Service;

use super::{Reply, Req};

#[derive(Clone, Debug)]
pub(crate) struct FailsInPollReady {
    inner: Inner,
    failures: Arc<AtomicUsize>,
    open_until: Arc<Mutex<Option<Instant>>>,
}

impl FailsInPollReady {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, failures: Arc::default(), open_until: Arc::default() }
    }
}

impl Service<Req> for FailsInPollReady {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.open_until.lock().expect("not poisoned").is_some_and(|until| Instant::now() < until) {
            return Poll::Ready(Err("the circuit is open".into()));
        }
        Service::<Req>::poll_ready(&mut self.inner, cx)
    }

    fn call(&mut self, request: Req) -> Reply {
        let called = self.inner.call(request);
        let (failures, open_until) = (Arc::clone(&self.failures), Arc::clone(&self.open_until));
        Box::pin(async move {
            let answer = called.await;
            if answer.is_err() && failures.fetch_add(1, Ordering::Relaxed) % 5 == 4 {
                *open_until.lock().expect("not poisoned") = Some(Instant::now() + Duration::from_secs(60));
            }
            answer
        })
    }
}
