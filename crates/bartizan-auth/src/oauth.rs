//! OAuth 2.0 for clients: how tokens are got, kept alive and given back.
//!
//! ```
//! use bartizan_auth::oauth::{ClientAuth, OAuthClient, ServerMetadata};
//! use bartizan_auth::{AuthLayer, Origins, Refreshing, Transport};
//! # use bytes::Bytes;
//! # use http::{Request, Response};
//! # use http_body_util::Full;
//! # let bare_client = tower::service_fn(|_: Request<Full<Bytes>>| async { Ok::<_, std::io::Error>(Response::new(Full::<Bytes>::default())) });
//!
//! let server = ServerMetadata::new("https://login.example.com/token")?;
//! let client = OAuthClient::new(Transport::new(bare_client), server, "s6BhdRkqt3").authenticate(ClientAuth::basic("gX1fBat3bV"));
//! let tokens = Refreshing::new(client.client_credentials().scope("orders:read"));
//! let layer = AuthLayer::new(Origins::new(["https://api.example.com"])?, tokens);
//! # let _ = layer;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Grants
//!
//! | | how | a token for |
//! |---|---|---|
//! | client credentials (RFC 6749 section 4.4) | [`OAuthClient::client_credentials`], a [`TokenSource`](crate::TokenSource) | the client itself |
//! | authorization code with PKCE (section 4.1, RFC 7636) | [`OAuthClient::login`], then [`refresh`](OAuthClient::refresh) | a user who logs in with a browser |
//! | device (RFC 8628) | [`OAuthClient::device`], then [`refresh`](OAuthClient::refresh) | a user who logs in on another machine |
//! | refresh (RFC 6749 section 6) | [`OAuthClient::refresh`], a [`TokenSource`](crate::TokenSource) | whoever has logged in |
//!
//! # Defaults
//!
//! | | default | set with | why |
//! |---|---|---|---|
//! | the client proves itself | not at all: it is a public one | [`OAuthClient::authenticate`] | secrets in an app that others run are none |
//! | PKCE | S256 | [`LoginBuilder::without_pkce`] | RFC 9700 section 2.1.1 |
//! | `state` and the verifier | 256 bits of the operating system's chance each | | RFC 7636 section 7.1 |
//! | a refresh whose answer was lost | is not sent again | [`Refresh::resend_uncertain`] | servers that replace a refresh token with each use take its second use for theft, and end the session |
//! | device: how often is asked | every 5 s, or as the server says, 5 s slower after each `slow_down` | | RFC 8628 section 3.5 |
//!
//! # What it does not do
//!
//! It verifies no ID token, it only hands it out: who logs users in by OpenID Connect needs a library for that. It knows no implicit grant and no
//! passwords (RFC 9700 section 2.4), no DPoP and no mutual TLS.
//!
//! # Failures
//!
//! | when | what happens |
//! |---|---|
//! | the server says no in the words of RFC 6749 section 5.2, with 4xx or even 200 | a permanent [`EndpointError`](crate::EndpointError) with its [`ErrorCode`] |
//! | 5xx, 429, or words that nobody knows | a transient one, whatever else it says, with `Retry-After` |
//! | it redirects | an error: secrets are for one place |
//! | no answer in 10 s, more than 64 KiB, cut off, or no JSON | a transient one that [`is_uncertain`](crate::EndpointError::is_uncertain); the refresh token is not sent again, and the next error is permanent |
//! | it was not reached | a transient one |
//! | the future of an exchange is dropped | the code may be spent; a new login is needed. Fetches of [`Refreshing`](crate::Refreshing) cannot be dropped, and [`DeviceLogin::wait`] goes on where it was |
//! | the redirect of a login has another `state` | an error, and the login is still waiting: it was somebody else's |

mod assertion;
mod client;
mod client_auth;
mod device;
mod discovery;
mod form;
mod login;
mod metadata;
mod random;
mod redirect;
mod refresh;
mod response;
#[cfg(test)]
mod tests;

pub use self::assertion::AssertionSigner;
pub use self::client::{ClientCredentials, OAuthClient};
pub use self::client_auth::ClientAuth;
pub use self::device::{DeviceBuilder, DeviceLogin};
pub use self::login::{AuthorizationCode, Login, LoginBuilder, PendingLogin};
pub use self::metadata::ServerMetadata;
pub use self::redirect::RedirectError;
pub use self::refresh::Refresh;
pub use self::response::TokenResponse;
pub use crate::endpoint::ErrorCode;
