//! Credentials for calling other people's HTTP APIs: API keys, Basic, Bearer and OAuth 2.0, put on requests to the origins that they are meant for, and on no other.
//!
//! ```
//! use bartizan_auth::{ApiKey, AuthLayer, Origins};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), bartizan_core::BoxError> {
//! # let http_client = tower::service_fn(|request: Request<Full<Bytes>>| async move {
//! #     let key = request.headers().get("x-api-key").cloned();
//! #     Ok::<_, bartizan_core::BoxError>(Response::new(Full::new(Bytes::from(key.map_or("nothing".into(), |key| key.to_str().unwrap().to_owned())))))
//! # });
//! # use http_body_util::BodyExt;
//! let origins = Origins::new(["https://api.example.com"])?;
//! let client = ServiceBuilder::new()
//!     .layer(AuthLayer::new(origins, ApiKey::new("s3cr3t")?))
//!     .service(http_client);
//!
//! let get = |uri: &str| Request::get(uri).body(Full::<Bytes>::default());
//! # let echoed = client.clone().oneshot(get("https://api.example.com/users")?).await?.into_body().collect().await?.to_bytes();
//! # assert_eq!(echoed, "s3cr3t");
//! client.clone().oneshot(get("https://api.example.com/users")?).await?;
//! // The key does not go there.
//! let answer = client.oneshot(get("https://images.example.net/logo")?).await?;
//! # assert_eq!(answer.into_body().collect().await?.to_bytes(), "nothing");
//! # Ok(()) }
//! ```
//!
//! # Schemes
//!
//! | | what it puts on a request |
//! |---|---|
//! | [`ApiKey`] | a key: in the field `X-API-Key` or another one, in the query, in a cookie |
//! | [`Basic`] | user and password (RFC 7617) |
//! | [`Bearer`] | a token (RFC 6750), which may be set, replaced and taken away while calls go on |
//! | [`Refreshing`] | a token that is fetched when it is needed, and anew before it ends or when it is refused |
//! | [`Tenants`] | what one of the others puts there, another one for each tenant or scope |
//!
//! Where [`Refreshing`] has its tokens from is a [`TokenSource`]: the grants of OAuth 2.0 (`oauth`, a feature), an API's own endpoint (`JsonRefresh`, with it),
//! or a closure of yours.
//!
//! Another one is an [`Authorizer`]. Each takes the place of what the request has under the same name.
//!
//! # Defaults
//!
//! | | default | set with | why |
//! |---|---|---|---|
//! | where it goes | there is none: [`Origins`] are asked for | [`AuthLayer::new`] | a credential that follows a redirect or a wrong base URL is lost |
//! | `http` | to the loopback alone | | whoever reads the connection could use the credential |
//! | other origins | go without | [`AuthLayer::refuse_elsewhere`] | links and redirects lead to servers that need none |
//! | no token yet | the call is refused | [`AuthLayer::or_without`] | an answer for nobody in particular is worse than none |
//! | a token is refused | by a 401 whose Bearer challenge says `invalid_token` | [`RefreshingBuilder::any_401`] | another 401 may mean anything, and each would cost a fetch |
//! | after that | the answer is marked, and a retry layer outside sends the request again, once | [`AuthLayer::replay_alone`] | retry keeps a copy of the request as it is |
//! | tenants | 1,024 are kept beside the first | [`Tenants::max_tenants`] | as many circuits are kept; memory is bounded |
//! | no tenant is named | the call is refused | [`Tenants::otherwise`] | nobody's credential in particular is the wrong one |
//! | tokens | are kept in memory | [`RefreshingBuilder::store`] | where they are safe beyond that only the user knows |
//!
//! # On the server side
//!
//! Credentials of requests that come in are checked by the layer of the module `server`, behind the feature of that name.
//!
//! # Secrets
//!
//! `Debug` and errors show none, and values of fields are marked as sensitive. A [`Secret`] is overwritten when it is dropped. The copies in requests are
//! not, nor are the values that requests are made of: [`http`] has no place for that.
//!
//! # Where it stands
//!
//! Inside retry, so that each attempt has the newest token, outside the circuit breaker. Inside a redirect follower nothing is put on requests to other
//! origins; outside of one, give the follower the layer's `redirect_policy` (feature `tower-http-07`). Where a cache stands further out, put
//! [`AuthLayer::identity_layer`] outside of it: else it would show one caller's answers to another.
//!
//! # Errors
//!
//! [`NoCredential`] and [`OtherOrigin`], both with a [`Rejection`](bartizan_core::Rejection): nothing was sent. The inner's pass.
//!
//! # Readiness
//!
//! Gate: ready in any case, so that a refusal waits for nobody. With a credential at hand the readied inner is called at once; a call that has to wait for one keeps
//! nothing of the inner meanwhile.
//!
//! # Failures
//!
//! | when | what happens |
//! |---|---|
//! | the target is none of the origins | the call goes without the credential, or is refused: [`OtherOrigin`] |
//! | there is no credential | it is waited for, if it can be got; else the call is refused, or goes without: [`NoCredential`] |
//! | the future is dropped while it waits | nothing is sent |
//! | the head has no room left for the credential | as if there were none |
//! | the answer says that the credential is not good | it is passed on; an [`Authorizer`] that has a better one may have it sent again |
//! | the future is dropped while a token is fetched | the fetch goes on, for whoever comes next |
//! | there is no room for one more tenant | his calls are refused: [`TooManyTenants`]; the others go on |
//! | no token is to be had | calls are refused at once, and say until when: [`TokenError`] |
//!
//! # Cost
//!
//! No heap and no lock for a key, Basic or Bearer in a header field, fetched or not, but what the map of fields needs to grow: the value is made once, and shared. A key in the query or
//! in a cookie is written anew for each request. A tenant that is known costs a shared read lock more, and no heap; a call that goes elsewhere shows its
//! target to all of them.

mod again;
mod api_key;
mod authorizer;
mod basic;
mod bearer;
mod challenge;
mod cookies;
#[cfg(feature = "oauth")]
mod endpoint;
mod error;
mod future;
mod identity;
#[cfg(feature = "oauth")]
mod json_refresh;
mod layer;
mod lifetime;
#[cfg(feature = "oauth")]
pub mod oauth;
mod origins;
#[cfg(feature = "private-key-jwt")]
mod private_key_jwt;
mod query;
#[cfg(feature = "tower-http-07")]
mod redirect;
#[cfg(not(feature = "tower-http-07"))]
#[path = "no_redirect.rs"]
mod redirect;
mod refreshing;
mod secret;
#[cfg(feature = "server")]
pub mod server;
mod service;
mod stamp;
mod tenants;
mod token;
mod token_store;
mod trace;

pub use again::{Again, Alone, ByRetry};
pub use api_key::ApiKey;
pub use authorizer::{Authorizer, Preparing, Reaction};
pub use basic::Basic;
pub use bearer::Bearer;
#[cfg(feature = "oauth")]
pub use endpoint::{EndpointError, Transport};
pub use error::{InvalidCredential, NoCredential, NotPrepared, OtherOrigin};
pub use future::ResponseFuture;
pub use identity::{Identity, IdentityLayer};
#[cfg(feature = "oauth")]
pub use json_refresh::JsonRefresh;
pub use layer::AuthLayer;
pub use origins::{InvalidOrigin, Origins};
#[cfg(feature = "private-key-jwt")]
pub use private_key_jwt::SigningKey;
#[cfg(feature = "tower-http-07")]
pub use redirect::RedirectPolicy;
pub use refreshing::{Refreshing, RefreshingBuilder, TokenEvent};
pub use secret::Secret;
pub use service::Auth;
pub use stamp::Stamp;
pub use tenants::{NoTenant, Tenant, Tenants, TooManyTenants};
pub use token::{Fetching, Token, TokenError, TokenSource};
pub use token_store::{Held, SavedToken, Stored, TokenStore};

#[cfg(test)]
mod tests;
