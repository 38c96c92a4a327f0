//! Webhooks.

#[cfg(feature = "inbox")]
pub mod inbox;
mod trace;
