//! From any HTTP service to a pleasant API client.

mod base_url;
mod default_headers;
pub mod intercept;
mod version;
