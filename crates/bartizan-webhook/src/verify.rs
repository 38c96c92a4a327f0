//! Lets through what the sender has signed.

mod future;
mod hook;
mod layer;
mod meta;
mod refused;
mod service;
#[cfg(test)]
mod tests;

pub use self::future::ResponseFuture;
pub use self::hook::{Hook, Verdict};
pub use self::layer::VerifyLayer;
pub use self::refused::{Refused, RefusedKind};
pub use self::service::Verify;
