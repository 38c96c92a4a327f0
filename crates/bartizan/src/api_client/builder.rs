use std::fmt;
use std::time::Duration;

use bartizan_client::log::LogLayer;
use bartizan_client::{BaseUrl, BaseUrlLayer, BoxedBody, BoxedService, DefaultHeadersLayer};
use bartizan_core::{BoxError, Header, InvalidHeader, Origin};
use bartizan_retry::{IdempotencyKeyLayer, RetryLayer};
use bartizan_timeout::{AttemptTimeoutLayer, BodyTimeoutLayer, DeadlineLayer};
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use tower::{Layer, Service, ServiceBuilder};
use tower_http::decompression::DecompressionLayer;
use tower_http::follow_redirect::FollowRedirectLayer;

use super::Client;
use super::error::{Fault, InvalidClient};
use super::proxy::Connector;
use super::redirects::Redirects;
use super::rings::Rings;
use super::tls::{OwnRoots, tls};

/// Builds a [`Client`].
///
/// | | default | set with |
/// |---|---|---|
/// | the whole call, through a body that is read, to the head of one that is streamed | 30 s | [`deadline`](Self::deadline) |
/// | redirects | at most 10; on another origin without credentials | [`redirects`](Self::redirects) |
/// | decompression | gzip, brotli, deflate | [`no_decompression`](Self::no_decompression) |
/// | retry | 3 attempts of what may be sent again, within the origin's budget | [`retry`](Self::retry) |
/// | an `Idempotency-Key` for each POST and PATCH | no, the API must know it | [`idempotency_keys`](Self::idempotency_keys) |
/// | one attempt | 10 s | [`attempt_timeout`](Self::attempt_timeout) |
/// | a body that stands still | 30 s; an event stream may | [`body_timeout`](Self::body_timeout) |
/// | a connection | 5 s to come about | [`connect_timeout`](Self::connect_timeout) |
/// | an HTTP proxy | none, whatever the environment says | [`proxy`](Self::proxy) |
/// | TLS | rustls on ring, the system's root certificates | [`root_certificate_pem`](Self::root_certificate_pem) |
/// | interceptors | none | [`intercept`](Self::intercept), [`intercept_attempts`](Self::intercept_attempts) |
/// | HTTP | 1.1 and, where TLS agrees on it, 2 | [`http1_only`](Self::http1_only), [`http2_only`](Self::http2_only) |
///
/// The order, outermost first: base URL, default headers, idempotency keys, log of calls, interceptors of calls, deadline, redirects, decompression,
/// retry, log of attempts, interceptors of attempts, attempt timeout, body timeout, transport. The log is `tracing`'s, with the feature of that
/// name, and stands outside the interceptors, so that it has a line for what they answer or refuse. A redirect is part of the
/// call, and each hop has its own attempts.
#[derive(Clone)]
#[must_use = "a builder does nothing until it builds"]
pub struct ClientBuilder {
    base_url: String,
    headers: Vec<Result<Header, InvalidHeader>>,
    gives_keys: bool,
    calls: Rings,
    deadline: DeadlineLayer,
    redirects: u32,
    decompresses: bool,
    retry: RetryLayer,
    attempts: Rings,
    attempt_timeout: AttemptTimeoutLayer,
    body_timeout: BodyTimeoutLayer,
    connect_timeout: Duration,
    roots: OwnRoots,
    versions: Versions,
    proxy: Option<String>,
}

#[derive(Clone, Copy, Debug)]
enum Versions {
    Agreed,
    Http1,
    Http2,
}

impl ClientBuilder {
    pub(super) fn new(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            headers: Vec::new(),
            gives_keys: false,
            calls: Rings::default(),
            deadline: DeadlineLayer::default(),
            redirects: 10,
            decompresses: true,
            retry: RetryLayer::new(),
            attempts: Rings::default(),
            attempt_timeout: AttemptTimeoutLayer::default(),
            body_timeout: BodyTimeoutLayer::default(),
            connect_timeout: Duration::from_secs(5),
            roots: OwnRoots::default(),
            versions: Versions::Agreed,
            proxy: None,
        }
    }

    /// A header field that each request has, unless it brings its own. None by default. What it holds is kept out of `Debug`.
    pub fn default_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(Header::new(name, value).map(Header::sensitive));
        self
    }

    /// Gives each POST and PATCH an `Idempotency-Key`, which by default none has, so that it is sent again as other requests are. For an API that knows the
    /// field: see [`IdempotencyKeyLayer`].
    pub fn idempotency_keys(mut self) -> Self {
        self.gives_keys = true;
        self
    }

    /// Interceptors that run once a call: outside deadline, redirects and retry, with the URL joined and the default headers on.
    ///
    /// ```no_run
    /// use bartizan::Client;
    /// use bartizan::client::BoxedBody;
    /// use bartizan::client::intercept::{InterceptLayer, Next};
    /// use http::header::AUTHORIZATION;
    /// use http::{HeaderValue, Response};
    /// # use bartizan::core::BoxError;
    ///
    /// # #[derive(Clone)] struct Tokens;
    /// # impl Tokens { async fn fetch(&self) -> Result<HeaderValue, BoxError> { Ok(HeaderValue::from_static("Bearer t0")) } }
    /// # async fn f(tokens: Tokens) -> Result<(), BoxError> {
    /// let client = Client::builder("https://api.example.com/v1")
    ///     .intercept(
    ///         InterceptLayer::new()
    ///             .on_request_with(tokens, async |tokens, mut request| {
    ///                 request.headers_mut().insert(AUTHORIZATION, tokens.fetch().await?);
    ///                 Ok(request)
    ///             })
    ///             .on_request(async |request| match request.uri().path() {
    ///                 "/v1/ping" => Ok(Next::Answer(Response::new(BoxedBody::from("pong")))),
    ///                 _ => Ok(Next::Call(request)),
    ///             })
    ///             .on_response(async |response| {
    ///                 println!("answered {}", response.status());
    ///                 Ok(response)
    ///             }),
    ///     )
    ///     .build()?;
    /// # let _ = client;
    /// # Ok(()) }
    /// ```
    ///
    /// [`InterceptLayer`](bartizan_client::intercept::InterceptLayer) tells in which order they run. Of several layers the first is
    /// the outermost: it sees requests first and responses last. Any other layer will do as well.
    ///
    /// Without any, a response's body is boxed once more and that is all. Else a call allocates for each layer and for what is inside
    /// them: the future is boxed, and so are clones of the service.
    pub fn intercept<L, S>(mut self, layer: L) -> Self
    where
        L: Layer<BoxedService, Service = S> + Send + Sync + 'static,
        S: Service<Request<Full<Bytes>>, Response = Response<BoxedBody>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        self.calls.add(layer);
        self
    }

    /// Interceptors that run once an attempt, inside retry; none by default. As [`intercept`](Self::intercept) in all else, its cost too.
    ///
    /// They see the requests of redirects as well, which may go to another origin: what adds a credential looks at the host
    /// first, or belongs to [`intercept`](Self::intercept), whose credentials stay behind there.
    pub fn intercept_attempts<L, S>(mut self, layer: L) -> Self
    where
        L: Layer<BoxedService, Service = S> + Send + Sync + 'static,
        S: Service<Request<Full<Bytes>>, Response = Response<BoxedBody>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        self.attempts.add(layer);
        self
    }

    /// The time for a whole call. 30 s by default.
    pub fn deadline(mut self, layer: DeadlineLayer) -> Self {
        self.deadline = layer;
        self
    }

    /// Follows at most so many redirects. 10 by default, as curl's and browsers' users expect a handful; 0 follows none.
    pub fn redirects(mut self, limit: u32) -> Self {
        self.redirects = limit;
        self
    }

    /// Asks for no compression, and leaves compressed answers as they are. By default gzip, brotli and deflate are asked for and unpacked.
    pub fn no_decompression(mut self) -> Self {
        self.decompresses = false;
        self
    }

    /// Another retry, or [`RetryLayer::disabled`]. [`RetryLayer::new`] by default.
    pub fn retry(mut self, layer: RetryLayer) -> Self {
        self.retry = layer;
        self
    }

    /// The time for one attempt. 10 s by default.
    pub fn attempt_timeout(mut self, layer: AttemptTimeoutLayer) -> Self {
        self.attempt_timeout = layer;
        self
    }

    /// How long a body may stand still, streamed ones too. 30 s by default, and event streams as long as they like.
    pub fn body_timeout(mut self, layer: BodyTimeoutLayer) -> Self {
        self.body_timeout = layer;
        self
    }

    /// The time in which a connection must come about. 5 s by default: half an attempt's, so that a dead address leaves time
    /// for another.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Trusts the root certificates in `pem` beside the system's, which are all by default: those of a company's own authority, for one.
    ///
    /// ```no_run
    /// # fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = bartizan::Client::builder("https://api.internal.example")
    ///     .root_certificate_pem(std::fs::read("/etc/ssl/internal-ca.pem")?)
    ///     .build()?;
    /// # let _ = client;
    /// # Ok(()) }
    /// ```
    pub fn root_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.add(pem.into());
        self
    }

    /// Speaks HTTP/1.1 and nothing else. By default the version is agreed on over TLS, and is HTTP/1.1 without.
    pub fn http1_only(mut self) -> Self {
        self.versions = Versions::Http1;
        self
    }

    /// Speaks HTTP/2 and nothing else, without TLS too: then the server must know. By default as [`http1_only`](Self::http1_only) says.
    pub fn http2_only(mut self) -> Self {
        self.versions = Versions::Http2;
        self
    }

    /// Connects through the HTTP proxy at `url`, such as `http://proxy.example.com:3128`. None by default: the variables of
    /// the environment are not read, since who sets them is not always who should.
    pub fn proxy(mut self, url: &str) -> Self {
        self.proxy = Some(url.to_owned());
        self
    }

    /// The client.
    ///
    /// # Errors
    /// When the base URL, the proxy's, a default header or a root certificate is none, or the system's root certificates cannot be read.
    pub fn build(self) -> Result<Client, InvalidClient> {
        let base_url = BaseUrl::new(&self.base_url)?;
        let headers = self.headers.into_iter().collect::<Result<Vec<_>, _>>()?;
        let headers = headers.into_iter().fold(DefaultHeadersLayer::new(), DefaultHeadersLayer::if_absent);

        let proxy = self.proxy.as_deref().map(proxy_uri).transpose()?;
        let http = HttpClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .http2_only(matches!(self.versions, Versions::Http2))
            .build::<_, Full<Bytes>>(connector(
                self.connect_timeout,
                proxy,
                self.versions,
                tls(&self.base_url, &self.roots)?,
            ));

        let decompression = if self.decompresses {
            DecompressionLayer::new()
        } else {
            DecompressionLayer::new().no_gzip().no_br().no_deflate()
        };
        let stack = ServiceBuilder::new()
            .layer(BaseUrlLayer::new(base_url))
            .layer(headers)
            .option_layer(self.gives_keys.then(IdempotencyKeyLayer::new))
            .layer(LogLayer::call())
            .option_layer(self.calls.layer())
            .map_response(boxed)
            .layer(self.deadline)
            .layer(FollowRedirectLayer::with_policy(Redirects::at_most(self.redirects)))
            .layer(decompression)
            .layer(self.retry)
            .layer(LogLayer::attempt())
            .option_layer(self.attempts.layer())
            .layer(self.attempt_timeout)
            .map_response(boxed)
            .layer(self.body_timeout)
            .service(http);
        Ok(Client { inner: bartizan_client::Client::new(stack).boxed() })
    }
}

/// Around the transport and around what changes the body, so that all interceptors see the same type.
fn boxed<B>(response: Response<B>) -> Response<BoxedBody>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    response.map(BoxedBody::new)
}

/// The base URL stands here as it was given: it is shown only if it is one, and so has no credential.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &BaseUrl::new(&self.base_url).ok())
            .field("idempotency_keys", &self.gives_keys)
            .field("deadline", &self.deadline)
            .field("redirects", &self.redirects)
            .field("retry", &self.retry)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("body_timeout", &self.body_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

fn connector(
    connect_timeout: Duration,
    proxy: Option<Uri>,
    versions: Versions,
    tls: ClientConfig,
) -> HttpsConnector<Connector> {
    let mut connector = HttpConnector::new();
    // The layer around it takes `https` as well.
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(connect_timeout));
    let connector = Connector::new(connector, proxy);
    let tls = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    match versions {
        Versions::Agreed => tls.enable_all_versions().wrap_connector(connector),
        Versions::Http1 => tls.enable_http1().wrap_connector(connector),
        Versions::Http2 => tls.enable_http2().wrap_connector(connector),
    }
}

/// Scheme `http`, host and port; a password has no place in it.
fn proxy_uri(url: &str) -> Result<Uri, InvalidClient> {
    let uri = url.parse::<Uri>().ok().filter(|uri| {
        let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        uri.scheme_str() == Some("http") && Origin::of(uri).is_ok() && !has_user && uri.path() == "/"
    });
    uri.ok_or(InvalidClient { fault: Fault::Proxy })
}
