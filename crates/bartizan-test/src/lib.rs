//! Test kit for tower layers over HTTP.

pub mod alloc;
pub mod bodies;
pub mod contract;
pub mod readiness;
