//! The rows, and the policies that the peers need.

pub mod bodies;
pub mod breakers;
pub mod caches;
pub mod credentials;
pub mod graphql;
pub mod limits;
pub(crate) mod peers;
pub mod retries;
pub mod stacks;
pub mod timeouts;
pub mod webhooks;

use std::time::Duration;

/// Long enough that no timer fires while anything is measured.
const LIMIT: Duration = Duration::from_secs(10);
const TOTAL: Duration = Duration::from_secs(30);
