//! A circuit breaker that is never stuck and never fooled: it stops calling an origin that fails, and finds out by itself when
//! it is well again.
//!
//! ```
//! use bartizan_circuit_breaker::{CircuitBreakerLayer, CircuitOpen};
//! use bartizan_core::{BoxError, find_source};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), BoxError> {
//! # let http_client = tower::service_fn(|_: Request<()>| async {
//! #     Ok::<_, BoxError>(Response::builder().status(503).body(Full::<Bytes>::default()).unwrap())
//! # });
//! let client = ServiceBuilder::new().layer(CircuitBreakerLayer::new()).service(http_client);
//!
//! // The upstream answers 503 ten times, and is not asked an eleventh time.
//! for _ in 0..10 {
//!     let response = client.clone().oneshot(Request::get("http://api.example.com/").body(())?).await?;
//!     assert_eq!(response.status(), 503);
//! }
//! let error = client.oneshot(Request::get("http://api.example.com/").body(())?).await.unwrap_err();
//! assert!(find_source::<CircuitOpen>(&*error).is_some());
//! assert!(error.to_string().starts_with("circuit of http://api.example.com is open, nothing was sent; may be tried again in "));
//! # Ok(()) }
//! ```
//!
//! # What a result means
//!
//! | | in the window | for a probe |
//! |---|---|---|
//! | an error, a time-out of the attempt, 408, 500, 502, 503, 504 | failure | opens again |
//! | an error in the response's body | failure | opens again |
//! | a call that is dropped before its head and after the slow threshold | failure | opens again |
//! | 425, 429 | success: the origin lives | passes none, another call may probe |
//! | every other answer, so all other 4xx | success | passes |
//! | a local refusal from below, as an error or as a marked answer | nothing | another call may probe |
//! | a call that is dropped before its head and the slow threshold | nothing | another call may probe |
//!
//! A bad head is final at once. After a good one the call is a success when the body ends or is dropped, and a failure when it
//! breaks off; [`CircuitBreakerLayer::head_only`] leaves bodies alone. The classifier is the one that retry has
//! ([`Classify`](bartizan_core::Classify)).
//!
//! # Defaults
//!
//! | | default | set with | why |
//! |---|---|---|---|
//! | a circuit | for each origin (scheme, host, port), at most 1,024 beside the first | [`CircuitBreakerLayer::key_by`], [`max_keys`](CircuitBreakerLayer::max_keys), [`shared`](CircuitBreakerLayer::shared) | one API that is down says nothing about another; memory is bounded |
//! | opens | at half of at least 10 calls in 30 s, in ten exact buckets | [`Settings::trip`], [`Trip`] | resilience4j's rate, Polly's window: a few failures are no proof |
//! | stays open | 5 s, doubled for each failed half-open up to 30 s, half of it by chance; back to 5 s after one window without an opening | [`Settings::open_for`], [`Settings::at_most`] | short, since a probe costs little, and simulated; spread, so that clients do not come back together |
//! | `Retry-After` on a 503 that opens it | raises that, up to 300 s | | the origin knows best |
//! | probes | one at a time, under a lease of 10 s | [`Settings::probe_timeout`] | a probe that hangs or is dropped must not keep the circuit open |
//! | closes | after 3 successes in a row | [`Settings::probes`] | one may be luck |
//! | lets calls back in | above 5 a second one in ten until 3 have succeeded, one in two until 10 more have | [`Settings::without_ramp`] | a cold origin that is hit by all at once falls again |
//! | slow | 5 s | [`Settings::slow_after`] | half of what an attempt has |
//!
//! [`Settings::classic`] is what many have written by hand. [`Settings::metrics_only`] refuses nothing, to see first what it would do.
//!
//! # What it does not do
//!
//! It has no clock for a call: put `bartizan_timeout::AttemptTimeoutLayer` inside, so that a hang is a failure. It sends nothing again
//! and waits for nothing. It does not look into bodies. Its state is that of one process. A half-open circuit never probes by itself;
//! the next call does.
//!
//! # Errors
//!
//! [`CircuitOpen`], with a [`Rejection`](bartizan_core::Rejection) as its source: nothing was sent. On the server side
//! [`respond`](CircuitBreakerLayer::respond) makes it a 503 with `Retry-After` and problem details.
//!
//! # Where it stands
//!
//! Inside retry, auth and rate limit, outside the attempt timeout: each attempt counts, a hang counts, and what waits for a token is not
//! the origin's slowness. [`CircuitBreakerLayer::gate`] is a second layer for further out.
//!
//! # Readiness
//!
//! Gate: `poll_ready` polls the inner and is ready in any case, so that a refusal waits for nobody. A call that is let through uses
//! the readied inner, or takes that instance along and polls it on. A refused call puts a fresh clone in the place of a readied inner,
//! since an idle handle must not keep a permit.
//!
//! # Failures
//!
//! | when | what happens |
//! |---|---|
//! | the circuit is open, or half-open and not ours to probe | the inner is not called; [`CircuitOpen`] |
//! | the future is dropped before it was polled, or before the head | the inner's future goes with it; the permit says nothing, or failure after the slow threshold; a lease ends |
//! | the body is dropped | the call was a success |
//! | the body breaks off | a failure |
//! | a result comes after the circuit has changed | it changes nothing |
//! | a probe hangs | after 10 s the next call may probe |
//! | the inner fails to become ready | its error passes through: before the call uncounted, after it a failure |
//!
//! # Cost
//!
//! A closed circuit: no heap; no lock for the first origin or other key, one shared read beyond; two clock reads, a load and, at the end, one
//! read-modify-write for a success, which is all that calls of one circuit contend for. The rules that count calls and not
//! time take a short lock for each result.
//!
//! Without HTTP, [`CircuitBreaker`] is the engine: [`call`](CircuitBreaker::call), or [`admit`](CircuitBreaker::admit) and a
//! [`Permit`].

mod body;
mod breaker;
mod circuit;
mod circuits;
mod error;
pub mod future;
mod gate;
mod half_open;
mod hook;
mod layer;
#[cfg(all(test, bartizan_loom))]
mod loom_tests;
mod recent;
mod service;
mod settings;
mod state;
mod sync;
mod trace;
mod trip;
mod window;

pub use body::CountedBody;
pub use breaker::{CircuitBreaker, Permit, Watch};
pub use error::CircuitOpen;
pub use gate::{Gate, GateLayer};
pub use hook::OnTransition;
pub use layer::CircuitBreakerLayer;
pub use service::CircuitBreakerService;
pub use settings::Settings;
pub use state::{Snapshot, State, Transition};
pub use trip::{InvalidTrip, Trip};

#[cfg(test)]
#[cfg(not(bartizan_loom))]
mod tests;
