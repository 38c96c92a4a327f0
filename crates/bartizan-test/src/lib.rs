//! Test kit for tower layers over HTTP.

pub mod contract;
