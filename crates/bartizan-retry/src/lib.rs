//! A retry that can be left on: it sends a request again when that may help and can do no harm.
//!
//! ```
//! use bartizan_retry::RetryLayer;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use bytes::Bytes;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), bartizan_core::BoxError> {
//! # let failures = std::sync::atomic::AtomicU32::new(2);
//! # let failures = std::sync::Arc::new(failures);
//! # let http_client = tower::service_fn(move |_: Request<Full<Bytes>>| {
//! #     let left = failures.fetch_update(Relaxed, Relaxed, |n| n.checked_sub(1));
//! #     let status = if left.is_ok() { 503 } else { 200 };
//! #     std::future::ready(Ok::<_, std::io::Error>(Response::builder().status(status).body(()).unwrap()))
//! # });
//! # use std::sync::atomic::Ordering::Relaxed;
//! let client = ServiceBuilder::new().layer(RetryLayer::new()).service(http_client);
//!
//! // The upstream answers 503 twice, then 200.
//! let request = Request::get("http://api.example.com/").body(Full::<Bytes>::default())?;
//! assert_eq!(client.oneshot(request).await?.status(), 200);
//! # Ok(()) }
//! ```
//!
//! # Defaults
//!
//! | | default | set with | why |
//! |---|---|---|---|
//! | which requests | GET, HEAD, OPTIONS, TRACE, PUT, DELETE; any with an `Idempotency-Key`; any whose caller says so | [`Policy::may_repeat`], [`CallContext`](bartizan_core::CallContext) | RFC 9110 section 9.2.2: the others may do twice what was meant once |
//! | after which answers | 408, 425, 429, 500, 502, 503, 504, any error | [`RetryLayer::with_policy`] | 501 and 505 stay as they are; 4xx are the caller's |
//! | how often | 3 attempts in all | [`RetryLayer::max_attempts`] | the standard mode of AWS's SDKs |
//! | how far apart | `U[0, 1) * min(20 s, 50 ms * 2^n)`; 1 s in place of 50 ms after 425 and 429 | [`RetryLayer::backoff`], [`RetryLayer::throttled_backoff`] | full jitter spreads callers best ("Exponential Backoff And Jitter", AWS, 2015) |
//! | `Retry-After` | `it * U[1, 1.5)`, never less than the backoff; above 300 s the answer is returned at once | | never too early, and not everybody in the same second |
//! | a deadline | no wait that would not end before it | `bartizan-timeout` | an answer that nobody waits for is load |
//!
//! # What it does not do
//!
//! It has no clock for an attempt: put `bartizan_timeout::AttemptTimeoutLayer` inside, or a hung origin is never retried. It does
//! not look into response bodies: an error after the head is the caller's. It limits attempts per call; it has no
//! budget for all calls yet, so against an origin that is down it sends up to 3 times the load. It keeps no copy of a request
//! that may not be sent twice, so such a request is not sent again even where nothing was sent.
//!
//! # Errors
//!
//! It has none of its own. Whatever the last attempt gave, response or error, is returned unchanged (a response with
//! [`Attempts`](bartizan_core::Attempts) in its extensions if there were several); why it was the last is told to the
//! [`Hook`] and, with the feature `tracing`, to the log, as a [`Stop`].
//!
//! # Bodies
//!
//! `B: Replay`: `Full` and `Empty` as they are; streams through one [`ReplayLayer`] around the whole stack. The body types of
//! request and response stay what they are.
//!
//! Where a body cannot be sent twice, the compiler says so at the `.call()` or `.oneshot()` of the finished stack, and in
//! many words. `ServiceBuilder::check_service` in the middle of a stack finds the layer that does not fit:
//!
//! ```
//! # use bartizan_core::BoxError;
//! # use bartizan_retry::RetryLayer;
//! # use bytes::Bytes;
//! # use http::{Request, Response};
//! # use http_body_util::Full;
//! # use tower::ServiceBuilder;
//! # type HttpClient = tower::util::BoxCloneSyncService<Request<Full<Bytes>>, Response<()>, BoxError>;
//! let stack = ServiceBuilder::new()
//!     .layer(RetryLayer::new())
//!     .check_service::<HttpClient, Request<Full<Bytes>>, Response<()>, BoxError>();
//! # let _ = stack;
//! ```
//!
//! # Readiness
//!
//! Pass-through: `poll_ready` is the inner's, the readied inner makes the first attempt, and each later one is made by a
//! fresh clone that was polled ready.
//!
//! # Failures
//!
//! | when | what happens |
//! |---|---|
//! | a layer below refuses locally ([`Rejection`](bartizan_core::Rejection)) | waited for once, as long as it says (at most 300 s, `* U[1, 1.5)`, if the deadline allows); not counted as an attempt; a second one is returned |
//! | the future is dropped in an attempt | the attempt's future goes with it |
//! | the future is dropped in a wait | the timer and the copy of the request go with it; nothing is sent |
//! | an attempt times out below | an error like others: sent again if the request may be |
//! | the deadline comes | the wait is not begun, the last result is returned |
//! | a later attempt's inner fails to become ready | that is the attempt's error |
//! | an answer comes while the body is still being sent | it may be retried: the older copy of a stream ends with an error |
//! | the response's body fails | not seen here |
//!
//! # Cost
//!
//! The first attempt costs a reference count, and a clone of the inner, the head and the body if the request may be sent again.
//! A request that may not be costs neither clone nor allocation.
//!
//! Without HTTP, [`Schedule::run`] retries any fallible operation.

mod backoff;
mod call;
pub mod future;
mod hook;
mod kept;
mod layer;
mod policy;
mod replay;
mod run;
mod schedule;
mod service;
mod stop;
mod trace;

pub use backoff::{Backoff, InvalidAttempts, InvalidBackoff, MaxAttempts};
pub use hook::{Hook, Retrying, Stopped};
pub use layer::RetryLayer;
pub use policy::{Attempt, Pace, Policy, RequestHead, Standard, Verdict};
pub use replay::{ReplayLayer, ReplayService};
pub use run::Run;
pub use schedule::Schedule;
pub use service::Retry;
pub use stop::Stop;

#[cfg(test)]
mod tests;
