//! A test kit for tower layers over HTTP: for bartizan's own, and for yours.
//!
//! | module | what it is for |
//! |---|---|
//! | [`contract`] | drives any layer through what `Service` demands: readiness, clones, drops at every poll, wake-ups |
//! | [`server`] | a scripted loopback server, HTTP/1.1 and HTTP/2, that misbehaves on command and logs what it saw |
//! | [`proxy`] | a TCP proxy that breaks connections between any client and any server |
//! | [`timeline`] | attempts as text: `0ms GET /a -> 503; +104ms GET /a -> 200` |
//! | [`bodies`] | bodies that do what a script says, and tell what was done to them |
//! | [`readiness`] | records the polls, calls and clones of a service, to show a layer's shape |
//! | [`alloc`] | counts allocations |
//! | `trace` | keeps events and spans of `tracing`, with the feature of that name |
//!
//! It belongs into `[dev-dependencies]`. Paused time drives all of it but the sockets; servers and proxies end with
//! the value that owns them.

pub mod alloc;
pub mod bodies;
pub mod contract;
pub mod proxy;
pub mod readiness;
pub mod server;
pub mod timeline;
#[cfg(feature = "tracing")]
pub mod trace;
