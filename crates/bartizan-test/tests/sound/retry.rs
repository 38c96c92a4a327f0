//! Passes readiness through, calls what was polled, and polls its kept clone before each further attempt.

use std::{
    future::poll_fn,
    task::{Context, Poll},
    time::Duration,
};

use bartizan_test::contract::Inner;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tower::BoxError;
use tower_service::Service;

use super::{Reply, Req};

#[derive(Clone, Debug)]
pub(crate) struct Retry {
    inner: Inner,
    /// Before each further attempt; zero means to let others have their turn.
    delays: &'static [Duration],
}

impl Retry {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, delays: &const { [Duration::from_millis(100), Duration::from_millis(200)] } }
    }

    pub(crate) fn eager(inner: Inner) -> Self {
        Self { inner, delays: &[Duration::ZERO; 20] }
    }
}

impl Service<Req> for Retry {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Req>::poll_ready(&mut self.inner, cx)
    }

    fn call(&mut self, request: Req) -> Reply {
        let mut attempt = self.inner.call(request.clone());
        let (mut inner, delays) = (self.inner.clone(), self.delays);
        Box::pin(async move {
            for delay in delays {
                // The attempt is gone before the wait.
                match attempt.await {
                    Ok(response) if !response.status().is_server_error() => return Ok(response),
                    failed => drop(failed),
                }
                if delay.is_zero() {
                    wake_and_yield().await;
                } else {
                    tokio::time::sleep(*delay).await;
                }
                poll_fn(|cx| Service::<Req>::poll_ready(&mut inner, cx)).await?;
                attempt = inner.call(request.clone());
            }
            attempt.await
        })
    }
}

async fn wake_and_yield() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
