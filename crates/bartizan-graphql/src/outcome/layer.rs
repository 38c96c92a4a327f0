use std::sync::Arc;

use bartizan_core::WallClock;
use tower_layer::Layer;

use super::service::{Config, GraphqlOutcome};
use crate::Codes;

/// Reads answers, so that retry, circuit breaker and rate limiter know what they mean.
///
/// GraphQL answers most failures with 200. This layer reads the answer's body, judges it by the codes of its errors, and leaves the
/// [`Outcome`](bartizan_core::Outcome) in the response's extensions, and a [`RetryHint`](bartizan_core::RetryHint) where the body says how long to
/// wait or that nothing was done. Layers outside of it honour these marks before the status. The answer goes on as it is: the same
/// head, bytes and trailers.
///
/// It stands inside of retry, limiter and breaker, and inside of the attempt timeout, so that a body that hangs is an attempt that
/// timed out:
///
/// ```
/// use bartizan_core::Outcome;
/// use bartizan_graphql::GraphqlOutcomeLayer;
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use tower::{ServiceBuilder, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let http_client = tower::service_fn(|_: Request<Full<Bytes>>| async {
///     let throttled = r#"{"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}"#;
///     Response::builder().header("content-type", "application/json").body(Full::from(throttled))
/// });
/// let client = ServiceBuilder::new()
///     // .layer(RetryLayer::new()) and whatever else judges answers
///     .layer(GraphqlOutcomeLayer::new())
///     .service(http_client);
///
/// let answer = client.oneshot(Request::post("http://api.example.com/graphql").body(Full::default())?).await?;
/// assert_eq!((answer.status().as_u16(), answer.extensions().get()), (200, Some(&Outcome::Throttled)));
/// # Ok(()) }
/// ```
///
/// # What is judged
///
/// | media type | status | body | outcome |
/// |---|---|---|---|
/// | `application/graphql-response+json` | any | a GraphQL response | by the table below |
/// | `application/json` | 200 | a GraphQL response | by the table below |
/// | either of them, so | | broken off, or no JSON | `Failure`: the server, or the way to it |
/// | either of them, so | | other JSON, a list too | by status, as without this layer |
/// | either of them, so | | empty, or above [1 MiB](Self::max_body), or with a `Content-Encoding` | by status |
/// | `application/json` | any other | not read: it may be from somebody on the way | by status |
/// | any other: HTML, `multipart/mixed`, `text/event-stream` | any | not read | by status |
///
/// "By status" is what the classifier of the layers outside says; there is no mark.
///
/// | the response | outcome | retry | circuit breaker | rate limiter |
/// |---|---|---|---|---|
/// | has no errors | by status; `Success` if that is no 2xx, and there is data | | | |
/// | [throttled](crate::Kind::Throttled), with or without data | `Throttled` | after the wait | success | pauses for the wait |
/// | other errors, and data in some field | `Success`: a part is there, and the rest is for the caller to judge | none | success | |
/// | [overloaded](crate::Kind::Overloaded) or [transient](crate::Kind::Transient), no data | `Failure` | of what may be sent again | failure | |
/// | [auth](crate::Kind::Auth), [invalid](crate::Kind::Invalid) or [domain](crate::Kind::Domain), no data | `Success`: another attempt would change nothing | none | success | |
/// | errors without a known code, no data | by status: `Success` for 200, a failure for 503 | | | |
///
/// Of several errors the kind decides that stands first in [`Codes`]. Data is a field that is not `null`, but for `__typename`: when all that was
/// asked for is `null` and has an error, nothing was got.
///
/// # Throttled
///
/// The wait is `Retry-After` if the answer has it; else what is missing to the cost of the query, at the rate at which it is restored
/// (`extensions.cost`, Shopify); else the time until `X-RateLimit-Reset` if `X-RateLimit-Remaining` is 0 (GitHub). If there is no member `data` and all errors say
/// throttled and none has a path, nothing was executed: then mutations go again too, if retry keeps a copy of such
/// requests (`bartizan-retry`'s feature `hyper`). A mutation of which a part may be done does not, but with an idempotency key.
///
/// # What it does not do
///
/// It does not look at requests: which may be sent twice is retry's to know, by the method, the key, or
/// [`safe_to_repeat`](bartizan_core::RetryOverride::safe_to_repeat). It has no clock: how long a body takes is bounded by the
/// timeouts outside of it. It cannot read what is compressed: decompression has to stand inside of it.
///
/// # Failures
///
/// | when | what happens |
/// |---|---|
/// | the inner fails | its error comes out, and its type stays |
/// | the body fails while it is read | the head comes out marked as a `Failure`; the body gives what came, then its error |
/// | the body is longer than what is read | the head comes out without a mark once that much is there, and the rest is read as it comes |
/// | the future is dropped | the inner's future, or the body, goes with it |
///
/// # Readiness
///
/// Pass-through: `poll_ready` is the inner's, and the readied inner is called.
///
/// # Cost
///
/// An answer of another media type costs the look at its `Content-Type`. Of others the head is held until the body is there, which is
/// looked through once; `data` is skipped. A body that comes in one frame is not copied, one in several is joined, once. Without errors the one
/// allocation is a few bytes in which the JSON reader notes how deep it is.
#[derive(Clone, Debug)]
pub struct GraphqlOutcomeLayer {
    config: Arc<Config>,
}

impl GraphqlOutcomeLayer {
    /// With [`Codes::standard`].
    pub fn new() -> Self {
        Self {
            config: Arc::new(Config {
                enabled: true,
                codes: Codes::standard(),
                max_body: 1 << 20,
                wall_clock: WallClock::system(),
            }),
        }
    }

    /// Reads nothing, whatever else is set. The same type, for configuration.
    pub fn disabled() -> Self {
        Self::new().with(|config| config.enabled = false)
    }

    /// What the codes of errors mean. [`Codes::standard`] by default.
    #[must_use]
    pub fn codes(self, codes: Codes) -> Self {
        self.with(|config| config.codes = codes)
    }

    /// How many bytes of a body are read at most; what is longer is not judged. 1 MiB by default, since errors come early or alone, and
    /// this much is held for each call.
    #[must_use]
    pub fn max_body(self, bytes: usize) -> Self {
        self.with(|config| config.max_body = bytes)
    }

    /// The clock that `X-RateLimit-Reset` is measured with if the answer has no `Date`. The system's by default.
    #[must_use]
    pub fn wall_clock(self, clock: WallClock) -> Self {
        self.with(|config| config.wall_clock = clock)
    }

    fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }
}

impl Default for GraphqlOutcomeLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for GraphqlOutcomeLayer {
    type Service = GraphqlOutcome<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GraphqlOutcome { inner, config: self.config.clone() }
    }
}
