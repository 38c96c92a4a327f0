//! What is polled ready, called and given back.

use std::future::poll_fn;

use tower::limit::ConcurrencyLimit;

use super::*;

#[tokio::test(start_paused = true)]
async fn an_inner_that_is_ready_is_not_asked_again() {
    let (inner, log) = readiness::record(Upstream::default());
    let mut service = CircuitBreakerLayer::new().layer(inner);
    for _ in 0..3 {
        service.ready().await.unwrap();
    }
    service.call(get(URI)).await.unwrap();
    assert_eq!(log.text(), "ready, call");
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_the_fresh_inner_is_asked_before_it_is_called() {
    let breaker = CircuitBreaker::new(after(1));
    let (inner, log) = readiness::record(Upstream::default());
    let mut service = CircuitBreakerLayer::shared(breaker.clone()).layer(inner);
    breaker.force_open();
    assert!(service.ready().await.unwrap().call(get(URI)).await.is_err());
    breaker.force_close();
    log.clear();
    assert!(service.ready().await.unwrap().call(get(URI)).await.is_ok());
    assert_eq!(log.text(), "ready, call");
}

#[tokio::test(start_paused = true)]
async fn after_a_call_the_inner_is_asked_again() {
    let (inner, log) = readiness::record(Upstream::default());
    let mut service = CircuitBreakerLayer::new().layer(inner);
    for _ in 0..2 {
        service.ready().await.unwrap().call(get(URI)).await.unwrap();
    }
    assert_eq!(log.text(), "ready, call, ready, call");
}

#[tokio::test(start_paused = true)]
async fn a_clone_of_a_ready_handle_is_asked_before_it_is_called() {
    let (inner, log) = readiness::record(Upstream::default());
    let mut service = CircuitBreakerLayer::new().layer(inner);
    service.ready().await.unwrap();
    let mut other = service.clone();
    log.clear();
    other.ready().await.unwrap().call(get(URI)).await.unwrap();
    assert_eq!(log.text(), "ready, call");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_has_to_wait_keeps_its_place_in_the_queue() {
    let inner = ConcurrencyLimit::new(Upstream::default(), 1);
    let mut holder = inner.clone();
    assert!(poll_fn(|cx| holder.poll_ready(cx)).await.is_ok());
    let mut service = CircuitBreakerLayer::new().layer(inner.clone());
    let mut call = Box::pin(service.ready().await.unwrap().call(get(URI)));
    let mut later = inner;
    assert!(later.poll_ready(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(holder);
    assert!(!is_pending(call.as_mut()), "it came first");
}

/// One place, which is taken; then a refused handle that waited for it stays there idle, and the place gets free.
async fn another_gets_the_place_of<S>(mut refused: S, inner: ConcurrencyLimit<Upstream>) -> bool
where
    S: Service<Request<()>>,
{
    let mut holder = inner.clone();
    assert!(poll_fn(|cx| holder.poll_ready(cx)).await.is_ok());
    assert!(poll_fn(|cx| refused.poll_ready(cx)).await.is_ok(), "ready in any case");
    let answer = tokio::time::timeout(SECOND, refused.call(get(URI))).await;
    assert!(answer.expect("waits for nobody").is_err());
    drop(holder);
    let mut other = inner;
    other.poll_ready(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// A layer whose one circuit lets nothing through.
pub(super) fn forced_open() -> CircuitBreakerLayer {
    let breaker = CircuitBreaker::new(Settings::new());
    breaker.force_open();
    CircuitBreakerLayer::shared(breaker)
}

#[tokio::test(start_paused = true)]
async fn a_refused_handle_that_waited_gives_up_its_place_in_the_queue() {
    let inner = ConcurrencyLimit::new(Upstream::default(), 1);
    assert!(another_gets_the_place_of(forced_open().layer(inner.clone()), inner).await);
}

#[tokio::test(start_paused = true)]
async fn a_handle_that_the_gate_refused_gives_up_its_place_in_the_queue() {
    let inner = ConcurrencyLimit::new(Upstream::default(), 1);
    assert!(another_gets_the_place_of(forced_open().gate().layer(inner.clone()), inner).await);
}
