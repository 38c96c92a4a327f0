//! The layers keep the contract of `tower_service::Service`.

use std::num::NonZeroU32;
use std::time::Duration;

use bartizan_circuit_breaker::{CircuitBreaker, CircuitBreakerLayer, Settings, Trip};
use bartizan_test::contract;

/// Opens at the first failure, and soon probes.
fn eager() -> Settings {
    let one = NonZeroU32::MIN;
    Settings::new()
        .trip(Trip::consecutive(one))
        .open_for(Duration::from_millis(10))
        .probes(one)
        .without_ramp()
}

#[test]
fn closed() {
    contract::check(CircuitBreakerLayer::new);
    contract::check(CircuitBreakerLayer::disabled);
    contract::check(|| CircuitBreakerLayer::new().head_only());
}

#[test]
fn opening_and_closing() {
    contract::check(|| CircuitBreakerLayer::with_settings(eager()));
    contract::check(|| CircuitBreakerLayer::with_settings(eager().metrics_only()));
}

#[test]
fn refusing() {
    contract::check(|| {
        let breaker = CircuitBreaker::new(Settings::new());
        breaker.force_open();
        CircuitBreakerLayer::shared(breaker)
    });
}

#[test]
fn the_gate() {
    contract::check(|| CircuitBreakerLayer::new().gate());
    contract::check(|| {
        let breaker = CircuitBreaker::new(Settings::new());
        breaker.force_open();
        CircuitBreakerLayer::shared(breaker).gate()
    });
}

#[test]
fn an_inner_that_is_not_send_will_do() {
    contract::accepts_local(&CircuitBreakerLayer::new());
    contract::accepts_local(&CircuitBreakerLayer::new().gate());
}
