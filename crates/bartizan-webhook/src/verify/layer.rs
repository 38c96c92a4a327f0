use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::WallClock;
use tower_layer::Layer;

use super::Verify;
use super::meta::MetaHandshake;
use crate::Scheme;

/// Lets through what the sender has signed, and answers all else.
///
/// The inner service gets the body as it was verified, and [`Verified`](crate::Verified) in the extensions.
///
/// ```
/// use bartizan_webhook::{SignatureFormat, VerifyLayer};
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let github = SignatureFormat::github().verifier(["It's a Secret to Everybody"])?;
/// let app = ServiceBuilder::new().layer(VerifyLayer::new(github)).service(service_fn(async |request: Request<Full<Bytes>>| {
///     Ok::<_, std::convert::Infallible>(Response::new(request.into_body()))
/// }));
///
/// let request = Request::post("/webhooks")
///     .header("x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
///     .body(Full::new(Bytes::from("Hello, World!")))?;
/// assert_eq!(app.clone().oneshot(request).await?.status(), 200);
/// assert_eq!(app.oneshot(Request::new(Full::<Bytes>::default())).await?.status(), 401);
/// # Ok(()) }
/// ```
pub struct VerifyLayer<H = ()> {
    config: Config<H>,
}

pub(super) struct Config<H> {
    pub(super) scheme: Arc<dyn Scheme>,
    pub(super) body_limit: usize,
    pub(super) body_timeout: Duration,
    pub(super) meta: Option<MetaHandshake>,
    pub(super) clock: WallClock,
    pub(super) hook: Arc<H>,
}

impl VerifyLayer {
    /// Requests of that sender.
    pub fn new(scheme: impl Scheme) -> Self {
        let config = Config {
            scheme: Arc::new(scheme),
            body_limit: 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            meta: None,
            clock: WallClock::system(),
            hook: Arc::new(()),
        };
        Self { config }
    }
}

impl<H> VerifyLayer<H> {
    /// How many bytes a body may have. 1 MiB by default: Standard Webhooks asks senders for less than 20 KiB. A longer one is a 413, before it is read where it is announced.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.config.body_limit = bytes;
        self
    }

    /// How long a body may take. 10 s by default, and a 408 then: senders wait for 15 to 30 s in all.
    #[must_use]
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.config.body_timeout = timeout;
        self
    }

    /// Answers Meta's handshake, a GET with `hub.challenge`, for whoever knows that token; with another one it is a 403. Off by default.
    #[must_use]
    pub fn meta_handshake(mut self, verify_token: impl Into<String>) -> Self {
        self.config.meta = Some(MetaHandshake::new(verify_token.into()));
        self
    }

    /// What timestamps and the ends of keys are held against. The system's clock by default.
    #[must_use]
    pub fn wall_clock(mut self, clock: WallClock) -> Self {
        self.config.clock = clock;
        self
    }

    /// Told what becomes of each request. Nobody is by default.
    #[must_use]
    pub fn hook<G>(self, hook: G) -> VerifyLayer<G> {
        let Config { scheme, body_limit, body_timeout, meta, clock, .. } = self.config;
        VerifyLayer { config: Config { scheme, body_limit, body_timeout, meta, clock, hook: Arc::new(hook) } }
    }
}

impl<S, H> Layer<S> for VerifyLayer<H> {
    type Service = Verify<S, H>;

    fn layer(&self, inner: S) -> Verify<S, H> {
        Verify { inner, config: Arc::new(self.config.clone()) }
    }
}

impl<H> Clone for VerifyLayer<H> {
    fn clone(&self) -> Self {
        Self { config: self.config.clone() }
    }
}

impl<H> Clone for Config<H> {
    fn clone(&self) -> Self {
        Self {
            scheme: self.scheme.clone(),
            body_limit: self.body_limit,
            body_timeout: self.body_timeout,
            meta: self.meta.clone(),
            clock: self.clock.clone(),
            hook: self.hook.clone(),
        }
    }
}

impl<H> fmt::Debug for VerifyLayer<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyLayer")
            .field("scheme", &self.config.scheme)
            .field("body_limit", &self.config.body_limit)
            .field("body_timeout", &self.config.body_timeout)
            .finish_non_exhaustive()
    }
}
