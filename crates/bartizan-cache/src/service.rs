use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::{BoxError, Replay};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tower_service::Service;

use crate::CacheBody;
use crate::background;
use crate::engine::{Engine, Plan};
use crate::future::{ResponseFuture, Start};

/// The service of [`CacheLayer`](crate::CacheLayer).
#[derive(Clone)]
pub struct Cache<S> {
    pub(crate) inner: S,
    pub(crate) engine: Arc<Engine>,
}

impl<S, B, R> Service<Request<B>> for Cache<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send> + Clone + Send + 'static,
    B: Body + Replay + Send + 'static,
    R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<CacheBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, R, S::Future>;

    /// Always: a hit needs nothing of the inner.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let plan = self.engine.plan_for(&request, Instant::now());
        let start = |request| Start { engine: self.engine.clone(), inner: self.inner.clone(), request };
        match plan {
            Plan::Answer(response, trailers) => {
                ResponseFuture::answered(response.map(|body| CacheBody::stored(body, trailers)))
            }
            Plan::Stale(response, trailers, asking) => match Handle::try_current() {
                Ok(runtime) => {
                    background::refresh(&runtime, start(request), asking);
                    ResponseFuture::answered(response.map(|body| CacheBody::stored(body, trailers)))
                }
                // The caller waits for it.
                Err(_) => ResponseFuture::starting(start(request), asking),
            },
            Plan::Ask(asking) => ResponseFuture::starting(start(request), asking),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Cache<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("inner", &self.inner).finish_non_exhaustive()
    }
}
