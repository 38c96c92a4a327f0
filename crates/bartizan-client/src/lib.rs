//! From any HTTP service to a pleasant API client.

mod base_url;
mod default_headers;
mod intercept;
#[allow(dead_code, reason = "for now")]
mod link;
mod version;
