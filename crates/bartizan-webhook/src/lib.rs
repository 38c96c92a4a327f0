//! Webhooks.

mod event_id;
mod fault;
mod format;
#[cfg(feature = "inbox")]
pub mod inbox;
mod key;
mod member;
mod scheme;
mod trace;
mod verified;
pub mod verify;

pub use event_id::EventId;
pub use fault::{Fault, FaultKind};
pub use format::{Algorithm, Encoding, SignError, SignatureFormat, SignatureVerifier, Signer};
pub use key::{InvalidFormat, Key};
pub use scheme::{Check, Proof, Scheme};
pub use verified::Verified;
pub use verify::VerifyLayer;
