//! Says which version of an API a request speaks, and reports endpoints that the upstream announces the end of.
//!
//! ```
//! use bartizan_client::version::{ApiVersion, ApiVersionLayer, Deprecated};
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let http_client = tower::service_fn(|request: Request<()>| async move {
//! #     assert_eq!(request.headers()["x-api-version"], "2025-06-01");
//! #     Response::builder()
//! #         .header("deprecation", "@1688169599")
//! #         .header("sunset", "Sun, 30 Jun 2024 23:59:59 GMT")
//! #         .header("link", "</v3/users>; rel=\"successor-version\"")
//! #         .body(())
//! # });
//! let client = ServiceBuilder::new()
//!     .layer(ApiVersionLayer::new(ApiVersion::header("x-api-version", "2025-06-01")?))
//!     .service(http_client);
//!
//! // The upstream announces the end of this endpoint.
//! let response = client.oneshot(Request::get("https://api.example.com/users").body(())?).await?;
//! let announced = response.extensions().get::<Deprecated>().ok_or("nothing was announced")?;
//! assert_eq!(announced.successor(), Some("/v3/users"));
//! assert!(announced.sunset() > announced.since());
//! # Ok(()) }
//! ```
//!
//! # What is sent
//!
//! | | the request gets | unless |
//! |---|---|---|
//! | [`ApiVersion::header`] | the field | it has one of that name |
//! | [`ApiVersion::media_type`] | `Accept`, in place of one that asks only for wider types: `application/json`, `application/*`, `*/*` | its `Accept` asks for anything else |
//! | [`ApiVersion::query`] | the parameter at the end of the query; the rest of the query stays byte for byte | it has a parameter of that name |
//! | [`ApiVersion::path`] | the prefix before the path, `/` included: `/v2/` | its path begins with that prefix, segment by segment |
//!
//! What the request says already stays: a caller may speak another version in one call, and a link of a former answer (a
//! next page) has the version in it. `Accept` is the exception, since a layer or a client that wants JSON asks for
//! `application/json` by itself, and `application/vnd.example.v2+json` is that too.
//!
//! # What is read
//!
//! `Deprecation` (RFC 9745, a date such as `@1688169599`; from its drafts also `true`, `?1` and an HTTP date), `Sunset` (RFC
//! 8594), and of the links `successor-version`, `deprecation` and `sunset`. Whatever the status: an endpoint that answers 404
//! for this user may end for all. What there is goes into the response's extensions as [`Deprecated`], every time. Once for each
//! endpoint it is told to the [`Hook`] and, with the feature `tracing`, to the log as a warning.
//!
//! An endpoint is method, host and path: the [`PathTemplate`](bartizan_core::PathTemplate) in the request's extensions, else the path without the query. The
//! first 1,024 are reported, and none after them: a client that puts identifiers into its paths and gives no template would
//! else fill the log for ever. All services of one layer, and their clones, share that memory.
//!
//! # What it does not do
//!
//! It chooses no version and calls no successor. It resolves no targets of links. It does not compare dates with today:
//! a `Deprecation` that lies ahead is announced as well, and [`Deprecated::since`] says so.
//!
//! # Where it stands
//!
//! Outside of retry, so that a call gets its version once. By path, outside of a base URL that has a path itself: inside,
//! `/v2` would stand before that.
//!
//! # Readiness
//!
//! Pass-through: `poll_ready` is the inner's, and `call` calls the readied inner at once. The error type and both bodies stay
//! what they are; the layer cannot fail.
//!
//! # Failures
//!
//! | when | what happens |
//! |---|---|
//! | the version cannot be sent | [`InvalidVersion`] when it is built, with the fix |
//! | the URI has no path (`OPTIONS *`, `CONNECT`) | no prefix and no parameter; the request is sent as it is |
//! | path and query would be longer than 65,534 bytes together | the same |
//! | a `Deprecation` or `Sunset` cannot be read | as if it were not there; of several fields the first that can be read counts |
//! | a link cannot be read | it is left out |
//! | the inner fails | its error passes through |
//! | the future is dropped | the inner future goes with it; nothing else is held |
//!
//! # Cost
//!
//! An answer that announces nothing costs two look-ups of headers, and no allocation, no lock and no clock. A call costs
//! clones of method and URI; what the version adds, a new URI or a header field, is allocated.

mod apply;
mod deprecated;
mod endpoint;
pub mod future;
mod hook;
mod layer;
mod seen;
mod trace;
mod value;

pub use deprecated::Deprecated;
pub(crate) use endpoint::Endpoint;
pub use hook::{Hook, Notice};
pub use layer::{ApiVersionLayer, ApiVersionService};
pub use value::{ApiVersion, InvalidVersion};

#[cfg(test)]
mod tests;
