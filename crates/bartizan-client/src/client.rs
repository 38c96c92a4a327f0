use std::fmt;

use bartizan_core::BoxError;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower_service::Service;

use crate::RequestBuilder;
use crate::boxed::{BoxClient, BoxedService};

/// What application code calls: an HTTP service, however many layers it is made of, with verbs.
///
/// Cheap to clone if the service is. Each call uses a clone, so calls share a client by reference.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), bartizan_client::Error> {
/// # let stack = tower::service_fn(|_: Request<Full<Bytes>>| async {
/// #     Ok::<_, std::io::Error>(Response::new(Full::new(Bytes::from_static(br#"{"name":"alice"}"#))))
/// # });
/// use bartizan_client::Client;
///
/// #[derive(serde::Deserialize)]
/// struct User {
///     name: String,
/// }
///
/// let client = Client::new(stack);
/// let user: Option<User> = client.get("http://api.example.com/users/7").fetch().await?;
/// assert_eq!(user.map(|user| user.name).as_deref(), Some("alice"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client<S> {
    service: S,
    limits: Limits,
}

/// What is read into memory at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) body: usize,
}

impl<S> Client<S> {
    /// Makes a client of a service, which may be a whole stack.
    pub const fn new(service: S) -> Self {
        Self { service, limits: Limits { body: 16 * 1024 * 1024 } }
    }

    /// Reads bodies of at most `bytes` into memory; a larger one is an error. 16 MiB by default: more than an API's answer
    /// should have, and little enough for a hundred at once. Streamed bodies have no limit.
    #[must_use]
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.limits.body = bytes;
        self
    }

    /// The service.
    pub fn into_inner(self) -> S {
        self.service
    }
}

impl<S: Clone> Client<S> {
    /// A request of any method. `target` is an absolute URL or, under a base URL layer, a path with or without a slash. Text from
    /// outside goes through [`segment`](crate::segment) before it becomes a part of it.
    pub fn request(&self, method: Method, target: impl AsRef<str>) -> RequestBuilder<S> {
        RequestBuilder::new(self.service.clone(), self.limits, method, target.as_ref())
    }

    /// GET.
    pub fn get(&self, target: impl AsRef<str>) -> RequestBuilder<S> {
        self.request(Method::GET, target)
    }

    /// POST. Not sent again by a retry layer, unless it has an `Idempotency-Key` or you say that it may be.
    pub fn post(&self, target: impl AsRef<str>) -> RequestBuilder<S> {
        self.request(Method::POST, target)
    }

    /// PUT.
    pub fn put(&self, target: impl AsRef<str>) -> RequestBuilder<S> {
        self.request(Method::PUT, target)
    }

    /// PATCH. Not sent again by a retry layer, as with [`post`](Self::post).
    pub fn patch(&self, target: impl AsRef<str>) -> RequestBuilder<S> {
        self.request(Method::PATCH, target)
    }

    /// DELETE.
    pub fn delete(&self, target: impl AsRef<str>) -> RequestBuilder<S> {
        self.request(Method::DELETE, target)
    }

    /// HEAD.
    pub fn head(&self, target: impl AsRef<str>) -> RequestBuilder<S> {
        self.request(Method::HEAD, target)
    }
}

impl<S> Client<S> {
    /// The same client as a type with a name, for the state of an application: `Clone`, `Send` and `Sync`.
    ///
    /// A call then allocates once for its future, once for each clone of the service, and once for its response's body unless that is a
    /// [`BoxedBody`](crate::BoxedBody).
    pub fn boxed<R>(self) -> BoxClient
    where
        S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
        R: Body<Data = Bytes> + Send + 'static,
        R::Error: Into<BoxError>,
    {
        Client { service: BoxedService::new(self.service), limits: self.limits }
    }
}

impl<S> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("limits", &self.limits).finish_non_exhaustive()
    }
}
