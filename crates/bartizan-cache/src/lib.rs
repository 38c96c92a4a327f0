//! wip

mod body;
mod conditions;
mod engine;
mod etag;
mod fields;
mod fill;
pub mod future;
#[cfg(test)]
mod given;
mod key;
mod layer;
mod range;
mod reuse;
mod service;
mod singleton;
mod store;
mod storing;
#[cfg(feature = "targeted-fields")]
#[path = "fields/structured.rs"]
mod structured;
#[cfg(not(feature = "targeted-fields"))]
#[path = "fields/no_structured.rs"]
mod structured;
mod update;

pub use body::CacheBody;
pub use layer::CacheLayer;
pub use service::Cache;

#[cfg(test)]
mod tests;
#[cfg(all(test, feature = "targeted-fields"))]
#[path = "tests/targeted.rs"]
mod tests_of_targeted;
