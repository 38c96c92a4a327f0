//! Webhooks: known by their signatures, kept until they are processed, processed until they are done.
//!
//! ```text
//! sender -> VerifyLayer -> Receiver -> Inbox -> Processor -> your handlers
//!              401            200        |          |
//!                                      a file    dead letters
//! ```
//!
//! Each part is of use alone: [`VerifyLayer`] in front of an app that does all else itself, an inbox that somebody else puts events into, a processor without
//! an inbox.
//!
//! ```
//! use bartizan_webhook::{SignatureFormat, VerifyLayer};
//!
//! let stripe = SignatureFormat::stripe().verifier(["whsec_new", "whsec_old"])?;
//! // A layer for axum's `Router::layer` and `route_layer`, for `ServiceBuilder`, around any service.
//! let layer = VerifyLayer::new(stripe);
//! # let _ = layer;
//! # Ok::<(), bartizan_webhook::InvalidFormat>(())
//! ```
//!
//! # Senders
//!
//! | sender | format | signed | id |
//! |---|---|---|---|
//! | many | [`x_webhook_signature`](SignatureFormat::x_webhook_signature) | the body | none |
//! | Standard Webhooks | [`standard_webhooks`](SignatureFormat::standard_webhooks) | id, time, body | signed |
//! | Svix | [`svix`](SignatureFormat::svix) | id, time, body | signed |
//! | Stripe | [`stripe`](SignatureFormat::stripe) | time, body | signed, in the body |
//! | GitHub | [`github`](SignatureFormat::github) | the body | not signed |
//! | Slack | [`slack`](SignatureFormat::slack) | time, body | signed, in the body |
//! | Shopify | [`shopify`](SignatureFormat::shopify) | the body | not signed |
//! | Discord | [`discord`](SignatureFormat::discord) | time, body | none |
//!
//! Others are a table of your own, [`SignatureFormat::new`], or a [`Scheme`].
//!
//! # Failures
//!
//! What [`VerifyLayer`] answers; the inner service is not asked, and its error type stays as it is:
//!
//! | what is wrong | answer |
//! |---|---|
//! | no signature, a wrong one, an old one, two fields, a field too long, .. | 401 with `{"error":"Invalid signature"}` and `WWW-Authenticate`, always the same |
//! | a body above the limit, announced or not | 413 |
//! | a body that takes too long | 408 |
//! | a `Content-Encoding` | 415 |
//! | a body that breaks off | 400 |
//! | Meta's handshake with another token | 403 |
//!
//! Why is told to the hook ([`verify::Hook`]) and to `tracing`, and to no stranger. What [`Receiver`] answers stands there.
//!
//! # Defaults
//!
//! | | |
//! |---|---|
//! | timestamps | 300 s from now at most, both ways |
//! | a body | 1 MiB within 10 s |
//! | a header field | 4 KiB, with 16 signatures |
//! | [`Receiver`] | waits 10 s for the inbox; a 503 asks for 10 s |
//!
//! # Readiness
//!
//! [`VerifyLayer`] and [`SignLayer`] are decoupled: always ready, and their futures own a clone of the inner service. [`EventIdLayer`](sign::EventIdLayer)
//! passes the inner's readiness through. All work over an inner that is not `Send`.
//!
//! # Cost
//!
//! The bytes of the body are hashed as they come, once for each key that may have made a signature. A body that comes in one piece is not copied; others are,
//! into room that grows by what came. Ed25519 needs the whole message in one piece: that is a copy of the body.
//!
//! # What it does not do
//!
//! Signatures over the URL and a sorted form (Twilio), inside of the JSON (Adyen), and by ECDSA (SendGrid) are not here; a [`Scheme`] of your own may be.
//! Without a signed timestamp (GitHub, Shopify, `x-webhook-signature`) whoever sees a request may send it again; an inbox knows it by its id, where there is one.
//! Nothing here looks at the sender's address.

#[cfg(feature = "axum-08")]
mod axum_08;
mod collect;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "inbox")]
pub mod dead_letters;
#[cfg(feature = "ed25519")]
mod ed25519;
#[cfg(not(feature = "ed25519"))]
#[path = "no_ed25519.rs"]
mod ed25519;
mod event_id;
mod fault;
mod format;
#[cfg(feature = "inbox")]
pub mod inbox;
mod key;
mod member;
#[cfg(feature = "inbox")]
pub mod processor;
#[cfg(feature = "inbox")]
pub mod receiver;
mod scheme;
pub mod sign;
mod trace;
mod verified;
pub mod verify;

#[cfg(feature = "axum-08")]
pub use axum_08::{Webhook, WebhookRejection};
pub use event_id::EventId;
pub use fault::{Fault, FaultKind};
pub use format::{Algorithm, Encoding, SignError, SignatureFormat, SignatureVerifier, Signer};
pub use key::{InvalidFormat, Key};
#[cfg(feature = "inbox")]
pub use receiver::Receiver;
pub use scheme::{Check, Proof, Scheme};
pub use sign::SignLayer;
pub use verified::Verified;
pub use verify::VerifyLayer;
