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
//! # let failures = std::sync::atomic::AtomicU32::new(1);
//! # let failures = std::sync::Arc::new(failures);
//! # let http_client = tower::service_fn(move |_: Request<Full<Bytes>>| {
//! #     let left = failures.fetch_update(Relaxed, Relaxed, |n| n.checked_sub(1));
//! #     let status = if left.is_ok() { 503 } else { 200 };
//! #     let response = Response::builder().status(status).body(Full::<Bytes>::default());
//! #     std::future::ready(Ok::<_, std::io::Error>(response.unwrap()))
//! # });
//! # use std::sync::atomic::Ordering::Relaxed;
//! let client = ServiceBuilder::new().layer(RetryLayer::new()).service(http_client);
//!
//! // The upstream answers 503 once, then 200.
//! let request = Request::get("http://api.example.com/").body(Full::<Bytes>::default())?;
//! assert_eq!(client.oneshot(request).await?.status(), 200);
//! # Ok(()) }
//! ```
//!
//! # Defaults
//!
//! | | default | set with | why |
//! |---|---|---|---|
//! | which requests | GET, HEAD, OPTIONS, TRACE, PUT, DELETE; any with an `Idempotency-Key`; any whose caller says so | [`Policy::resend`], [`CallContext`](bartizan_core::CallContext) | RFC 9110 section 9.2.2: the others may do twice what was meant once |
//! | | any at all, if the transport is sure that it was not processed (feature `hyper`) | | nothing can be done twice that was not done |
//! | | any at all, if the answer says that nothing was done ([`RetryHint`](bartizan_core::RetryHint); feature `hyper`, without which no copy is kept) | | likewise |
//! | after which answers | 408, 425, 429, 500, 502, 503, 504, any error; 409 if the request has a key | [`RetryLayer::with_policy`] | 501 and 505 stay as they are; other 4xx are the caller's |
//! | how often | 3 attempts in all | [`RetryLayer::max_attempts`] | the standard mode of AWS's SDKs |
//! | how many, over all calls | a fifth of the origin's successes, and a reserve of 1 for a client that has none yet | [`RetryLayer::budget`] | an origin that is down must not get three times its load: [`Budget`] |
//! | how far apart | `U[0, 1) * min(20 s, 50 ms * 2^n)`; 1 s in place of 50 ms after 425 and 429 | [`RetryLayer::backoff`], [`RetryLayer::throttled_backoff`] | full jitter spreads callers best ("Exponential Backoff And Jitter", AWS, 2015) |
//! | `Retry-After` | `it * U[1, 1.5)`, never less than the backoff; above 300 s the answer is returned at once | | never too early, and not everybody in the same second |
//! | a deadline | no wait that would not end before it | `bartizan-timeout` | an answer that nobody waits for is load |
//! | the answer of a failed attempt | read to its end while the next is waited for, up to 64 KiB and 50 ms | | the connection can be used again |
//!
//! [`RetryLayer::classic`] is what many have written by hand, for porting such code.
//!
//! # What it does not do
//!
//! It has no clock for an attempt: put `bartizan_timeout::AttemptTimeoutLayer` inside, or a hung origin is never retried. It does
//! not look into response bodies: an error after the head is the caller's. It does not know that an origin is down: the
//! budget only keeps retries few, and each call makes its first attempt. A new client whose very first call fails makes one
//! retry, not two, since the reserve is 1.
//!
//! # Errors
//!
//! Whatever the last attempt gave, response or error, is given back. After several attempts, or if the budget did not allow another, it
//! has a mark: a response has [`Attempts`](bartizan_core::Attempts) in its extensions, an error is the source of a
//! [`RetriesSpent`](bartizan_core::RetriesSpent), which `find_source` looks through. An outer retry layer sees that and
//! does not try again, so that tiers do not multiply; between processes [`RetryLayer::spent_field`] does the same.
//!
//! Why an attempt was the last is told to the [`Hook`] and, with the feature `tracing`, to the log, as a [`Stop`].
//!
//! # What is asked, in this order
//!
//! 1. Is it to be sent again at once? Once a call, without a wait, an attempt, a budget: what the transport says was not processed
//!    (REFUSED_STREAM, a clean GOAWAY, a connection that closed before it took the request), and what a layer below asks to have
//!    repeated ([`ReplayNow`](bartizan_core::ReplayNow)).
//! 2. Did a layer below refuse? See *Failures*.
//! 3. Is it a failure, of a request that may be sent again, and not given up by a tier below already? [`Stop::Method`],
//!    [`Stop::Spent`]
//! 4. Are there attempts left? [`Stop::Attempts`]
//! 5. Can the body be sent again? [`Stop::Body`]
//! 6. Does the wait end before the deadline, and within what anybody waits for? [`Stop::Deadline`], [`Stop::RetryAfter`]
//! 7. Does the budget allow it? [`Stop::Budget`]
//!
//! Then it waits, polls the inner ready, and sends.
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
//! # type HttpClient = tower::util::BoxCloneSyncService<Request<Full<Bytes>>, Response<Full<Bytes>>, BoxError>;
//! let stack = ServiceBuilder::new()
//!     .layer(RetryLayer::new())
//!     .check_service::<HttpClient, Request<Full<Bytes>>, Response<Full<Bytes>>, BoxError>();
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
//! | the future is dropped in a wait | the timer and the copy of the request go with it; nothing is sent, and the budget gets its retry back |
//! | an attempt times out below | an error like others: sent again if the request may be |
//! | the deadline comes | the wait is not begun, the last result is returned |
//! | a later attempt's inner fails to become ready | that is the attempt's error, and costs the budget nothing |
//! | the last attempt is refused locally | its error comes out, but no longer as a local refusal ([`Rejection::of`](bartizan_core::Rejection::of)), since something was sent before |
//! | an answer comes while the body is still being sent | it may be retried: the older copy of a stream ends with an error |
//! | the response's body fails | not seen here |
//!
//! # Cost
//!
//! The first attempt costs a reference count, the look-up of the origin's budget and, if it succeeds, one clock read and one
//! atomic write to it; and a clone of the inner, the head and the body if the request may be sent again. A request that may not
//! be ([`Resend::Never`], or [`Resend::IfUnsent`] without the feature `hyper`) costs neither clone nor allocation.
//!
//! Without HTTP, [`Schedule::run`] retries any fallible operation.

mod account;
mod backoff;
mod budget;
mod call;
mod drain;
pub mod future;
mod hook;
#[cfg(feature = "idempotency-key")]
mod idempotency;
mod kept;
mod layer;
mod policy;
mod replay;
mod run;
mod schedule;
mod service;
mod spending;
mod stop;
mod trace;
mod wait;

pub use backoff::{Backoff, InvalidAttempts, InvalidBackoff, Jitter, MaxAttempts};
pub use budget::{Budget, InvalidBudget};
pub use hook::{Cause, Hook, Retrying, Stopped};
#[cfg(feature = "idempotency-key")]
pub use idempotency::{IdempotencyKey, IdempotencyKeyLayer};
pub use layer::RetryLayer;
pub use policy::{Attempt, Pace, Policy, Resend, Standard, Verdict};
pub use replay::{ReplayLayer, ReplayService};
pub use run::Run;
pub use schedule::Schedule;
pub use service::Retry;
pub use stop::Stop;

#[cfg(test)]
mod tests;
