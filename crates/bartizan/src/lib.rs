//! Independent tower layers that make calling other people's HTTP APIs safe, under one name.
//!
//! Each layer is a crate of its own, which may as well be used alone. This one re-exports them, one feature each:
//!
//! | feature | module | what it does |
//! |---|---|---|
//! | `retry` (default) | [`retry`] | sends a request again when that may help and can do no harm |
//! | `idempotency-key` | [`retry`] | keys for requests that may only be worked on once |
//! | `timeout` (default) | [`timeout`] | bounds attempts, whole calls, and the waits for a body |
//! | `circuit-breaker` | `circuit_breaker` | stops calling an origin that fails |
//! | `auth` | `auth` | puts credentials on requests to the origins that they are meant for |
//! | `oauth` | `auth` | the grants of OAuth 2.0, and tokens from an API's own endpoint |
//! | `private-key-jwt` | `auth` | keys of OAuth clients that sign |
//! | `auth-server` | `auth` | lets through who is known, on the server side |
//! | `cache` | `cache` | answers from memory what was asked before, by RFC 9111 |
//! | `targeted-fields` | `cache` | the same by the fields that are meant for such caches alone |
//! | `observe` | `observe` | a span for each call and each attempt, and `traceparent` |
//! | `metrics` | `observe` | counts and times of every layer that is switched on |
//! | `rate-limit` | `rate_limit` | sends no more than a quota allows, and heeds what the server says of its own |
//! | `structured-fields` | `rate_limit` | the same from the IETF draft's `RateLimit` fields |
//! | `axum-08` | `rate_limit`, `webhook` | keys by the peer address, on the server side; an extractor of webhooks |
//! | `client` | `Client`, `client` | one line to a whole client: hyper-util with TLS in the standard stack, verbs, typed JSON |
//! | `stack` | `Stack` | all of the layers in their standard order, in one line |
//! | `graphql` | `graphql` | a client of GraphQL, batches, and outcomes of answers that say 200 |
//! | `webhook` | `webhook` | webhooks: verified, signed, kept in an inbox, given to handlers |
//! | `webhook-ed25519` | `webhook` | the same by Ed25519 |
//! | `tracing` | | events of every layer that is switched on |
//!
//! How they are put together, and what comes of it, tells the module `guide`, which is there in the docs alone.
//!
//! It adds no behaviour to them, but for the client of one line; defaults and their reasons stand in each layer's own docs.
//!
//! They are composed with `tower::ServiceBuilder`, outermost first: a deadline for the call, then retry, then a timeout
//! for each attempt, then the transport.
//!
//! ```
//! use bartizan::retry::RetryLayer;
//! use bartizan::timeout::{AttemptTimeoutLayer, DeadlineLayer};
//! use tower::ServiceBuilder;
//!
//! let stack = ServiceBuilder::new()
//!     .layer(DeadlineLayer::default())
//!     .layer(RetryLayer::new())
//!     .layer(AttemptTimeoutLayer::default());
//! # let _ = stack;
//! ```

#[cfg(feature = "client")]
mod api_client;
#[cfg(all(
    doc,
    feature = "auth-server",
    feature = "axum-08",
    feature = "client",
    feature = "graphql",
    feature = "metrics",
    feature = "oauth",
    feature = "stack",
    feature = "webhook"
))]
pub mod guide;
#[cfg(all(feature = "observe", feature = "stack"))]
mod observed;
#[cfg(feature = "stack")]
mod stack;
#[cfg(feature = "stack")]
mod trace;

#[cfg(feature = "client")]
pub use api_client::{Client, ClientBuilder, InvalidClient};

#[cfg(feature = "auth")]
#[doc(no_inline)]
pub use bartizan_auth as auth;
#[cfg(feature = "cache")]
#[doc(no_inline)]
pub use bartizan_cache as cache;
#[cfg(feature = "circuit-breaker")]
#[doc(no_inline)]
pub use bartizan_circuit_breaker as circuit_breaker;
#[cfg(feature = "client")]
#[doc(no_inline)]
pub use bartizan_client as client;
#[doc(no_inline)]
pub use bartizan_core as core;
#[cfg(feature = "graphql")]
#[doc(no_inline)]
pub use bartizan_graphql as graphql;
#[cfg(feature = "observe")]
#[doc(no_inline)]
pub use bartizan_observe as observe;
#[cfg(feature = "rate-limit")]
#[doc(no_inline)]
pub use bartizan_rate_limit as rate_limit;
#[cfg(feature = "retry")]
#[doc(no_inline)]
pub use bartizan_retry as retry;
#[cfg(feature = "timeout")]
#[doc(no_inline)]
pub use bartizan_timeout as timeout;
#[cfg(feature = "webhook")]
#[doc(no_inline)]
pub use bartizan_webhook as webhook;
#[cfg(feature = "stack")]
pub use stack::{BuiltStack, Facts, InvalidStack, Layers, Own, Part, Stack, Warning};

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
