//! A token bucket that really limits, is fair, and listens to the server.

#[cfg(feature = "axum-08")]
mod connect_info;
#[cfg(feature = "structured-fields")]
mod draft;
#[cfg(not(feature = "structured-fields"))]
#[path = "no_draft.rs"]
mod draft;
mod peers;
mod quota;
#[cfg_attr(not(test), expect(dead_code, reason = "no layer asks yet"))]
mod said;

pub use peers::Peers;
pub use quota::{InvalidQuota, Quota};
