//! Events go from requests into an inbox.

mod future;
mod refused;
mod service;
#[cfg(test)]
mod tests;

pub use self::future::ResponseFuture;
pub(crate) use self::refused::NotKept;
pub use self::service::{Part, Receiver};
