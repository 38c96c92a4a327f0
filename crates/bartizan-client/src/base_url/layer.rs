use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bartizan_core::BoxError;
use http::Request;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{BaseUrl, InvalidReference};
use crate::asked::Joined;

/// Puts the URI of each request below a [`BaseUrl`].
///
/// What a request may ask for, and what is refused, is in the table at [`BaseUrl::join`]. A request that was given an absolute URI
/// below the base passes as it is, so `next` links of the API's own answers work; to any other origin nothing is sent.
///
/// It touches the URI and nothing else: no `Host` field, no redirect that the client inside follows. A fragment was cut off
/// when the [`Uri`](http::Uri) was made, so there is nothing to refuse. `Uri` cannot be empty either: to ask for the base itself,
/// without a slash at its end, give [`BaseUrl::join`] of `""`.
///
/// It stands outermost, where no layer needs to know the origin yet.
///
/// ```
/// use bartizan_client::{BaseUrl, BaseUrlLayer, InvalidReference};
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tower::BoxError> {
/// # let http_client = tower::service_fn(|request: Request<()>| async move {
/// #     Ok::<_, std::convert::Infallible>(Response::new(request.uri().to_string()))
/// # });
/// let client = ServiceBuilder::new()
///     .layer(BaseUrlLayer::new(BaseUrl::new("https://api.example.com/v1")?))
///     .service(http_client); // answers with the URI it was asked for
///
/// let answer = client.clone().oneshot(Request::get("/users?page=2").body(())?).await?;
/// assert_eq!(answer.body(), "https://api.example.com/v1/users?page=2");
///
/// let refused = client.oneshot(Request::get("/users/../admin").body(())?).await.unwrap_err();
/// assert_eq!(
///     refused.downcast::<InvalidReference>()?.to_string(),
///     "the reference `/users/../admin` has the dot segment `..`; write the path that is meant without it"
/// );
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// [`InvalidReference`], a local refusal: it has a [`Rejection`](bartizan_core::Rejection) as its source.
///
/// # Readiness
///
/// Pass-through. A call that is refused puts a fresh clone in the place of the readied inner.
///
/// # Cost
///
/// A URI that is absolute already costs no allocation, and neither does a path below a base that has none. Else a call allocates
/// once, for the joined path. A path with an encoded percent sign (`%25`) costs one more, to look behind it.
#[derive(Clone, Debug)]
pub struct BaseUrlLayer {
    base: BaseUrl,
}

impl BaseUrlLayer {
    /// Requests go below `base`.
    pub const fn new(base: BaseUrl) -> Self {
        Self { base }
    }
}

impl<S> Layer<S> for BaseUrlLayer {
    type Service = WithBaseUrl<S>;

    fn layer(&self, inner: S) -> WithBaseUrl<S> {
        WithBaseUrl { inner, base: self.base.clone() }
    }
}

/// The service of [`BaseUrlLayer`].
#[derive(Clone)]
pub struct WithBaseUrl<S> {
    inner: S,
    base: BaseUrl,
}

impl<S, B> Service<Request<B>> for WithBaseUrl<S>
where
    S: Service<Request<B>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BaseUrlFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let state = match self.base.place(mem::take(request.uri_mut())) {
            Ok(uri) => {
                Joined::tell(request.extensions_mut(), &uri);
                *request.uri_mut() = uri;
                State::Sent { future: self.inner.call(request) }
            }
            Err(error) => {
                // An idle handle must not keep what the inner reserved when it became ready.
                self.inner = self.inner.clone();
                State::Refused { error: Some(error) }
            }
        };
        BaseUrlFuture { state }
    }
}

impl<S: fmt::Debug> fmt::Debug for WithBaseUrl<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithBaseUrl").field("base", &self.base).field("inner", &self.inner).finish()
    }
}

pin_project! {
    /// The future of [`WithBaseUrl`].
    pub struct BaseUrlFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Sent { #[pin] future: F },
        Refused { error: Option<InvalidReference> },
    }
}

impl<F, R, E> Future for BaseUrlFuture<F>
where
    F: Future<Output = Result<R, E>>,
    E: Into<BoxError>,
{
    type Output = Result<R, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Sent { future } => future.poll(cx).map_err(Into::into),
            StateProjection::Refused { error } => {
                let error = error.take().expect("a future is not polled again once it is done");
                Poll::Ready(Err(error.into()))
            }
        }
    }
}

impl<F> fmt::Debug for BaseUrlFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Sent { .. } => "BaseUrlFuture(sent)",
            State::Refused { .. } => "BaseUrlFuture(refused)",
        })
    }
}

#[cfg(test)]
mod tests;
