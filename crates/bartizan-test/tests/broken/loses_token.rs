//! Takes a token when it is called and gives it back when the call is complete, if it ever is.

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
pub(crate) struct LosesToken {
    inner: Inner,
    tokens: Arc<AtomicUsize>,
    takes_at_first_poll: bool,
}

impl LosesToken {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, tokens: Arc::new(AtomicUsize::new(10)), takes_at_first_poll: false }
    }

    /// Takes the token not before the first poll, and loses it all the same if there is no last one.
    pub(crate) fn at_first_poll(inner: Inner) -> Self {
        Self { takes_at_first_poll: true, ..Self::new(inner) }
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
        let (inner, tokens) = (self.inner.clone(), Arc::clone(&self.tokens));
        let taken = (!self.takes_at_first_poll).then(|| take(&tokens));
        Box::pin(async move {
            if !taken.unwrap_or_else(|| take(&tokens)) {
                return Err("no token left".into());
            }
            let answer = call_when_ready(inner, request).await;
            tokens.fetch_add(1, Ordering::Relaxed);
            answer
        })
    }
}

fn take(tokens: &AtomicUsize) -> bool {
    tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}
