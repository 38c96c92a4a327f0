//! Keeps the last response, though it may not be stored.

use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bartizan_test::contract::Inner;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tower::BoxError;
use tower_service::Service;

use super::{Reply, Req};

#[derive(Clone, Debug)]
pub(crate) struct KeepsResponse {
    inner: Inner,
    last: Arc<Mutex<Full<Bytes>>>,
}

impl KeepsResponse {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, last: Arc::default() }
    }
}

impl Service<Req> for KeepsResponse {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Req>::poll_ready(&mut self.inner, cx)
    }

    fn call(&mut self, request: Req) -> Reply {
        let (called, last) = (self.inner.call(request), Arc::clone(&self.last));
        Box::pin(async move {
            let response = called.await?;
            last.lock().expect("not poisoned").clone_from(response.body());
            Ok(response)
        })
    }
}
