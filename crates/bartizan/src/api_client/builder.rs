use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bartizan_client::log::LogLayer;
use bartizan_client::{BaseUrl, BaseUrlLayer, DefaultHeadersLayer, InvalidBaseUrl};
use bartizan_core::{BoxError, Header, InvalidHeader, Origin};
use bartizan_retry::RetryLayer;
use bartizan_timeout::{AttemptTimeoutLayer, DeadlineLayer};
use bytes::Bytes;
use http::Uri;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use tower::ServiceBuilder;
use tower_http::decompression::DecompressionLayer;
use tower_http::follow_redirect::FollowRedirectLayer;

use super::Client;
use super::proxy::Connector;
use super::redirects::Redirects;

/// Builds a [`Client`].
///
/// | | default | set with |
/// |---|---|---|
/// | the whole call, through a body that is read, to the head of one that is streamed | 30 s | [`deadline`](Self::deadline) |
/// | redirects | at most 10; on another origin without credentials | [`redirects`](Self::redirects) |
/// | decompression | gzip, brotli, deflate | [`no_decompression`](Self::no_decompression) |
/// | retry | 3 attempts of what may be sent again | [`retry`](Self::retry) |
/// | one attempt | 10 s | [`attempt_timeout`](Self::attempt_timeout) |
/// | a connection | 5 s to come about | [`connect_timeout`](Self::connect_timeout) |
/// | an HTTP proxy | none, whatever the environment says | [`proxy`](Self::proxy) |
/// | TLS | rustls on ring, the system's root certificates | |
/// | HTTP | 1.1 and, where TLS agrees on it, 2 | [`http1_only`](Self::http1_only), [`http2_only`](Self::http2_only) |
///
/// The order, outermost first: base URL, default headers, log of calls, deadline, redirects, decompression, retry, log of
/// attempts, attempt timeout, transport. The log is `tracing`'s, with the feature of that name. A redirect is part of the call, and each hop has its own attempts.
#[derive(Clone)]
#[must_use = "a builder does nothing until it builds"]
pub struct ClientBuilder {
    base_url: String,
    headers: Vec<Result<Header, InvalidHeader>>,
    deadline: DeadlineLayer,
    redirects: u32,
    decompresses: bool,
    retry: RetryLayer,
    attempt_timeout: AttemptTimeoutLayer,
    connect_timeout: Duration,
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
            deadline: DeadlineLayer::default(),
            redirects: 10,
            decompresses: true,
            retry: RetryLayer::new(),
            attempt_timeout: AttemptTimeoutLayer::default(),
            connect_timeout: Duration::from_secs(5),
            versions: Versions::Agreed,
            proxy: None,
        }
    }

    /// A header field that each request has, unless it brings its own. What it holds is kept out of `Debug`.
    pub fn default_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(Header::new(name, value).map(Header::sensitive));
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

    /// Asks for no compression, and leaves compressed answers as they are.
    pub fn no_decompression(mut self) -> Self {
        self.decompresses = false;
        self
    }

    /// Another retry, or [`RetryLayer::disabled`].
    pub fn retry(mut self, layer: RetryLayer) -> Self {
        self.retry = layer;
        self
    }

    /// The time for one attempt. 10 s by default.
    pub fn attempt_timeout(mut self, layer: AttemptTimeoutLayer) -> Self {
        self.attempt_timeout = layer;
        self
    }

    /// The time in which a connection must come about. 5 s by default: half an attempt's, so that a dead address leaves time
    /// for another.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Speaks HTTP/1.1 and nothing else.
    pub fn http1_only(mut self) -> Self {
        self.versions = Versions::Http1;
        self
    }

    /// Speaks HTTP/2 and nothing else, without TLS too: then the server must know.
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
    /// When the base URL, the proxy's or a default header is none, or the system's root certificates cannot be read.
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
                tls(&self.base_url)?,
            ));

        let decompression = if self.decompresses {
            DecompressionLayer::new()
        } else {
            DecompressionLayer::new().no_gzip().no_br().no_deflate()
        };
        let stack = ServiceBuilder::new()
            .layer(BaseUrlLayer::new(base_url))
            .layer(headers)
            .layer(LogLayer::call())
            .layer(self.deadline)
            .layer(FollowRedirectLayer::with_policy(Redirects::at_most(self.redirects)))
            .layer(decompression)
            .layer(self.retry)
            .layer(LogLayer::attempt())
            .layer(self.attempt_timeout)
            .service(http);
        Ok(Client { inner: bartizan_client::Client::new(stack).boxed() })
    }
}

/// The base URL stands here as it was given: it is shown only if it is one, and so has no credential.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &BaseUrl::new(&self.base_url).ok())
            .field("deadline", &self.deadline)
            .field("redirects", &self.redirects)
            .field("retry", &self.retry)
            .field("attempt_timeout", &self.attempt_timeout)
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

/// The system's root certificates. A client of a plain `http` API can do without them.
fn tls(base_url: &str) -> Result<ClientConfig, InvalidClient> {
    let loaded = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // What the system has and rustls cannot read is left out, as browsers do.
    roots.add_parsable_certificates(loaded.certs);
    if roots.is_empty() && base_url.starts_with("https") {
        let error = loaded.errors.into_iter().next().map(Into::into);
        return Err(InvalidClient { fault: Fault::NoCertificates(error) });
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the ciphers of TLS 1.2 and 1.3");
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Why a client cannot be built.
#[derive(Debug)]
pub struct InvalidClient {
    fault: Fault,
}

#[derive(Debug)]
enum Fault {
    BaseUrl(InvalidBaseUrl),
    Header(InvalidHeader),
    Proxy,
    NoCertificates(Option<BoxError>),
}

impl From<InvalidBaseUrl> for InvalidClient {
    fn from(error: InvalidBaseUrl) -> Self {
        Self { fault: Fault::BaseUrl(error) }
    }
}

impl From<InvalidHeader> for InvalidClient {
    fn from(error: InvalidHeader) -> Self {
        Self { fault: Fault::Header(error) }
    }
}

impl fmt::Display for InvalidClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Fault::BaseUrl(error) => error.fmt(f),
            Fault::Header(error) => error.fmt(f),
            Fault::Proxy => f.write_str(
                "the URL of the proxy is none; use scheme, host and port alone, such as `http://proxy.example.com:3128`",
            ),
            Fault::NoCertificates(_) => f.write_str(
                "the system has no root certificates for TLS; install them (Debian: ca-certificates) or name a file in \
                 SSL_CERT_FILE",
            ),
        }
    }
}

impl Error for InvalidClient {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.fault {
            Fault::BaseUrl(error) => error.source(),
            Fault::Header(error) => error.source(),
            Fault::Proxy => None,
            Fault::NoCertificates(error) => error.as_ref().map(|error| &**error as _),
        }
    }
}
