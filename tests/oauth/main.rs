//! OAuth over authorization servers that nobody here wrote: oidc-provider and authlib.

#![allow(missing_docs)]

mod http;
mod servers;
mod starts;
#[path = "../upstreams/upstream.rs"]
mod upstream;
