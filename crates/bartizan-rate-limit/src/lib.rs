//! A rate limit that really limits, is fair, and listens to the server: no more than a quota allows, in the order in which calls came, and
//! nothing at all while the server asks for a pause.
//!
//! ```
//! use bartizan_core::BoxError;
//! use bartizan_rate_limit::{Quota, RateLimitLayer};
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), BoxError> {
//! # let http_client = tower::service_fn(|_: Request<()>| async { Ok::<_, BoxError>(Response::new(())) });
//! let quota = Quota::per_second(10)?.burst(5)?;
//! let client = ServiceBuilder::new().layer(RateLimitLayer::new(quota)).service(http_client);
//!
//! let start = tokio::time::Instant::now();
//! for _ in 0..25 {
//!     client.clone().oneshot(Request::get("http://api.example.com/").body(())?).await?;
//! }
//! assert_eq!(start.elapsed().as_secs(), 2); // 5 at once, and 20 more a tenth of a second apart
//! # Ok(()) }
//! ```
//!
//! # What the server says
//!
//! A limit that only counts by itself is a guess. What the server says is heeded as well, for each origin and
//! [partition](bartizan_core::CallContext::partition) apart, and [`RateLimitLayer::without_quota`] heeds nothing else:
//!
//! | an answer with | means |
//! |---|---|
//! | 429, or 503 with `Retry-After`, or 403 with `Retry-After` or an exhausted quota (GitHub) | a pause for all calls: as `Retry-After` says, or until the quota resets, or 1 s; at most 300 s |
//! | `RateLimit` and `RateLimit-Policy` (IETF draft, feature `structured-fields`) | no more than `r` calls in the next `t` seconds |
//! | `RateLimit-Remaining` and `-Reset`, `X-RateLimit-*`, `X-Rate-Limit-*` | the same |
//!
//! Calls that are under way are taken off what is left. When the time is over a full window is assumed once more, and after that nothing. Those who
//! waited for the end of a pause go in order, spread over a tenth of it, at least 100 ms. What is said can only lower the rate. Malformed
//! fields are ignored.
//!
//! # Defaults
//!
//! | | default | set with | why |
//! |---|---|---|---|
//! | the quota | none: it is asked for | [`RateLimitLayer::new`] | nobody knows an API's quota but its documentation |
//! | saved up | as many tokens as a period has | [`Quota::burst`] | what "50 a second" means to most servers |
//! | a bucket | for each origin (scheme, host, port), at most 10,000 beside the first | [`key_by`](RateLimitLayer::key_by), [`max_keys`](RateLimitLayer::max_keys) | one API's quota says nothing about another's; memory is bounded |
//! | a request costs | what [`Cost`] in its extensions says, or one token | [`cost`](RateLimitLayer::cost) | |
//! | waits for | at most 30 s, and not beyond the call's deadline | [`max_wait`](RateLimitLayer::max_wait) | as long as a whole call has; nothing on the server side |
//! | the server's word | heeded | [`without_feedback`](RateLimitLayer::without_feedback) | one 429 should quiet every task |
//! | a 503 with `Retry-After` | pauses as a 429 does | [`without_pause_on_503`](RateLimitLayer::without_pause_on_503) | it says the same; where too much load made it, retry and circuit breaker do better |
//!
//! [`RateLimitLayer::classic`] is 60 tokens of which one comes back each second.
//!
//! # What it does not do
//!
//! It does not wait in `poll_ready`, so that a service which is polled and not called holds nothing. It sends nothing again: that is a retry's
//! business, outside. Its buckets are those of one process, unless another [`Backend`] keeps them. Two quotas of one API (a second's and a day's)
//! are two layers. Where a server's window is as short as a second, and its reset is told in whole seconds, it is believed to the second; a quota of
//! your own that is just as large then leaves some of it unused.
//!
//! # Errors
//!
//! [`RateLimited`], with a [`Rejection`](bartizan_core::Rejection) as its source: nothing was sent. It says why ([`Reason`]) and how long
//! the call would have had to wait, to the nanosecond. A refusal never waits. After [`respond`](RateLimitLayer::respond) it is a 429 with
//! `Retry-After`, rounded up, and problem details, and every answer says how it stands (`RateLimit-Policy`, `RateLimit`).
//!
//! # The server side
//!
//! [`RateLimitLayer::respond`] keeps the inner error type, so that axum's `Router::layer` takes the layer as it is. [`Peers`] are keys by the
//! caller's address.
//!
//! # Where it stands
//!
//! Inside retry and auth, so that each attempt takes a token; outside the circuit breaker proper, so that waiting is not taken for slowness of
//! the origin, and inside its gate, so that nobody waits for a call that will be refused.
//!
//! # Readiness
//!
//! Gate: `poll_ready` polls the inner and is ready in any case. A call that finds a token uses the readied inner, or takes that instance along and polls
//! it on. A call that waits takes a fresh clone, and so keeps nothing of the inner meanwhile; neither does the handle of a call that waits or
//! was refused.
//!
//! # Failures
//!
//! | when | what happens |
//! |---|---|
//! | the wait would be too long | [`RateLimited`] at once |
//! | a call is refused by a layer below, or the inner fails to become ready | its token, and its place in the server's window, are given back; after `respond` an answer of a layer below is one that was given, and costs its token |
//! | the future is dropped before it was polled, or while it waits for a token or the inner | it leaves the line, those behind move up, and all is given back |
//! | the future is dropped later, or the call fails | the token is spent |
//! | a future that waits is not polled | its token is set aside when it comes; nobody behind it waits longer for that |
//! | the gate closes while a call waits for its token | it goes back to the gate; if that is closed for longer than it may wait it is refused then |
//!
//! # Cost
//!
//! A call that finds a token: no heap, no lock, one clock read and one read-modify-write on the bucket's word; two more on the gate's. Beyond the first
//! key one shared read lock. Waiting costs a timer, a few allocations and a short lock. While a server's word is heeded each call takes
//! another short one.
//!
//! Without HTTP, [`RateLimiter`] is the engine. How many calls are under way at once, and not how many there are in a second, is what
//! [`bulkhead`] limits.

mod backend;
pub mod bulkhead;
#[cfg(feature = "axum-08")]
mod connect_info;
mod cost;
#[cfg(feature = "structured-fields")]
mod draft;
#[cfg(not(feature = "structured-fields"))]
#[path = "no_draft.rs"]
mod draft;
mod error;
pub mod future;
mod gate;
mod hook;
mod layer;
mod limiter;
mod line;
mod peers;
mod quota;
mod said;
mod service;
mod standing;
mod tokens;
mod told;
mod trace;
mod wait;

pub use backend::{AcquireInMemory, Acquiring, Backend, Grant, GrantInMemory, InMemory, Standing, Within};
pub use cost::Cost;
pub use error::{RateLimited, Reason};
pub use hook::{Event, Hook};
pub use layer::RateLimitLayer;
pub use limiter::{Acquire, Acquired, RateLimiter};
pub use peers::Peers;
pub use quota::{InvalidQuota, Quota};
pub use service::RateLimit;

#[cfg(test)]
mod tests;
