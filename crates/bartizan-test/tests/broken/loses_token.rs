//! Takes a token when it is called and gives it back when the call is complete, if it ever is.

use std::{
    future::poll_fn,
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

use super::{Reply, Req};

#[derive(Clone, Debug)]
pub(crate) struct LosesToken {
    inner: Inner,
    tokens: Arc<AtomicUsize>,
    takes_once_ready: bool,
}

impl LosesToken {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, tokens: Arc::new(AtomicUsize::new(10)), takes_once_ready: false }
    }

    /// Takes the token not before the inner is ready, and loses it all the same if the call is given up.
    pub(crate) fn once_ready(inner: Inner) -> Self {
        Self { takes_once_ready: true, ..Self::new(inner) }
    }
}

impl Service<Req> for LosesToken {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Reply {
        let (mut inner, tokens) = (self.inner.clone(), Arc::clone(&self.tokens));
        let taken = (!self.takes_once_ready).then(|| take(&tokens));
        Box::pin(async move {
            poll_fn(|cx| Service::<Req>::poll_ready(&mut inner, cx)).await?;
            if !taken.unwrap_or_else(|| take(&tokens)) {
                return Err("no token left".into());
            }
            let answer = inner.call(request).await;
            tokens.fetch_add(1, Ordering::Relaxed);
            answer
        })
    }
}

fn take(tokens: &AtomicUsize) -> bool {
    tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}
