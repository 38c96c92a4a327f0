//! The layer keeps the contract of `tower_service::Service`.

use bartizan_cache::CacheLayer;
use bartizan_test::contract;

#[test]
fn a_private_cache() {
    contract::check(CacheLayer::rfc9111);
}

#[test]
fn a_shared_cache() {
    contract::check(|| CacheLayer::rfc9111().shared());
}

#[test]
fn a_cache_by_age() {
    contract::check(CacheLayer::classic);
}
