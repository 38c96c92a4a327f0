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
pub(crate) struct Retry(Inner);

impl Retry {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(inner)
    }
}

impl Service<Req> for Retry {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Req>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, request: Req) -> Reply {
        let mut attempt = self.0.call(request.clone());
        let mut inner = self.0.clone();
        Box::pin(async move {
            for delay in [100, 200] {
                // The attempt is gone before the wait.
                match attempt.await {
                    Ok(response) if !response.status().is_server_error() => return Ok(response),
                    failed => drop(failed),
                }
                tokio::time::sleep(Duration::from_millis(delay)).await;
                poll_fn(|cx| Service::<Req>::poll_ready(&mut inner, cx)).await?;
                attempt = inner.call(request.clone());
            }
            attempt.await
        })
    }
}
