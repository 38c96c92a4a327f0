//! The clocks of one HTTP call: how long an attempt may take, how long the whole call may take, and how long its response's body
//! may be silent.
//!
//! | layer | what it bounds | default | where it stands |
//! |---|---|---|---|
//! | [`DeadlineLayer`] | the whole call with all its attempts and waits, to the response's head or [through its body](DeadlineLayer::through_body) | 30 s, to the head | outside retry |
//! | [`AttemptTimeoutLayer`] | one attempt, to the response's head | 10 s | inside retry, around the transport |
//! | [`BodyTimeoutLayer`] | the wait for each frame of the response's body and, if asked, how much comes at least | 30 s a frame, any pace | beside the attempt timeout, inside decompression |
//!
//! The first two know of each other: the deadline is an instant that travels with the request
//! ([`CallContext`](bartizan_core::CallContext)), an attempt gets at most what is left of it, retry does not start a wait that
//! would end after it, and a call whose time is over before it starts sends nothing. What is left can travel on to the origin
//! in a header field: [`AttemptTimeoutLayer::pass_on`], and [`DeadlineLayer::shortened_by`] on the other side.
//!
//! ```
//! use std::time::Duration;
//! use bartizan_timeout::{AttemptTimeoutLayer, BodyTimeoutLayer, DeadlineLayer};
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! # let http_client = tower::service_fn(|_: Request<()>| std::future::pending::<Result<Response<()>, std::io::Error>>());
//! let client = ServiceBuilder::new()
//!     .layer(DeadlineLayer::new(Duration::from_secs(5)))
//!     .layer(AttemptTimeoutLayer::new(Duration::from_secs(2)))
//!     .layer(BodyTimeoutLayer::default())
//!     .service(http_client); // hangs
//!
//! let error = client.oneshot(Request::get("http://api.example.com/").body(()).unwrap()).await.unwrap_err();
//! assert_eq!(error.to_string(), "attempt at api.example.com timed out after 2s (limit 2s)");
//! # }
//! ```
//!
//! # Which clock for a body
//!
//! A body that is read at once is part of the call: let the deadline go [through it](DeadlineLayer::through_body), for a whole
//! service or, with [`ThroughBody`](bartizan_core::ThroughBody), for one call. `bartizan-client` does that for the bodies it
//! reads. A body that is streamed may take as long as it likes, as long as it goes on: that is what [`BodyTimeoutLayer`] sees
//! to. It counts the time in which the caller waits for a frame, from a poll that finds nothing until something comes, so a
//! caller that takes his time never makes a body late.
//!
//! # What it does not do
//!
//! It bounds no request body: an upload that the origin does not take ends with the attempt. It does not retry; put
//! `bartizan-retry` between deadline and attempt timeout. There is no standard field for the time that is left, so none is
//! sent or read unless it is named.
//!
//! # Defaults
//!
//! | what | default | why |
//! |---|---|---|
//! | deadline | 30 s | what most callers, proxies and load balancers in front wait for themselves |
//! | the deadline's reach | to the head | a stream may rightly take longer than any call |
//! | attempt | 10 s | a third of the deadline, so that a hung first attempt leaves time for two more |
//! | wait for a frame | 30 s | as long as a whole call may take to its head |
//! | streams of events | left alone | they are rightly silent for long |
//! | throughput | any | what is slow depends on the body |
//! | time in a header field | neither sent nor read | no standard names one, and a stranger may have sent it |
//!
//! # Errors
//!
//! | error | what was too long | a refusal |
//! |---|---|---|
//! | [`AttemptTimedOut`] | one attempt | no |
//! | [`DeadlineExceeded`] | the call, also where it cuts an attempt or a body short | if nothing was sent: it has a [`Rejection`](bartizan_core::Rejection) as its source |
//! | [`BodyStalled`] | the wait for a frame | no |
//! | [`BodyTooSlow`] | the body, at its pace | no |
//!
//! All of them have limit, elapsed time and host. The last two come out of the body, and so does a [`DeadlineExceeded`] that is
//! found there; they are in a [`BoxError`](bartizan_core::BoxError), as is the inner body's own error.
//!
//! On the server side `.respond()` turns what happens before the head into a 504 answer. After the head there is no other
//! answer any more: the body ends with the error, and the server breaks the connection or the stream off, by which the peer sees
//! that the body is not whole. [`BodyTimeoutLayer`] never fails before the head, so it has no `.respond()` and needs none.
//!
//! # In an axum router
//!
//! `Router::layer` takes only services that cannot fail, so the layers need `.respond()` there:
//!
//! ```
//! # use std::convert::Infallible;
//! # use bartizan_timeout::DeadlineLayer;
//! # use http::{Request, Response};
//! # use tower::{ServiceBuilder, ServiceExt};
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let route = tower::service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) });
//! let service = ServiceBuilder::new().layer(DeadlineLayer::default().respond()).service(route);
//! # let Ok(_) = service.oneshot(Request::new(())).await;
//! # }
//! ```
//!
//! Without it the compiler says
//! ``the trait bound `Infallible: From<Box<dyn std::error::Error + Send + Sync>>` is not satisfied``.
//!
//! # Readiness
//!
//! Pass-through: `poll_ready` is the inner service's, and `call` calls the readied inner at once. A call that is
//! refused puts a fresh clone in the place of the readied inner, so that an idle handle keeps no permit.
//!
//! # Failures
//!
//! | when | what happens |
//! |---|---|
//! | the deadline is over at `call` | the inner is not called; [`DeadlineExceeded`] with a `Rejection` |
//! | the future is dropped, at any point | the inner future goes with it; nothing else is held |
//! | the timer fires | the inner future, or body, is dropped at once, then the error is returned |
//! | answer, or frame, and timer are both ready | the answer or frame wins |
//! | the inner fails | its error passes through |
//! | the head came, the body hangs | [`BodyStalled`], or [`DeadlineExceeded`] where the deadline goes through it; else not seen here |
//! | the body drips | [`BodyTooSlow`] if a throughput was asked for, or [`DeadlineExceeded`] as above |
//! | the body never pauses | one frame after the deadline reading ends, where it goes through the body |
//! | a body is polled after its error | it is at its end |
//! | the body is dropped, at any point | the inner body goes with it |
//!
//! # Cost
//!
//! One clock read a call in [`AttemptTimeout`] and in [`DeadlineService`], none in [`BodyTimeout`]; no allocation but that
//! [`DeadlineService`] puts the call's context into the request's extensions, which allocates if nothing else is in there, and
//! that a field to pass on has a value. A timer is registered only if the inner is not ready at its first poll.
//!
//! A body that is ready in every poll registers no timer and allocates nothing; where the deadline goes through it, each frame
//! reads the clock. The first poll that finds nothing allocates the timer, which is moved from then on; with a throughput also
//! the waker that notes when a frame came, behind a lock of its own.
//!
//! Without HTTP, [`within`] bounds any future.

mod attempt;
mod body_timeout;
mod deadline;
mod error;
pub mod future;
mod held;
mod hook;
mod millis;
mod target;
mod throughput;
mod timed;
mod timer;
mod trace;

pub use attempt::{AttemptTimeout, AttemptTimeoutLayer};
pub use body_timeout::{BodyTimeout, BodyTimeoutLayer, TimeoutBody};
pub use deadline::{BodyDeadline, DeadlineBody, DeadlineLayer, DeadlineService};
pub use error::{AttemptTimedOut, BodyStalled, BodyTooSlow, DeadlineExceeded};
pub use hook::{Hook, TimedOut};
pub use throughput::{InvalidThroughput, MinThroughput};
pub use timed::{Within, within};
