//! The pages of the guide that show other crates beside these, with both sides compiled. They are part of the docs of `bartizan`, whose
//! tests should not need the others.

#![cfg(doctest)]

#[doc = include_str!("../../crates/bartizan/guide/from_reqwest_middleware.md")]
mod from_reqwest_middleware {}

#[doc = include_str!("../../crates/bartizan/guide/from_tower_governor.md")]
mod from_tower_governor {}

#[doc = include_str!("../../crates/bartizan/guide/from_tower_resilience.md")]
mod from_tower_resilience {}

#[doc = include_str!("../../crates/bartizan/guide/from_http_cache.md")]
mod from_http_cache {}
