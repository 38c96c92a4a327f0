//! A bulkhead: no more than so many calls under way at once for each origin, so that one upstream that is slow does not take all that a
//! caller has.
//!
//! ```
//! use std::num::NonZeroUsize;
//!
//! use bartizan_core::{BoxError, find_source};
//! use bartizan_rate_limit::bulkhead::{BulkheadFull, BulkheadLayer};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), BoxError> {
//! # let http_client = tower::service_fn(|_: Request<()>| async {
//! #     Ok::<_, BoxError>(Response::new(Full::new(Bytes::from("hello"))))
//! # });
//! let client = ServiceBuilder::new().layer(BulkheadLayer::new(NonZeroUsize::MIN)).service(http_client);
//! let get = || Request::get("http://api.example.com/").body(());
//!
//! // The body has not been read yet, so the call is still under way.
//! let response = client.clone().oneshot(get()?).await?;
//! let error = client.clone().oneshot(get()?).await.unwrap_err();
//! assert!(find_source::<BulkheadFull>(&*error).is_some());
//! assert_eq!(
//!     error.to_string(),
//!     "bulkhead of http://api.example.com is full (at most 1 at once and 0 in line), nothing was sent"
//! );
//!
//! assert_eq!(response.into_body().collect().await?.to_bytes(), "hello");
//! client.oneshot(get()?).await?;
//! # Ok(()) }
//! ```
//!
//! A call is under way from the moment that it is let through until the end of the response's body, an error, or the drop of whichever
//! of future and body there is. It limits how many there are at once, not how many there are in a second; that is [`RateLimit`](crate::RateLimit).
//!
//! # Defaults
//!
//! | | default | set with | why |
//! |---|---|---|---|
//! | a bulkhead | for each origin (scheme, host, port), at most 10,000 beside the first | [`BulkheadLayer::key_by`], [`max_keys`](BulkheadLayer::max_keys) | one API that hangs must not keep calls from another; memory is bounded |
//! | limit | none: it has to be said | [`BulkheadLayer::new`] | nobody else knows what the upstream bears |
//! | queue | nobody waits | [`BulkheadLayer::queue`] | a queue before something slow only makes all of them slow |
//! | wait | 30 s, and no longer than the call's deadline | [`BulkheadLayer::max_wait`] | as long as a whole call has |
//!
//! # What it does not do
//!
//! The limit stays as it was set; it does not follow the upstream's latency. Its state is that of one process. A body that nobody reads and
//! nobody drops keeps its permit: put a body timeout inside.
//!
//! # Errors
//!
//! [`BulkheadFull`], with a [`Rejection`](bartizan_core::Rejection) as its source: nothing was sent, and nobody knows when trying again helps. On the server
//! side [`respond`](BulkheadLayer::respond) makes it a 503 with problem details.
//!
//! # Where it stands
//!
//! Inside retry, so that a call which waits before its next attempt keeps no permit, and outside circuit breaker and attempt timeout, so that a wait
//! is not the origin's slowness.
//!
//! # Readiness
//!
//! Gate: `poll_ready` polls the inner and is ready in any case. A call that is let through uses the readied inner, or takes that instance along
//! and polls it on. Who waits or is refused keeps nothing of the inner; a fresh clone takes the place of a readied one.
//!
//! # Failures
//!
//! | when | what happens |
//! |---|---|
//! | all permits are taken and nobody may wait, or as many wait as may | [`BulkheadFull`] at once ([`Reason::Full`]) |
//! | no permit has come in time | [`BulkheadFull`] then ([`Reason::MaxWait`], [`Reason::Deadline`]) |
//! | the deadline is over when a wait would begin | [`BulkheadFull`] at once ([`Reason::Deadline`]) |
//! | a call that waits is dropped | its place is free; a permit that had come goes to the next |
//! | one who waits is not polled | he keeps a permit that has come; else his place until his time is up |
//! | the future is dropped, or the inner fails | the permit is free once the inner's future is gone |
//! | the body ends, breaks off or is dropped | the permit is free |
//! | more keys than are kept are in use | those that find no room share one bulkhead |
//!
//! # Cost
//!
//! Where a permit is free and nobody waits: no heap, one read-modify-write to take it and one to free it; no lock for the first origin or other key,
//! one shared read beyond. A call that waits is boxed, and takes a short lock to join, to look and to leave.
//!
//! Without HTTP, [`Bulkhead`] is the engine.

mod body;
mod bulkheads;
mod engine;
mod error;
pub mod future;
mod layer;
mod service;
pub(crate) mod slots;

pub use body::PermittedBody;
pub use engine::{Acquire, Bulkhead, Permit};
pub use error::{BulkheadFull, Reason};
pub use layer::BulkheadLayer;
pub use service::BulkheadService;

#[cfg(test)]
mod tests;
