//! A test kit for `tower` layers that call HTTP APIs.

pub mod proxy;
pub mod server;
pub mod timeline;
