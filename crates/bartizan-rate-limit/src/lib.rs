//! A token bucket that really limits, is fair, and listens to the server.

mod error;
mod limiter;
mod line;
mod quota;
mod tokens;
mod wait;

pub use error::{RateLimited, Reason};
pub use limiter::{Acquire, Acquired, RateLimiter};
pub use quota::{InvalidQuota, Quota};

#[cfg(test)]
mod tests;
