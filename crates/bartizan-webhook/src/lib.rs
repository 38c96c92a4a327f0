//! Webhooks.

#[cfg(feature = "inbox")]
pub mod dead_letters;
#[cfg(feature = "inbox")]
pub mod inbox;
#[cfg(feature = "inbox")]
pub mod processor;
mod trace;
