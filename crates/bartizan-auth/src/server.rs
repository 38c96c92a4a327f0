//! The server side: who sends a request, checked before the app has it.
//!
//! ```
//! use bartizan_auth::server::{ApiKeys, Principal, Principals, SecretDigest, VerifyLayer};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Digests are all that the server has to keep: printf k3y | sha256sum
//! let digest = SecretDigest::from_hex("a49b1287870c10a76f1f46552aca4431842ced5dedf0ee3f28ffa12855a4e86a")?;
//! let principals = Principals::new([(digest, "billing")]);
//!
//! let app = tower::service_fn(|request: Request<()>| async move {
//!     let who = Principal::of(request.extensions()).map(Principal::to_string);
//!     Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from(who.unwrap_or_default()))))
//! });
//! let app = ServiceBuilder::new().layer(VerifyLayer::new(ApiKeys::new(principals)).respond()).service(app);
//!
//! let answer = app.clone().oneshot(Request::get("/").header("x-api-key", "k3y").body(())?).await?;
//! assert_eq!(answer.status(), 200);
//! # use http_body_util::BodyExt;
//! # assert_eq!(answer.into_body().collect().await?.to_bytes(), "billing");
//!
//! let answer = app.oneshot(Request::get("/").body(())?).await?;
//! assert_eq!(answer.status(), 401);
//! assert_eq!(answer.headers()["www-authenticate"], "ApiKey realm=\"api\"");
//! # Ok(()) }
//! ```
//!
//! | | whom it knows |
//! |---|---|
//! | [`ApiKeys`] | by a key, in the field `X-API-Key`, another one, the query or a cookie |
//! | [`BasicUsers`] | by user and password (RFC 7617) |
//! | [`BearerTokens`] | by a token (RFC 6750) |
//!
//! Another one is a [`Verifier`]. Several may stand beside each other: [`VerifyLayer::or`].
//!
//! # What the app gets
//!
//! The [`Principal`] in the request's extensions, and no credential. The [`CallContext`](bartizan_core::CallContext) says that the call has one, and whose it is as an opaque partition,
//! so that a cache further in keeps callers apart; a partition that somebody has set further out stays.
//!
//! # Defaults
//!
//! | | default | set with | why |
//! |---|---|---|---|
//! | a key stands | in `X-API-Key` | [`ApiKeys::at`], [`ApiKeys::or_at`] | of all fields most APIs use that one; what is in a query or a cookie gets into logs, or along with requests of other sites |
//! | a token stands | in `Authorization` | [`BearerTokens::or_in_query`] | the same |
//! | the credential | is taken out of what goes on | [`VerifyLayer::keep_credential`] | what the app does not get it cannot log, or send on. An app that asks another server on behalf of the caller needs it, and so does a second layer inside |
//! | the realm | `api` | [`VerifyLayer::realm`] | Basic has to have one (RFC 7617 section 2) |
//! | a refusal | is an error, with a [`Rejection`](bartizan_core::Rejection) | [`VerifyLayer::respond`] | as of all layers |
//!
//! # Answers
//!
//! | when | status | `WWW-Authenticate` | source |
//! |---|---|---|---|
//! | there is no credential, or that of a scheme which is not taken | 401 | what is taken, one field each | RFC 9110 section 15.5.2 |
//! | it is unknown; or Basic that cannot be read | 401 | the same; Bearer says `invalid_token` | section 11.4, RFC 6750 section 3.1 |
//! | there are two: of two schemes, in two places, or twice in one | 400 | Bearer says `invalid_request` | RFC 6750 section 3.1 |
//! | what is no bearer token | 400 | `invalid_request` | the same |
//! | it is good, and lacks a scope | 403 | `insufficient_scope` and the scope | the same |
//!
//! They have problem details, which tell strangers neither who is known nor what was wrong. They need no `Cache-Control`: none of them is kept without one
//! (RFC 9111 section 3).
//!
//! Answers of the app to a credential outside of `Authorization` get `Cache-Control: private` unless they say something else to shared caches. Those
//! know by `Authorization` alone that an answer is for one caller (RFC 9111 section 3.5, RFC 6750 section 2.3), and would show it to others.
//!
//! # What it does not do
//!
//! It does not limit how often somebody may try: put a rate limit outside. It does not speak `Digest`, and keeps no sessions. It does not ask whether a caller may do what he wants, but for the
//! scope of a token where a closure does. Without TLS anybody on the way can read what is sent.
//!
//! Preflights of CORS (`OPTIONS`) have no credential and are refused: the layer for CORS stands outside. axum keeps the target as it came in
//! `OriginalUri`, with a key in the query.
//!
//! # Time
//!
//! Of secrets only SHA-256 digests are kept. What is presented is hashed, found by another hash with a seed of this process, and compared in constant time: however many secrets
//! there are, it takes the same time, and the time tells nobody how near he came. Who is unknown takes as long as who has a wrong password. For closures that is the closure's business.
//!
//! # Readiness
//!
//! Gate: ready in any case, so that a refusal waits for nobody. A request that is let through uses the readied inner, or takes that instance along and polls
//! it on; the handle of one that is refused keeps nothing of the inner.
//!
//! # Failures
//!
//! | when | what happens |
//! |---|---|
//! | a request is not let through | [`Denied`], or the answer that stands for it; an event at `debug` (feature `tracing`) |
//! | the inner fails | its error passes |
//! | the future is dropped | so is the inner's; nothing else is kept |
//! | secrets are replaced meanwhile | requests go by what was set when they came |
//! | a [`Verifier`] panics | so does the call |
//!
//! # Cost
//!
//! For a key or a token in a header field: a SHA-256, a look-up without a lock, and no heap but for the request's extensions (four allocations if they were empty, two else), in which the principal and
//! the partition stand, and one for the `Cache-Control` of an answer without fields. Basic decodes into one more. What is taken out of a query or a cookie is written anew.
//! The time is linear in the size of the head.

mod api_keys;
mod basic_users;
mod bearer_tokens;
mod challenge;
mod credentials;
mod digest;
mod error;
pub mod future;
mod layer;
mod place;
mod principal;
mod principals;
mod private;
mod service;
mod verifier;

pub use api_keys::ApiKeys;
pub use basic_users::BasicUsers;
pub use bearer_tokens::BearerTokens;
pub use challenge::{Challenge, Realm};
pub use digest::SecretDigest;
pub use error::Denied;
pub use layer::VerifyLayer;
pub use place::Place;
pub use principal::Principal;
pub use principals::Principals;
pub use service::Verify;
pub use verifier::{Denial, Scope, Verifier};

#[cfg(test)]
mod tests;
