mod body;
mod codes;
mod future;
mod judge;
mod layer;
mod service;
#[cfg(test)]
mod tests;
mod wait;

pub use body::OutcomeBody;
pub use codes::{Codes, Kind};
pub use future::OutcomeFuture;
pub use layer::GraphqlOutcomeLayer;
pub use service::GraphqlOutcome;
