//! Signs what is sent.

mod error;
mod event_id;
mod future;
mod layer;
#[cfg(test)]
mod tests;

pub use self::error::NotSigned;
pub use self::event_id::{EventIdLayer, WithEventId};
pub use self::future::ResponseFuture;
pub use self::layer::{Sign, SignLayer};
