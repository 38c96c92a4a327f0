//! Webhooks.

#[cfg(feature = "inbox")]
pub mod inbox;
#[cfg(feature = "inbox")]
pub mod processor;
mod trace;
