//! GraphQL over any HTTP service.

mod answer;
mod client;
mod documents;
mod error;
mod graphql_error;
mod media_type;
mod operation;
mod persisted;
mod raw_json;
mod reply;
mod request;
#[cfg(test)]
mod tests;

pub use answer::{Answer, InvalidAnswer};
pub use client::{GraphqlClient, InvalidEndpoint};
pub use documents::OperationType;
pub use error::Error;
pub use graphql_error::{GraphqlError, Location, PathSegment};
pub use operation::{InvalidVariables, Operation};
pub use raw_json::RawJson;
pub use reply::Reply;
