//! The stack over servers that nobody here wrote: httpbin under gunicorn, and nginx.

#![allow(missing_docs)]

#[path = "upstreams/client.rs"]
mod client;
#[path = "upstreams/httpbin.rs"]
mod httpbin;
#[path = "upstreams/nginx.rs"]
mod nginx;
#[path = "upstreams/server.rs"]
mod server;
#[path = "upstreams/upstream.rs"]
mod upstream;
