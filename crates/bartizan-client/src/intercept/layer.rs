use std::future::Future;

use bartizan_core::BoxError;
use http::{Request, Response};
use tower_layer::Layer;

use super::{Intercept, OnError, OnRequest, OnResponse, WithState};

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
    /// Adds a closure that takes each request and gives it back, or gives a [`Next`](super::Next). None by default.
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

    /// Adds a closure that takes each request with a clone of `state`, which is best a handle, such as an `Arc`. None by default.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use bartizan_client::intercept::InterceptLayer;
    /// use http::HeaderValue;
    /// # use http::{Request, Response};
    /// # use tower::{BoxError, Layer, ServiceExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
    /// # let http_client = tower::service_fn(async |request: Request<String>| {
    /// #     Ok::<_, BoxError>(Response::new(request.headers()["x-request-number"].to_str()?.to_owned()))
    /// # });
    /// let numbered = InterceptLayer::new().on_request_with(Arc::new(AtomicU64::new(1)), async |next, mut request| {
    ///     let number = next.fetch_add(1, Ordering::Relaxed);
    ///     request.headers_mut().insert("x-request-number", HeaderValue::from(number));
    ///     Ok(request)
    /// });
    /// # let service = numbered.layer(http_client);
    /// # for number in ["1", "2"] {
    /// #     assert_eq!(service.clone().oneshot(Request::new(String::new())).await?.body(), number);
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_request_with<T, F, Fut, B, N>(
        self,
        state: T,
        interceptor: F,
    ) -> InterceptLayer<(Q, OnRequest<WithState<T, F>>), P>
    where
        T: Clone,
        F: Fn(T, Request<B>) -> Fut,
        Fut: Future<Output = Result<N, BoxError>>,
    {
        self.request_interceptor(WithState::new(state, interceptor))
    }

    /// Adds a closure that takes each response and gives it back. None by default.
    pub fn on_response<F, Fut, R>(self, interceptor: F) -> InterceptLayer<Q, (P, OnResponse<F>)>
    where
        F: Fn(Response<R>) -> Fut,
        Fut: Future<Output = Result<Response<R>, BoxError>>,
    {
        self.response_interceptor(interceptor)
    }

    /// Adds a closure that takes each response with a clone of `state`, and gives the response back. None by default.
    pub fn on_response_with<T, F, Fut, R>(
        self,
        state: T,
        interceptor: F,
    ) -> InterceptLayer<Q, (P, OnResponse<WithState<T, F>>)>
    where
        T: Clone,
        F: Fn(T, Response<R>) -> Fut,
        Fut: Future<Output = Result<Response<R>, BoxError>>,
    {
        self.response_interceptor(WithState::new(state, interceptor))
    }

    /// Adds a closure that takes each error: of a request interceptor, of the inner service, of a response or error
    /// interceptor that was added before it. None by default.
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

    /// Adds a closure that takes each error, as [`on_error`](Self::on_error) has them, with a clone of `state`. None by default.
    pub fn on_error_with<T, F, Fut, R>(
        self,
        state: T,
        interceptor: F,
    ) -> InterceptLayer<Q, (P, OnError<WithState<T, F>>)>
    where
        T: Clone,
        F: Fn(T, BoxError) -> Fut,
        Fut: Future<Output = Result<Response<R>, BoxError>>,
    {
        self.error_interceptor(WithState::new(state, interceptor))
    }

    /// Adds a [`RequestInterceptor`](super::RequestInterceptor). None by default.
    pub fn request_interceptor<I>(self, interceptor: I) -> InterceptLayer<(Q, OnRequest<I>), P> {
        let requests = (self.requests, OnRequest::new(interceptor));
        InterceptLayer { requests, responses: self.responses }
    }

    /// Adds a [`ResponseInterceptor`](super::ResponseInterceptor). None by default.
    pub fn response_interceptor<I>(self, interceptor: I) -> InterceptLayer<Q, (P, OnResponse<I>)> {
        let responses = (self.responses, OnResponse::new(interceptor));
        InterceptLayer { requests: self.requests, responses }
    }

    /// Adds an [`ErrorInterceptor`](super::ErrorInterceptor). None by default.
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
