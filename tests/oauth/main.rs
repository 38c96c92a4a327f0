//! OAuth over authorization servers that nobody here wrote: oidc-provider and authlib.

#![allow(missing_docs)]

mod browser;
mod clients;
mod device;
mod http;
mod login;
mod machines;
mod servers;
mod sessions;
mod starts;
#[path = "../upstreams/upstream.rs"]
mod upstream;
