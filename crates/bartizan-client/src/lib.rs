//! From any HTTP service to a pleasant API client.

mod base_url;
mod default_headers;
mod intercept;
mod link;
pub mod log;
pub mod version;
