//! GraphQL over any HTTP service.

mod answer;
mod graphql_error;
#[doc(hidden)]
pub mod merge;
mod operation;
mod raw_json;

pub use answer::{Answer, InvalidAnswer};
pub use graphql_error::{GraphqlError, Location, PathSegment};
pub use operation::{InvalidVariables, Operation};
pub use raw_json::RawJson;
