//! Spans and metrics of HTTP calls, with the names of OpenTelemetry's semantic conventions; and `traceparent`, as tower layers.
//!
//! ```
//! use bartizan_observe::ObserveLayer;
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), bartizan_core::BoxError> {
//! # let retry = tower::layer::util::Identity::new();
//! # let http_client = tower::service_fn(|_: Request<()>| async { Ok::<_, std::io::Error>(Response::new(())) });
//! let client = ServiceBuilder::new()
//!     .layer(ObserveLayer::call())
//!     .layer(retry)
//!     .layer(ObserveLayer::attempt())
//!     .service(http_client);
//!
//! client.oneshot(Request::get("https://api.example.com/users?token=s3cr3t").body(())?).await?;
//! # Ok(()) }
//! ```
//!
//! # Spans
//!
//! [`ObserveLayer::call`] stands around the whole stack and makes one INTERNAL span for each call, `bartizan_observe::call`.
//! [`ObserveLayer::attempt`] stands inside of all that may refuse or send again, and makes one CLIENT span for each attempt,
//! `bartizan_observe::attempt`: so a local refusal has none. Both are at the level info. The layer cannot see where it was put. Where it
//! stands outside of a layer that refuses, `otel.kind` becomes `internal` once that is known.
//!
//! | field | | call | attempt |
//! |---|---|---|---|
//! | `otel.kind` | `internal`, `client` | ✓ | ✓ |
//! | `otel.name` | `GET /users/{id}` with a [`PathTemplate`](bartizan_core::PathTemplate), else `GET`; `HTTP` for a method that is not known | ✓ | ✓ |
//! | `http.request.method` | of RFC 9110, or PATCH; else `_OTHER`, and then `http.request.method_original` | ✓ | ✓ |
//! | `url.full` | without user information, with `REDACTED` for each value of the query: which of them are secrets nobody knows | ✓ | ✓ |
//! | `url.template` | the `PathTemplate` | ✓ | ✓ |
//! | `server.address`, `server.port` | of the URI | ✓ | ✓ |
//! | `http.request.resend_count` | from the second attempt on | | ✓ |
//! | `http.response.status_code` | if there is a response | ✓ | ✓ |
//! | `error.type` | the status from 500 on, of an attempt from 400 on; else the name of an error, see below | ✓ | ✓ |
//! | `otel.status_code` | `ERROR` with an `error.type`, but for `dropped` | ✓ | ✓ |
//! | `bartizan.attempts` | how many were made; not there if the call was dropped, or failed by an error at once, since then nobody says | ✓ | |
//! | `trace_id`, `span_id` | what is in `traceparent` | ✓ | ✓ |
//!
//! No field of the header is in a span, and no text of an error, which may quote anything: `bartizan_client::log` writes those, redacted. A
//! secret in the *path* is shown.
//!
//! A span ends with the response's head. The conventions allow that or the end of the body, and advise the head where a caller may
//! leave the rest unread, which anybody may here. It also keeps the body's type. A span is entered while its future is polled, and
//! during `call`.
//!
//! | `error.type` | |
//! |---|---|
//! | `attempt_timeout`, `deadline_exceeded`, `body_stalled`, `body_too_slow` | of bartizan-timeout, with the feature `timeout` |
//! | `circuit_open` | of bartizan-circuit-breaker, with the feature `circuit-breaker` |
//! | `rate_limited`, `bulkhead_full` | of bartizan-rate-limit, with the feature `rate-limit` |
//! | `no_credential`, `other_origin` | of bartizan-auth, with the feature `auth` |
//! | `refused` | another layer said no, and nothing was sent |
//! | `connect`, `not_processed`, `incomplete` | the transport, as far as its errors tell; more of them with the feature `hyper` |
//! | `timeout`, `connection_reset` | likewise, by the kind of an `io::Error` |
//! | `dropped` | the future was dropped before there was a result |
//! | `_OTHER` | any other error |
//!
//! # traceparent
//!
//! By W3C Trace Context, level 1. A request's `traceparent` stays that of its call; each attempt gets a child of it with a span id of its own,
//! which is in the span too. `tracestate` is passed on as it is. With [`start_traces`](ObserveLayer::start_traces) a request that has none gets one. What cannot be
//! read as one is left alone else. Where nobody listens the header passes as it is: a parent that nobody saw would break
//! the trace. With `tracing-opentelemetry` it is the owner of the ids: see [`inject`](ObserveLayer::inject).
//!
//! # Events
//!
//! Each layer tells of what it does in events of `tracing`, with its crate's feature `tracing`. The targets and messages stay as they are:
//!
#![doc = include_str!("../events.md")]
//!
//! # Metrics
//!
//! With the feature `metrics`: the module `metrics` has the hook of all layers, and the table of what it writes.
//!
//! # Failures
//!
//! | when | what happens |
//! |---|---|
//! | the inner fails | its error passes through, and the span has its name |
//! | the future is dropped, polled or not | the inner future goes first, then the span ends as `dropped` |
//! | a service fails to become ready | there is no call, hence no span |
//! | the body fails later | nobody is told: the span is over |
//!
//! # Defaults
//!
//! | what | default | why |
//! |---|---|---|
//! | starting traces | no | who has none may not want any |
//! | hook | none | |
//!
//! # Errors
//!
//! `type Error = BoxError`, although the layer has none of its own: to name an error it must look into it, and no
//! bound short of `Into<BoxError>` takes both the error of an HTTP client and `BoxError`. The error inside is the inner's, untouched.
//!
//! # Readiness
//!
//! Pass-through: `poll_ready` is the inner's, and `call` calls the readied inner at once.
//!
//! # Cost
//!
//! Where nobody listens, neither to the span nor by a hook: no heap, no lock, no clock; tracing's own look at whether anybody does.
//! Else the span's fields, two clock reads, one allocation, and a clone of method and URI.

#[cfg(feature = "metrics")]
mod counted {
    #[cfg(feature = "auth")]
    mod auth;
    #[cfg(feature = "cache")]
    mod cache;
    #[cfg(feature = "circuit-breaker")]
    mod circuit_breaker;
    #[cfg(feature = "rate-limit")]
    mod rate_limit;
    #[cfg(feature = "retry")]
    mod retry;
    #[cfg(feature = "timeout")]
    mod timeout;
    #[cfg(feature = "webhook")]
    mod webhook;
}
mod entry;
pub mod future;
mod hook;
mod known {
    #[cfg(feature = "auth")]
    pub(crate) mod auth;
    #[cfg(feature = "circuit-breaker")]
    pub(crate) mod circuit_breaker;
    #[cfg(feature = "rate-limit")]
    pub(crate) mod rate_limit;
    #[cfg(feature = "timeout")]
    pub(crate) mod timeout;
}
mod layer;
#[cfg(feature = "metrics")]
pub mod metrics;
mod named;
mod propagation;
mod record;
mod service;
mod span;
#[cfg(test)]
mod tests;
mod trace_context;

pub use hook::Hook;
pub use layer::ObserveLayer;
pub use record::{ErrorType, Record, Scope};
pub use service::Observe;

/// Stands for a value that is not shown, by the semantic conventions.
const REDACTED: &str = "REDACTED";

/// Who names the errors of layers.
const READERS: &[named::Reader] = &[
    #[cfg(feature = "auth")]
    known::auth::read,
    #[cfg(feature = "circuit-breaker")]
    known::circuit_breaker::read,
    #[cfg(feature = "rate-limit")]
    known::rate_limit::read,
    #[cfg(feature = "timeout")]
    known::timeout::read,
];
