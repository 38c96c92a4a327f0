use std::fmt;
use std::future::Future;

use bartizan_core::BoxError;
use http::{Request, Response};

use super::{ErrorInterceptor, RequestInterceptor, ResponseInterceptor};

/// A closure that gets a clone of some state with each request, response or error.
///
/// From [`on_request_with`](super::InterceptLayer::on_request_with) and its sisters.
#[derive(Clone)]
pub struct WithState<T, F> {
    state: T,
    interceptor: F,
}

impl<T, F> WithState<T, F> {
    pub(crate) fn new(state: T, interceptor: F) -> Self {
        Self { state, interceptor }
    }
}

impl<T, B, F, Fut, N> RequestInterceptor<B> for WithState<T, F>
where
    T: Clone,
    F: Fn(T, Request<B>) -> Fut,
    Fut: Future<Output = Result<N, BoxError>>,
{
    type Next = N;
    type Future = Fut;

    fn intercept(&self, request: Request<B>) -> Fut {
        (self.interceptor)(self.state.clone(), request)
    }
}

impl<T, R, F, Fut> ResponseInterceptor<R> for WithState<T, F>
where
    T: Clone,
    F: Fn(T, Response<R>) -> Fut,
    Fut: Future<Output = Result<Response<R>, BoxError>>,
{
    type Future = Fut;

    fn intercept(&self, response: Response<R>) -> Fut {
        (self.interceptor)(self.state.clone(), response)
    }
}

impl<T, R, F, Fut> ErrorInterceptor<R> for WithState<T, F>
where
    T: Clone,
    F: Fn(T, BoxError) -> Fut,
    Fut: Future<Output = Result<Response<R>, BoxError>>,
{
    type Future = Fut;

    fn intercept(&self, error: BoxError) -> Fut {
        (self.interceptor)(self.state.clone(), error)
    }
}

/// Without the state, which may be a secret.
impl<T, F> fmt::Debug for WithState<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WithState(..)")
    }
}
