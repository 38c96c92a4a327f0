//! One line for each call, or for each attempt: what was asked, what came of it, how long it took.
//!
//! ```
//! use bartizan_client::log::LogLayer;
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), bartizan_core::BoxError> {
//! # let retry = tower::layer::util::Identity::new();
//! # let http_client = tower::service_fn(|_: Request<()>| async { Ok::<_, std::io::Error>(Response::new(())) });
//! let client = ServiceBuilder::new()
//!     .layer(LogLayer::call())
//!     .layer(retry)
//!     .layer(LogLayer::attempt())
//!     .service(http_client);
//!
//! client.oneshot(Request::get("https://api.example.com/users?token=secret").body(())?).await?;
//! # Ok(()) }
//! ```
//!
//! With the feature `tracing` that is a debug line for the attempt, and for the call
//!
//! ```text
//! INFO bartizan_client::log: call ok method=GET host="api.example.com" path="/users" status=200 took=12.1ms attempts=1
//! ```
//!
//! Without it nothing is written; the [`Hook`] gets its [`Record`]s either way.
//!
//! # What is in a line
//!
//! | field | |
//! |---|---|
//! | the message | `call` or `attempt`, and how it ended: `ok`, `failed`, `refused`, `dropped` |
//! | `method`, `host` | of the request; no host where the URI has none |
//! | `path` | the [`PathTemplate`](bartizan_core::PathTemplate) in the request's extensions, else the path without the query |
//! | `status` | of the response |
//! | `error` | the error and its sources in one line: `client error: connect: timed out` |
//! | `took` | from the call to the response's head, to the error, or to the drop |
//! | `attempts` | of a call: how many were made; not there if it was dropped, or failed by an error at once, since then nobody says |
//! | `attempt` | of an attempt: which it was |
//!
//! Nothing else is: no header field, no query, no user information. Error texts are the work of others and may quote the URI:
//! the call's own query, its values and its user information, as they are written and percent-decoded, are taken out of them;
//! what is shorter than four bytes only where it stands behind its `?` or before its `@`. A URI that is not the call's, such as
//! one that a redirect led to, is not known here. A secret in the *path* is shown unless a template stands for it.
//!
//! # Levels
//!
//! | | `ok` | `failed`, `refused` | `dropped` |
//! |---|---|---|---|
//! | a call | info | warn | info: whoever waited went away, which is routine |
//! | an attempt | debug | debug: what the caller gets is the call's business | debug |
//!
//! `failed` is what the classifier says, by default [`ByStatus`](bartizan_core::ByStatus) as in the other layers: 408, 425, 429,
//! 500, 502, 503, 504 and errors. Other answers are `ok`, such as a 404: another attempt would change nothing, and the status
//! is in the line. `refused` means that a layer further in said no and nothing was sent.
//!
//! # What it does not do
//!
//! It has no part in bodies: the line is written at the response's head, and a body that fails later is not seen. A
//! service that fails to become ready has no call, hence no line.
//!
//! # Where it stands
//!
//! [`LogLayer::call`] outermost, [`LogLayer::attempt`] inside of retry. The layer cannot see where it was put: a wrong place
//! gives wrong words.
//!
//! # Errors
//!
//! `type Error = BoxError`, although the layer has none of its own: to write an error's sources it must look into it, and no
//! bound short of `Into<BoxError>` takes both the error of an HTTP client and `BoxError`. The error inside is the inner's,
//! untouched.
//!
//! # Readiness
//!
//! Pass-through: `poll_ready` is the inner's, and `call` calls the readied inner at once.
//!
//! # Failures
//!
//! | when | what happens |
//! |---|---|
//! | the inner fails | the line has the error, and it passes through |
//! | the future is dropped, polled or not | the inner future goes first, then `dropped` is written |
//! | an error names itself as its source | 16 of a chain are written |
//! | an error's text is long, has several lines or control characters | the first line of each, escaped, 512 characters in all |
//! | the hook panics | the panic is the caller's; while another unwinds, the process aborts |
//!
//! # Cost
//!
//! Two clock reads, and clones of method and URI. If nobody listens (the hook is `()`, and `tracing` is off or its subscriber
//! does not want the level) a call costs a look at that, and nothing else.

mod entry;
pub mod future;
mod hook;
mod layer;
mod line;
mod record;
pub(crate) mod trace;

pub use hook::Hook;
pub use layer::{Log, LogLayer};
pub use record::{Ended, Record, Scope};

#[cfg(test)]
mod tests;
