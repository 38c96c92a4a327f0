//! GraphQL over any HTTP service.

mod answer;
mod client;
#[cfg(feature = "cynic-3")]
mod cynic_3;
mod documents;
mod error;
#[cfg(feature = "graphql-client-016")]
mod graphql_client_016;
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
