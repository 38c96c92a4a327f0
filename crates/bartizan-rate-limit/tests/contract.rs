//! The layers keep the contract of `tower_service::Service`.

use std::time::Duration;

use bartizan_rate_limit::{Quota, RateLimitLayer};
use bartizan_test::contract;

fn quota(tokens: u32, seconds: u64, burst: u32) -> Quota {
    let quota = Quota::new(tokens, Duration::from_secs(seconds)).expect("a quota");
    quota.burst(burst).expect("a burst")
}

#[test]
fn a_rate_limit_with_tokens() {
    contract::check(|| RateLimitLayer::new(quota(1_000_000, 1, 1_000_000)));
    contract::check(RateLimitLayer::without_quota);
    contract::check(RateLimitLayer::disabled);
}

#[test]
fn a_rate_limit_that_waits() {
    contract::check(|| RateLimitLayer::new(quota(100, 1, 1)));
}

#[test]
fn a_rate_limit_that_refuses() {
    contract::check(|| RateLimitLayer::new(quota(1, 3600, 1)).max_wait(Duration::ZERO));
    // More than there ever is.
    contract::check(|| RateLimitLayer::new(quota(1, 3600, 1)).cost(|_| 2));
}

#[test]
fn an_inner_that_is_not_send_will_do() {
    contract::accepts_local(&RateLimitLayer::classic());
}
