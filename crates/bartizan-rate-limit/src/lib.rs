//! A token bucket that really limits, is fair, and listens to the server.

mod quota;

pub use quota::{InvalidQuota, Quota};
