//! Async interceptors: look at each request and each response, change them, refuse them, or answer in place of the call.
//!
//! ```
//! use bartizan_client::intercept::InterceptLayer;
//! use http::header::AUTHORIZATION;
//! # use http::{HeaderValue, Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//! # use tower::BoxError;
//! # #[derive(Clone)] struct Tokens;
//! # impl Tokens { async fn fetch(&self) -> Result<HeaderValue, BoxError> { Ok(HeaderValue::from_static("Bearer t0")) } }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
//! # let http_client = tower::service_fn(async |request: Request<String>| {
//! #     assert_eq!(request.headers()[AUTHORIZATION], "Bearer t0");
//! #     Ok::<_, BoxError>(Response::new(String::new()))
//! # });
//! # let tokens = Tokens;
//!
//! let interceptors = InterceptLayer::new()
//!     .on_request_with(tokens, async |tokens, mut request| {
//!         request.headers_mut().insert(AUTHORIZATION, tokens.fetch().await?);
//!         Ok(request)
//!     })
//!     .on_response(async |response| {
//!         println!("answered {}", response.status());
//!         Ok(response)
//!     });
//! let client = ServiceBuilder::new().layer(interceptors).service(http_client);
//!
//! client.oneshot(Request::get("http://api.example.com/").body(String::new())?).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Order
//!
//! Request interceptors run one after the other in the order in which they were added, then the call is made, then response
//! and error interceptors run, again in the order in which they were added. So it is in `ky`, and for responses in `axios`; it
//! is **not** the order of an onion, where who came first at the request comes last at the response. For an onion use
//! one `InterceptLayer` for each ring: the outer one sees the request first and the response last.
//!
//! Response and error interceptors share one list, which reads like a chain of `and_then` and `or_else`:
//! [`on_response`](InterceptLayer::on_response) is skipped while there is an error, [`on_error`](InterceptLayer::on_error)
//! while there is a response, and each sees what those before it made of it.
//!
//! A request interceptor that answers ([`Next::Answer`]) stands in for the call and nothing else: later request interceptors and
//! the inner service are skipped, all response interceptors of this layer and of outer ones see the answer like any
//! other. An error of a request interceptor goes to the error interceptors in the same way.
//!
//! # Once per call or once per attempt
//!
//! Outside retry the interceptors run once a call, and retry repeats the request as they left it. Inside retry they run for each
//! attempt: there a token that ran out is fetched anew, and retry sees the error of a response interceptor as that attempt's.
//!
//! # What interceptors are
//!
//! Closures `|request| async move { .. }`, async closures `async |request| { .. }`, functions, or values with
//! [`RequestInterceptor`], [`ResponseInterceptor`], [`ErrorInterceptor`]. The layer knows them by type: nothing is boxed, and the
//! future is `Send` if the inner's and theirs are.
//!
//! The future of an interceptor owns what it needs. State is given beside an async closure, which gets a clone of it each time, as
//! `tokens` above. An async closure that captures something itself lends it to its future, and the compiler says
//! ``async closure does not implement `Fn` because it captures state from its environment``; a closure that captures something and
//! returns an `async move` block clones it for that block.
//!
//! The error is a [`BoxError`](bartizan_core::BoxError), so that `?` takes any. A closure that gives a request at one time and an
//! answer at another wraps both in [`Next`].
//!
//! # What it does not do
//!
//! It does not read or wrap bodies, and their types stay as they are: an answer has the inner's response body. A response
//! interceptor does not see the request; what needs both is a layer of its own.
//!
//! # Readiness
//!
//! Decoupled: `poll_ready` is always ready. The future owns a clone of the inner service, and polls it ready once all request
//! interceptors are done; it is gone, with the inner's future, before the first response interceptor starts. A slow
//! interceptor holds no permit of the inner, and a layer outside sees no readiness through this one.
//!
//! # Failures
//!
//! | when | what happens |
//! |---|---|
//! | a request interceptor fails | nothing is sent; its error goes through the error interceptors and comes out as it is |
//! | it fails with [`Refused::request`] | the same, and all layers know that nothing was sent |
//! | a response interceptor fails | its error replaces the response, which is dropped unless the interceptor kept it |
//! | the inner fails, or fails to get ready | its error goes through the error interceptors |
//! | an error interceptor gives a response | the call has succeeded; later response interceptors see it |
//! | an interceptor hangs | the call hangs: put a deadline outside, or an attempt timeout |
//! | an interceptor panics | the panic goes to whoever polls the call; the service and its clones work on |
//! | the future is dropped, at any point | the interceptor or the inner future goes with it; nothing else is held |
//! | the future is never polled | no interceptor runs |
//!
//! # Cost
//!
//! A call clones the inner service, and a reference count for each interceptor. There is no allocation but what those do
//! themselves.

mod chain;
mod error;
pub mod future;
mod interceptor;
mod layer;
mod service;
mod state;
#[cfg(test)]
mod tests;

pub use chain::{Chain, OnError, OnRequest, OnResponse};
pub use error::Refused;
pub use interceptor::{ErrorInterceptor, Next, RequestInterceptor, ResponseInterceptor};
pub use layer::InterceptLayer;
pub use service::Intercept;
pub use state::WithState;
