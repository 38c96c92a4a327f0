use std::convert::Infallible;
use std::fmt;
use std::str;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::{BoxError, RespondBody, WallClock};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, Request, Response, request};
use http_body::Body;
use http_body_util::Full;
use tower_service::Service;

use super::future::ResponseFuture;
use crate::Verified;
use crate::inbox::{Event, Inbox};
use crate::member::member;

/// Puts events into an inbox, and acknowledges them once they are kept there. It is what stands inside of [`VerifyLayer`](crate::VerifyLayer).
///
/// | | |
/// |---|---|
/// | the event is kept | 200 |
/// | it was put before | 200 |
/// | the inbox fails, or takes too long | 503 with `Retry-After`: the sender tries again |
/// | the request was not verified | 500: nobody can put events who has not signed them |
///
/// ```
/// use bartizan_webhook::inbox::VolatileInbox;
/// use bartizan_webhook::{Receiver, SignatureFormat, VerifyLayer};
/// use tower::ServiceBuilder;
///
/// let stripe = SignatureFormat::stripe().verifier(["whsec_1"])?;
/// let service = ServiceBuilder::new()
///     .layer(VerifyLayer::new(stripe))
///     .service(Receiver::new("stripe", VolatileInbox::new()));
/// # let _ = service;
/// # Ok::<(), bartizan_webhook::InvalidFormat>(())
/// ```
#[derive(Clone)]
pub struct Receiver {
    pub(super) config: Arc<Config>,
}

#[derive(Clone)]
pub(super) struct Config {
    source: String,
    pub(super) inbox: Arc<dyn Inbox>,
    event_type: Part,
    order_key: Option<Part>,
    kept_fields: Vec<HeaderName>,
    pub(super) put_timeout: Duration,
    pub(super) retry_after: Duration,
    pub(super) body_limit: usize,
    takes_unverified: bool,
    clock: WallClock,
}

/// A part of a request: the type of an event, or what it is kept in order by.
#[derive(Clone)]
pub struct Part(Found);

type Reading = dyn Fn(&HeaderMap, &Bytes) -> Option<String> + Send + Sync;

#[derive(Clone)]
enum Found {
    Pointer(String),
    Field(HeaderName),
    Function(Arc<Reading>),
}

impl Part {
    /// The text or number at a JSON pointer (RFC 6901) in the body: `/type`, `/event/type`.
    pub fn pointer(pointer: impl Into<String>) -> Self {
        Self(Found::Pointer(pointer.into()))
    }

    /// The value of a header field: `x-github-event`.
    pub fn field(name: HeaderName) -> Self {
        Self(Found::Field(name))
    }

    /// What a function makes of the header fields and the body.
    pub fn by(function: impl Fn(&HeaderMap, &Bytes) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Found::Function(Arc::new(function)))
    }

    fn of(&self, headers: &HeaderMap, body: &Bytes) -> Option<String> {
        match &self.0 {
            Found::Pointer(pointer) => member(body, pointer),
            Found::Field(name) => str::from_utf8(headers.get(name)?.as_bytes()).ok().map(str::to_owned),
            Found::Function(function) => function(headers, body),
        }
    }
}

impl Receiver {
    /// For events of that source, which is a name of your own for the API and the account; ids of one source are told apart from those of another.
    pub fn new(source: impl Into<String>, inbox: impl Inbox) -> Self {
        let config = Config {
            source: source.into(),
            inbox: Arc::new(inbox),
            event_type: Part::pointer("/type"),
            order_key: None,
            kept_fields: vec![CONTENT_TYPE],
            put_timeout: Duration::from_secs(10),
            retry_after: Duration::from_secs(10),
            body_limit: 1024 * 1024,
            takes_unverified: false,
            clock: WallClock::system(),
        };
        Self { config: Arc::new(config) }
    }

    fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }

    /// Where the type of an event stands. The body's `type` by default, as Standard Webhooks has it. An event of which it is not there has the empty type.
    #[must_use]
    pub fn event_type(self, part: Part) -> Self {
        self.with(|config| config.event_type = part)
    }

    /// What events are kept in order by: those of which it is the same are processed one after the other. Nothing by default. An event of which it is not there
    /// is in no order.
    #[must_use]
    pub fn order_by(self, part: Part) -> Self {
        self.with(|config| config.order_key = Some(part))
    }

    /// The header fields that are kept with an event. `Content-Type` by default.
    #[must_use]
    pub fn keep_fields(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.with(|config| config.kept_fields = names.into_iter().collect())
    }

    /// How long the inbox may take. 10 s by default: senders wait for 15 to 30 s in all.
    #[must_use]
    pub fn put_timeout(self, timeout: Duration) -> Self {
        self.with(|config| config.put_timeout = timeout)
    }

    /// What a 503 asks for. 10 s by default.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        self.with(|config| config.retry_after = wait)
    }

    /// How many bytes a body may have that no [`VerifyLayer`](crate::VerifyLayer) has read. 1 MiB by default.
    #[must_use]
    pub fn body_limit(self, bytes: usize) -> Self {
        self.with(|config| config.body_limit = bytes)
    }

    /// Takes requests that nobody has verified: of a sender who does not sign, behind a guard of your own. Off by default. Their events have no id.
    #[must_use]
    pub fn take_unverified(self) -> Self {
        self.with(|config| config.takes_unverified = true)
    }

    /// Where the date of receipt is read. The system's clock by default.
    #[must_use]
    pub fn wall_clock(self, clock: WallClock) -> Self {
        self.with(|config| config.clock = clock)
    }
}

impl Config {
    pub(super) fn takes(&self, head: &request::Parts) -> bool {
        self.takes_unverified || head.extensions.get::<Verified>().is_some()
    }

    pub(super) fn event(&self, head: &request::Parts, body: Bytes) -> Event {
        let event_type = self.event_type.of(&head.headers, &body).unwrap_or_default();
        let order_key = self.order_key.as_ref().and_then(|part| part.of(&head.headers, &body));
        let mut kept = HeaderMap::new();
        for name in &self.kept_fields {
            for value in head.headers.get_all(name) {
                kept.append(name, value.clone());
            }
        }
        let mut event = Event::new(&*self.source, event_type, self.clock.now(), body).with_headers(kept);
        if let Some(id) = head.extensions.get().and_then(Verified::event_id) {
            event = event.with_id(id.as_str(), id.is_signed());
        }
        match order_key {
            Some(key) => event.with_order_key(key),
            None => event,
        }
    }
}

impl<B> Service<Request<B>> for Receiver
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Response = Response<RespondBody<Full<Bytes>>>;
    type Error = Infallible;
    type Future = ResponseFuture<B>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture<B> {
        ResponseFuture::new(request, self.config.clone())
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("source", &self.config.source).finish_non_exhaustive()
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Found::Pointer(pointer) => write!(f, "Part({pointer:?})"),
            Found::Field(name) => write!(f, "Part({name})"),
            Found::Function(_) => f.write_str("Part(..)"),
        }
    }
}
