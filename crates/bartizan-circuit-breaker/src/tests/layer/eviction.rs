//! Which circuits make room for others.

use std::num::NonZeroUsize;

use super::*;

/// Beside the first origin, which always stays, there is room for `kept.example` alone; `change` is done to its circuit before
/// another origin is called. Whether it is still there.
async fn is_kept(change: impl FnOnce(&CircuitBreaker)) -> bool {
    let due_at_once = after(1).open_for(Duration::ZERO);
    let layer = CircuitBreakerLayer::with_settings(due_at_once).max_keys(NonZeroUsize::MIN);
    let service = layer.layer(Upstream::default());
    let call = async |host: &str| {
        service.clone().oneshot(get(&format!("http://{host}.example/"))).await.unwrap();
    };
    let kept = || {
        let is_it = |breaker: &CircuitBreaker| {
            breaker.subject().origin().is_some_and(|origin| origin.as_str() == "http://kept.example")
        };
        layer.circuits().into_iter().find(is_it)
    };
    call("first").await;
    call("kept").await;
    change(&kept().expect("there is room"));
    call("other").await;
    kept().is_some()
}

#[tokio::test(start_paused = true)]
async fn a_closed_circuit_makes_room() {
    assert!(!is_kept(|_| {}).await);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_was_switched_by_hand_makes_no_room() {
    assert!(is_kept(|breaker| breaker.force_open()).await);
    assert!(is_kept(|breaker| breaker.disable()).await);
}

#[tokio::test(start_paused = true)]
async fn a_half_open_circuit_makes_no_room() {
    let half_open = |breaker: &CircuitBreaker| {
        breaker.admit().unwrap().end(Outcome::Failure);
        drop(breaker.admit().unwrap());
        assert_eq!(breaker.state(), State::HalfOpen);
    };
    assert!(is_kept(half_open).await);
}
