#![doc = include_str!("../guide/index.md")]

#[doc = include_str!("../guide/order.md")]
pub mod order {}

#[doc = include_str!("../guide/timeouts.md")]
pub mod timeouts {}

#[doc = include_str!("../guide/retry.md")]
pub mod retry {}

#[doc = include_str!("../guide/circuit_breaker.md")]
pub mod circuit_breaker {}

#[doc = include_str!("../guide/rate_limit.md")]
pub mod rate_limit {}

#[doc = include_str!("../guide/cache.md")]
pub mod cache {}

#[doc = include_str!("../guide/auth.md")]
pub mod auth {}

#[doc = include_str!("../guide/client.md")]
pub mod client {}

#[doc = include_str!("../guide/observing.md")]
pub mod observing {}

#[doc = include_str!("../guide/server.md")]
pub mod server {}

#[doc = include_str!("../guide/graphql.md")]
pub mod graphql {}

#[doc = include_str!("../guide/webhooks.md")]
pub mod webhooks {}

#[doc = include_str!("../guide/errors.md")]
pub mod errors {}

#[doc = include_str!("../guide/bodies.md")]
pub mod bodies {}

#[doc = include_str!("../guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../guide/writing_a_layer.md")]
pub mod writing_a_layer {}

#[doc = include_str!("../guide/many_machines.md")]
pub mod many_machines {}

// Their code needs the peers, which no published crate should; the package `guide` compiles it.
#[cfg_attr(not(doctest), doc = include_str!("../guide/from_reqwest_middleware.md"))]
pub mod from_reqwest_middleware {}

#[cfg_attr(not(doctest), doc = include_str!("../guide/from_tower_governor.md"))]
pub mod from_tower_governor {}

#[cfg_attr(not(doctest), doc = include_str!("../guide/from_tower_resilience.md"))]
pub mod from_tower_resilience {}

#[cfg_attr(not(doctest), doc = include_str!("../guide/from_http_cache.md"))]
pub mod from_http_cache {}
