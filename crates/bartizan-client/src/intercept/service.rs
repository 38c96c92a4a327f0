use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bartizan_core::BoxError;
use http::{Request, Response};
use tower_service::Service;

use super::future::Exchange;
use super::{Chain, Next};

/// The service of [`InterceptLayer`](super::InterceptLayer).
#[derive(Clone, Debug)]
pub struct Intercept<S, Q = (), P = ()> {
    pub(crate) inner: S,
    pub(crate) requests: Q,
    pub(crate) responses: P,
}

impl<S, B, R, Q, P> Service<Request<B>> for Intercept<S, Q, P>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    Q: Chain<Ready<Result<Next<B, R>, BoxError>>>,
    P: Chain<Exchange<S, B, Q::Future, S::Future>>,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = P::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> P::Future {
        let request = self.requests.after(ready(Ok(Next::Call(request))));
        self.responses.after(Exchange::new(request, self.inner.clone()))
    }
}
