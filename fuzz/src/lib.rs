//! What is done with bytes from outside. `cargo xtask fuzz` has libFuzzer choose them; `tests/corpus.rs` takes those that are kept in `corpus/`.
//!
//! An input of the cache is text: one field a line, of which the first letter is short for the name, and an empty line between messages.

#![allow(missing_docs)]

mod challenge;
mod graphql;
mod message;
mod oauth;
mod request;
mod response;
mod times;
mod webhook;

pub use challenge::challenge;
pub use graphql::graphql_merge;
pub use oauth::{oauth_redirect, oauth_token};
pub use request::cache_request;
pub use response::cache_response;
pub use times::{http_date, retry_after};
pub use webhook::{webhook_head, webhook_json, webhook_template};
