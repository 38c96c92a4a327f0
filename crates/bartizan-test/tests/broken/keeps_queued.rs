//! A gate that refuses while another call is in flight, and keeps its instance in the queue for a permit.

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
pub(crate) struct KeepsQueued {
    inner: Inner,
    in_flight: Arc<AtomicUsize>,
}

struct InFlight(Arc<AtomicUsize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl KeepsQueued {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, in_flight: Arc::default() }
    }
}

impl Service<Req> for KeepsQueued {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match Service::<Req>::poll_ready(&mut self.inner, cx) {
            Poll::Pending => Poll::Ready(Ok(())),
            ready => ready,
        }
    }

    fn call(&mut self, request: Req) -> Reply {
        if self.in_flight.load(Ordering::Relaxed) > 0 {
            return Box::pin(async { Err("another call is in flight".into()) });
        }
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let in_flight = InFlight(Arc::clone(&self.in_flight));
        let fresh = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, fresh);
        Box::pin(async move {
            let answer = call_when_ready(inner, request).await;
            drop(in_flight);
            answer
        })
    }
}
