//! The bulkhead keeps the contract of `tower_service::Service`.

use std::num::NonZeroUsize;
use std::time::Duration;

use bartizan_rate_limit::bulkhead::{Bulkhead, BulkheadLayer};
use bartizan_test::contract;

const ONE: NonZeroUsize = NonZeroUsize::MIN;

#[test]
fn a_bulkhead_with_room() {
    contract::check(|| BulkheadLayer::new(ONE.saturating_add(99)));
    contract::check(BulkheadLayer::disabled);
    contract::check(|| BulkheadLayer::new(ONE.saturating_add(99)).respond());
}

#[test]
fn a_bulkhead_in_which_calls_wait() {
    contract::check(|| BulkheadLayer::new(ONE).queue(100).max_wait(Duration::from_secs(600)));
    contract::check(|| BulkheadLayer::new(ONE).queue(100).max_wait(Duration::from_secs(600)).respond());
}

#[test]
fn a_bulkhead_that_refuses() {
    contract::check(|| BulkheadLayer::new(ONE));
    contract::check(|| BulkheadLayer::new(ONE).queue(1).max_wait(Duration::ZERO));
}

#[test]
fn an_inner_that_is_not_send_will_do() {
    contract::accepts_local(&BulkheadLayer::new(ONE));
}

#[test]
fn futures_bodies_and_permits_may_go_to_other_threads() {
    fn goes<T: Send + Sync + 'static>(_: &T) {}
    let bulkhead = Bulkhead::with_queue(ONE, 1);
    goes(&bulkhead.acquire());
    goes(&bulkhead.try_acquire());
    goes(&bulkhead);
    goes(&BulkheadLayer::new(ONE));
}
