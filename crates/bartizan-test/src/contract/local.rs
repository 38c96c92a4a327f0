//! A proof, made by the compiler, that a layer asks for no `Send`.

use std::{
    future::{Ready, ready},
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower::BoxError;
use tower_layer::Layer;
use tower_service::Service;

/// An inner service that is neither `Send` nor `Sync`, and whose future is neither.
#[derive(Clone, Debug, Default)]
pub struct LocalInner {
    not_send: Rc<()>,
}

/// The answer of [`LocalInner`]: a response with an empty body.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct LocalFuture {
    answer: Ready<Result<Response<Full<Bytes>>, BoxError>>,
    _not_send: Rc<()>,
}

impl<B: Body> Service<Request<B>> for LocalInner {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = LocalFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<B>) -> LocalFuture {
        LocalFuture { answer: ready(Ok(Response::default())), _not_send: Rc::clone(&self.not_send) }
    }
}

impl Future for LocalFuture {
    type Output = Result<Response<Full<Bytes>>, BoxError>;

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        std::pin::Pin::new(&mut self.answer).poll(cx)
    }
}

/// Compiles only if `layer` works over an inner service that is not `Send`, and returns the service it makes there.
///
/// ```
/// bartizan_test::contract::accepts_local(&tower_layer::Identity::new());
/// ```
///
/// A layer that spawns its inner calls does not pass:
///
/// ```compile_fail
/// # use {std::task::{Context, Poll}, tower_layer::{Layer, layer_fn}, tower_service::Service};
/// #[derive(Clone)]
/// struct NeedsSend<S>(S);
///
/// impl<R, S: Service<R> + Send> Service<R> for NeedsSend<S> {
/// #   type Response = S::Response;
/// #   type Error = S::Error;
/// #   type Future = S::Future;
/// #   fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> { self.0.poll_ready(cx) }
/// #   fn call(&mut self, request: R) -> S::Future { self.0.call(request) }
///     // ..
/// }
///
/// bartizan_test::contract::accepts_local(&layer_fn(NeedsSend));
/// ```
pub fn accepts_local<L>(layer: &L) -> L::Service
where
    L: Layer<LocalInner>,
    L::Service: Service<Request<Full<Bytes>>>,
{
    layer.layer(LocalInner::default())
}
