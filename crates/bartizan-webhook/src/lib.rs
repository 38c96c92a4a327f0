//! Webhooks.

#[cfg(feature = "axum-08")]
mod axum_08;
mod collect;
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
