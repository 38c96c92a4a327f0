//! Webhooks.

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "inbox")]
pub mod inbox;
mod trace;
