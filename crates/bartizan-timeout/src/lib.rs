//! Two clocks for one HTTP call: how long an attempt may take, and how long the whole call may take.
//!
//! | layer | what it bounds | default | where it stands |
//! |---|---|---|---|
//! | [`AttemptTimeoutLayer`] | one attempt, to the response's head | 10 s | innermost, under retry |
//! | [`DeadlineLayer`] | the whole call, to the response's head, with all its attempts and waits | 30 s | outside retry |
//!
//! The two know of each other: the deadline is an instant that travels with the request
//! ([`CallContext`](bartizan_core::CallContext)), an attempt gets at most what is left of it, retry does not start a wait that
//! would end after it, and a call whose time is over before it starts sends nothing.
//!
//! ```
//! use std::time::Duration;
//! use bartizan_timeout::{AttemptTimeoutLayer, DeadlineLayer};
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! # let http_client = tower::service_fn(|_: Request<()>| std::future::pending::<Result<Response<()>, std::io::Error>>());
//! let client = ServiceBuilder::new()
//!     .layer(DeadlineLayer::new(Duration::from_secs(5)))
//!     .layer(AttemptTimeoutLayer::new(Duration::from_secs(2)))
//!     .service(http_client); // hangs
//!
//! let error = client.oneshot(Request::get("http://api.example.com/").body(()).unwrap()).await.unwrap_err();
//! assert_eq!(error.to_string(), "attempt at api.example.com timed out after 2s (limit 2s)");
//! # }
//! ```
//!
//! # What it does not do
//!
//! Both clocks stop at the head: they do not bound the response's body. Neither retries; put `bartizan-retry`
//! between them.
//!
//! # Errors
//!
//! [`AttemptTimedOut`] and [`DeadlineExceeded`], told apart, with limit and elapsed time. When the deadline cuts an attempt short
//! the error is [`DeadlineExceeded`]. If nothing was sent, it has a [`Rejection`](bartizan_core::Rejection) as
//! its source. On the server side `.respond()` turns both into a 504 answer.
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
//! | the timer fires | the inner future is dropped at once, then the error is returned |
//! | answer and timer are both ready | the answer wins |
//! | the inner fails | its error passes through |
//! | the head came, the body hangs | not seen here |
//!
//! # Cost
//!
//! One clock read a call in each layer; no allocation in [`AttemptTimeout`]; [`DeadlineService`] puts the call's context into
//! the request's extensions, which allocates if nothing else is in there. A timer is registered only if the
//! inner is not ready at its first poll.
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
