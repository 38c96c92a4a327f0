//! From any HTTP service to a pleasant API client, and the layers that are about the request itself.
//!
//! [`Client`] turns a service, which may be a whole stack of layers around any HTTP client, into what application code calls:
//! verbs, typed JSON in and out, and errors that tell why.
//!
//! ```
//! # use bytes::Bytes;
//! # use http::{Request, Response};
//! # use http_body_util::Full;
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let stack = tower::service_fn(|_: Request<Full<Bytes>>| async {
//! #     let response = Response::builder().status(404).body(Full::new(Bytes::from_static(b"no such user"))).unwrap();
//! #     Ok::<_, std::io::Error>(response)
//! # });
//! use bartizan_client::Client;
//!
//! let client = Client::new(stack);
//! let error = client.delete("http://api.example.com/users/7?key=s3cret").send().await.unwrap_err();
//! assert_eq!(error.status().map(|status| status.as_u16()), Some(404));
//! assert_eq!(
//!     error.to_string(),
//!     "DELETE http://api.example.com/users/7?key=..: 404 Not Found: no such user"
//! );
//! # }
//! ```
//!
//! # What the client does
//!
//! | | |
//! |---|---|
//! | an answer that is not 2xx | is an [`Error`] with status, header fields, the first 64 KiB of its text and its problem details |
//! | an empty body, 204 | is `None` where JSON was asked for, not a decoding error |
//! | a body that is read | may have 16 MiB, see [`Client::body_limit`]; one that is streamed has no limit |
//! | a deadline of the stack, or of one call | bounds the body too where it is read here, an error's text included |
//! | JSON that does not fit | is an error that names the place in it |
//! | a time-out, a failed connect, a refusal of a layer, a broken body | are told apart by the error's questions |
//! | an id from outside | becomes one segment of a path by [`segment`], whatever is in it |
//! | URLs in errors | have no credentials, and `..` for the values of their query |
//!
//! # The layers
//!
//! | layer | what it does | where it stands | readiness |
//! |---|---|---|---|
//! | [`BaseUrlLayer`] | joins each target under a base URL, and lets nothing lead out of it | outermost | pass-through |
//! | [`DefaultHeadersLayer`] | header fields that each request has | outermost | pass-through |
//! | [`InterceptLayer`](intercept::InterceptLayer) | async functions that change, refuse or answer | outside retry: once a call; inside: once an attempt | decoupled |
//! | [`ApiVersionLayer`](version::ApiVersionLayer) | asks for a version; reports endpoints that will end | outermost | pass-through |
//! | [`LogLayer`](log::LogLayer) | one redacted line a call, or an attempt | outside or inside retry | pass-through |
//!
//! # What it does not do
//!
//! It sends what it is told to send and adds nothing of its own but `Accept` and `Content-Type` where JSON is meant. Retries,
//! time-outs, credentials and all else come from the layers of the service.
//!
//! A body that you stream yourself has no time here: a deadline, the stack's or the call's own
//! ([`RequestBuilder::timeout`]), goes through the bodies that are read for you and ends at the head of the others. Put
//! `bartizan_timeout::BodyTimeoutLayer` into the stack for those.

mod asked;
mod base_url;
mod boxed;
#[cfg(test)]
mod chained;
mod client;
mod default_headers;
mod error;
pub mod intercept;
mod link;
pub mod log;
mod paginate;
mod problem;
mod reply;
mod request;
#[cfg(feature = "futures-core-03")]
mod stream;
pub mod version;

pub use base_url::{
    BaseUrl, BaseUrlFuture, BaseUrlLayer, InvalidBaseUrl, InvalidReference, InvalidSegment, WithBaseUrl,
    segment,
};
pub use boxed::{BoxClient, BoxedBody, BoxedFuture, BoxedService};
pub use client::Client;
pub use default_headers::{DefaultHeaders, DefaultHeadersLayer};
pub use error::Error;
pub use paginate::{ByCursor, ByLink, Following, NextPage, Pages};
pub use problem::Problem;
pub use reply::Reply;
pub use request::RequestBuilder;
#[cfg(feature = "futures-core-03")]
pub use stream::PageStream;
