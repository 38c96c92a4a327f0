//! Waits for a permit that nobody gives back, or panics.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bartizan_test::contract::{Inner, InnerFuture};
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::sync::Semaphore;
use tower::BoxError;
use tower_service::Service;

use super::{Reply, Req};

#[derive(Clone, Debug)]
pub(crate) struct Hangs(pub(crate) Inner, pub(crate) Arc<Semaphore>);

impl Service<Req> for Hangs {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Req>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, request: Req) -> Reply {
        let (called, semaphore) = (self.0.call(request), Arc::clone(&self.1));
        Box::pin(async move {
            let _permit = semaphore.acquire().await?;
            called.await
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Panics(pub(crate) Inner);

impl Service<Req> for Panics {
    type Response = <Inner as Service<Req>>::Response;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Req>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, _request: Req) -> InnerFuture {
        panic!("never thought that it would be called")
    }
}
