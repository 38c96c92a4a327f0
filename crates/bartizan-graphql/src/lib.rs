//! GraphQL over any HTTP service.

mod answer;
mod graphql_error;
mod operation;
mod outcome;
mod raw_json;

pub use answer::{Answer, InvalidAnswer};
pub use graphql_error::{GraphqlError, Location, PathSegment};
pub use operation::{InvalidVariables, Operation};
pub use outcome::{Codes, GraphqlOutcome, GraphqlOutcomeLayer, Kind, OutcomeBody, OutcomeFuture};
pub use raw_json::RawJson;
