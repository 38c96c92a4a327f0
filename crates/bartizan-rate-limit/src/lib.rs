//! A token bucket that really limits, is fair, and listens to the server.

mod backend;
pub mod bulkhead;
#[cfg(feature = "axum-08")]
mod connect_info;
mod cost;
#[cfg(feature = "structured-fields")]
mod draft;
#[cfg(not(feature = "structured-fields"))]
#[path = "no_draft.rs"]
mod draft;
mod error;
pub mod future;
mod gate;
mod hook;
mod layer;
mod limiter;
mod line;
mod peers;
mod quota;
mod said;
mod service;
mod standing;
mod tokens;
mod told;
mod trace;
mod wait;

pub use backend::{AcquireInMemory, Acquiring, Backend, Grant, GrantInMemory, InMemory, Standing, Within};
pub use cost::Cost;
pub use error::{RateLimited, Reason};
pub use hook::{Event, Hook};
pub use layer::RateLimitLayer;
pub use limiter::{Acquire, Acquired, RateLimiter};
pub use peers::Peers;
pub use quota::{InvalidQuota, Quota};
pub use service::RateLimit;

#[cfg(test)]
mod tests;
