use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::WallClock;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::OutcomeBody;
use super::future::OutcomeFuture;
use super::judge;
use crate::Codes;

/// The service of [`GraphqlOutcomeLayer`](crate::GraphqlOutcomeLayer). It cannot fail by itself, so the inner error type stays.
#[derive(Clone, Debug)]
pub struct GraphqlOutcome<S> {
    pub(super) inner: S,
    pub(super) config: Arc<Config>,
}

/// What all clones of a service, and all its calls, share.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) enabled: bool,
    pub(super) codes: Codes,
    pub(super) max_body: usize,
    pub(super) wall_clock: WallClock,
}

impl Config {
    /// Whether the body of this answer is read.
    pub(super) fn reads<R: Body>(&self, response: &Response<R>) -> bool {
        let body = response.body();
        self.enabled
            && judge::is_readable(response.status(), response.headers())
            && !body.is_end_stream()
            && body.size_hint().lower() <= self.max_body as u64
    }
}

impl<S, B, R> Service<Request<B>> for GraphqlOutcome<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body<Data = Bytes> + Unpin,
{
    type Response = Response<OutcomeBody<R>>;
    type Error = S::Error;
    type Future = OutcomeFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        OutcomeFuture::new(self.inner.call(request), self.config.clone())
    }
}
