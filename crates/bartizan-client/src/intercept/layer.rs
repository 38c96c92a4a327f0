use std::future::Future;

use bartizan_core::BoxError;
use http::{Request, Response};
use tower_layer::Layer;

use super::{Intercept, OnError, OnRequest, OnResponse};

/// Runs async interceptors before and after each call. The [module](super) tells in which order, and what they may do.
///
/// Without interceptors it only boxes the inner's errors.
#[derive(Clone, Debug, Default)]
pub struct InterceptLayer<Q = (), P = ()> {
    requests: Q,
    responses: P,
}

impl InterceptLayer {
    /// No interceptors yet.
    pub const fn new() -> Self {
        Self { requests: (), responses: () }
    }
}

impl<Q, P> InterceptLayer<Q, P> {
    /// Adds a closure that takes each request and gives it back, or gives a [`Next`](super::Next).
    ///
    /// ```
    /// use bartizan_client::intercept::{InterceptLayer, Next};
    /// use http::{Request, Response};
    /// use tower::{Layer, ServiceExt};
    /// # use tower::BoxError;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
    /// # let http_client = tower::service_fn(async |_: Request<String>| Ok::<Response<String>, _>(Response::new("upstream".into())));
    /// # let http_client = http_client.map_err(|e: BoxError| e);
    /// let answer_pings = InterceptLayer::new().on_request(async |request| match request.uri().path() {
    ///     "/ping" => Ok(Next::Answer(Response::new("pong".to_owned()))),
    ///     _ => Ok(Next::Call(request)),
    /// });
    ///
    /// let request = Request::get("http://api.example.com/ping").body(String::new())?;
    /// let response = answer_pings.layer(http_client).oneshot(request).await?;
    /// assert_eq!(response.body(), "pong");
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_request<F, Fut, B, N>(self, interceptor: F) -> InterceptLayer<(Q, OnRequest<F>), P>
    where
        F: Fn(Request<B>) -> Fut,
        Fut: Future<Output = Result<N, BoxError>>,
    {
        self.request_interceptor(interceptor)
    }

    /// Adds a closure that takes each response and gives it back.
    pub fn on_response<F, Fut, R>(self, interceptor: F) -> InterceptLayer<Q, (P, OnResponse<F>)>
    where
        F: Fn(Response<R>) -> Fut,
        Fut: Future<Output = Result<Response<R>, BoxError>>,
    {
        self.response_interceptor(interceptor)
    }

    /// Adds a closure that takes each error: of a request interceptor, of the inner service, of a response or error
    /// interceptor that was added before it.
    ///
    /// Give an error that replaces another that one as its source: a [`Rejection`](bartizan_core::Rejection), for one,
    /// is found there by outer layers.
    pub fn on_error<F, Fut, R>(self, interceptor: F) -> InterceptLayer<Q, (P, OnError<F>)>
    where
        F: Fn(BoxError) -> Fut,
        Fut: Future<Output = Result<Response<R>, BoxError>>,
    {
        self.error_interceptor(interceptor)
    }

    /// Adds a [`RequestInterceptor`](super::RequestInterceptor).
    pub fn request_interceptor<I>(self, interceptor: I) -> InterceptLayer<(Q, OnRequest<I>), P> {
        let requests = (self.requests, OnRequest::new(interceptor));
        InterceptLayer { requests, responses: self.responses }
    }

    /// Adds a [`ResponseInterceptor`](super::ResponseInterceptor).
    pub fn response_interceptor<I>(self, interceptor: I) -> InterceptLayer<Q, (P, OnResponse<I>)> {
        let responses = (self.responses, OnResponse::new(interceptor));
        InterceptLayer { requests: self.requests, responses }
    }

    /// Adds an [`ErrorInterceptor`](super::ErrorInterceptor).
    pub fn error_interceptor<I>(self, interceptor: I) -> InterceptLayer<Q, (P, OnError<I>)> {
        let responses = (self.responses, OnError::new(interceptor));
        InterceptLayer { requests: self.requests, responses }
    }
}

impl<S, Q: Clone, P: Clone> Layer<S> for InterceptLayer<Q, P> {
    type Service = Intercept<S, Q, P>;

    fn layer(&self, inner: S) -> Self::Service {
        Intercept { inner, requests: self.requests.clone(), responses: self.responses.clone() }
    }
}
