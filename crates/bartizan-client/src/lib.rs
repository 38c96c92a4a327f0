//! From any HTTP service to a pleasant API client.

mod base_url;
mod default_headers;
mod intercept;
mod version;

pub use base_url::{BaseUrl, BaseUrlFuture, BaseUrlLayer, InvalidBaseUrl, InvalidReference, WithBaseUrl};
pub use default_headers::{DefaultHeaders, DefaultHeadersLayer};
