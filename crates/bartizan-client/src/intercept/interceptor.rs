use std::fmt;
use std::future::Future;

use bartizan_core::BoxError;
use http::{Request, Response};

/// Where a call goes after a request interceptor.
///
/// Exhaustive, since a call is either made or not.
pub enum Next<B, R> {
    /// On to the next request interceptor, or to the inner service.
    Call(Request<B>),
    /// Nowhere: here is the response, in place of the call.
    Answer(Response<R>),
}

impl<B, R> From<Request<B>> for Next<B, R> {
    fn from(request: Request<B>) -> Self {
        Self::Call(request)
    }
}

impl<B, R> From<Response<R>> for Next<B, R> {
    fn from(response: Response<R>) -> Self {
        Self::Answer(response)
    }
}

impl<B, R> fmt::Debug for Next<B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call(_) => "Next::Call(..)",
            Self::Answer(_) => "Next::Answer(..)",
        })
    }
}

/// Takes each request before it is sent. Closures that return a future are some.
///
/// For what has a name and state of its own, and does not care about the body:
///
/// ```
/// use std::future::{Ready, ready};
/// use bartizan_client::intercept::{InterceptLayer, RequestInterceptor};
/// use http::{HeaderValue, Request};
/// use tower::BoxError;
///
/// struct ApiKey(HeaderValue);
///
/// impl<B> RequestInterceptor<B> for ApiKey {
///     type Next = Request<B>;
///     type Future = Ready<Result<Request<B>, BoxError>>;
///
///     fn intercept(&self, mut request: Request<B>) -> Self::Future {
///         request.headers_mut().insert("x-api-key", self.0.clone());
///         ready(Ok(request))
///     }
/// }
///
/// let layer = InterceptLayer::new().request_interceptor(ApiKey(HeaderValue::from_static("k")));
/// # let _ = layer;
/// ```
pub trait RequestInterceptor<B> {
    /// What it gives: a `Request<B>`, or a [`Next`] if it also answers, or a `Response` if it always does.
    type Next;
    /// Its future.
    type Future: Future<Output = Result<Self::Next, BoxError>>;

    /// Called at the call's first poll or later, never in `Service::call`.
    fn intercept(&self, request: Request<B>) -> Self::Future;
}

impl<B, F, Fut, N> RequestInterceptor<B> for F
where
    F: Fn(Request<B>) -> Fut,
    Fut: Future<Output = Result<N, BoxError>>,
{
    type Next = N;
    type Future = Fut;

    fn intercept(&self, request: Request<B>) -> Fut {
        self(request)
    }
}

/// Takes each response, of the inner service or of who answered in its place. Closures that return a future are some.
pub trait ResponseInterceptor<R> {
    /// Its future.
    type Future: Future<Output = Result<Response<R>, BoxError>>;

    /// Called when the head is there; the body may be still on its way.
    fn intercept(&self, response: Response<R>) -> Self::Future;
}

impl<R, F, Fut> ResponseInterceptor<R> for F
where
    F: Fn(Response<R>) -> Fut,
    Fut: Future<Output = Result<Response<R>, BoxError>>,
{
    type Future = Fut;

    fn intercept(&self, response: Response<R>) -> Fut {
        self(response)
    }
}

/// Takes each error, to look at it, to replace it, or to give a response after all. Closures that return a future are
/// some.
pub trait ErrorInterceptor<R> {
    /// Its future.
    type Future: Future<Output = Result<Response<R>, BoxError>>;

    /// Called with the inner's error, or with that of an interceptor.
    fn intercept(&self, error: BoxError) -> Self::Future;
}

impl<R, F, Fut> ErrorInterceptor<R> for F
where
    F: Fn(BoxError) -> Fut,
    Fut: Future<Output = Result<Response<R>, BoxError>>,
{
    type Future = Fut;

    fn intercept(&self, error: BoxError) -> Fut {
        self(error)
    }
}
