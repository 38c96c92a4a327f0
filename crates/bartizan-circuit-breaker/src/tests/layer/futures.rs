//! What the futures hold and for how long, and how they end.

use std::pin::pin;

use super::readied::forced_open;
use super::*;

/// Answers at once or never, and holds something until it is dropped.
struct Holding {
    _held: Arc<()>,
    answers: bool,
}

impl Future for Holding {
    type Output = Result<Response<bodies::Body>, BoxError>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if self.answers { Poll::Ready(Ok(response(200))) } else { Poll::Pending }
    }
}

/// Its calls hold one more of `held`.
fn holding(
    held: Arc<()>,
    answers: bool,
) -> impl Service<Request<()>, Response = Response<bodies::Body>, Error = BoxError, Future = Holding> + Clone
{
    service_fn(move |_: Request<()>| Holding { _held: held.clone(), answers })
}

#[tokio::test(start_paused = true)]
async fn a_call_gives_back_what_it_holds_with_its_answer() {
    let held = Arc::new(());
    let mut service = CircuitBreakerLayer::new().layer(holding(held.clone(), true));
    let idle = Arc::strong_count(&held);
    let mut call = pin!(service.ready().await.unwrap().call(get(URI)));
    assert_eq!(Arc::strong_count(&held), idle + 1);
    let _answer = call.as_mut().await.unwrap();
    assert_eq!(Arc::strong_count(&held), idle);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_gives_back_what_it_holds_before_its_circuit_changes() {
    let (held, told) = (Arc::new(()), Arc::new(Mutex::new(Vec::new())));
    let (seen, log) = (Arc::downgrade(&held), told.clone());
    let hook = move |_: &Subject, _: &Transition| log.lock().unwrap().push(seen.strong_count());
    let layer = CircuitBreakerLayer::with_settings(after(1).slow_after(Duration::ZERO)).on_transition(hook);
    let mut service = layer.layer(holding(held.clone(), false));
    let idle = Arc::strong_count(&held);
    let mut call = Box::pin(service.ready().await.unwrap().call(get(URI)));
    assert!(is_pending(call.as_mut()));
    drop(call);
    assert_eq!(*told.lock().unwrap(), [idle]);
}

/// Polls to the end, and once more.
async fn poll_after_its_end(future: impl Future) {
    let mut future = pin!(future);
    future.as_mut().await;
    let _ = is_pending(future);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "a future is not polled after its end")]
async fn a_call_is_not_polled_after_its_end() {
    let mut service = CircuitBreakerLayer::new().layer(holding(Arc::new(()), true));
    poll_after_its_end(service.ready().await.unwrap().call(get(URI))).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "a future is not polled after its end")]
async fn a_refusal_is_not_polled_after_its_end() {
    let mut service = forced_open().layer(Upstream::default());
    poll_after_its_end(service.ready().await.unwrap().call(get(URI))).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "a future is not polled after its end")]
async fn a_refusal_of_the_gate_is_not_polled_after_its_end() {
    let mut service = forced_open().gate().layer(Upstream::default());
    poll_after_its_end(service.ready().await.unwrap().call(get(URI))).await;
}

#[tokio::test(start_paused = true)]
async fn debug_says_how_far_a_future_is() {
    let mut service = CircuitBreakerLayer::new().layer(holding(Arc::new(()), true));
    let mut call = pin!(service.ready().await.unwrap().call(get(URI)));
    assert_eq!(format!("{call:?}"), "ResponseFuture(calling)");
    let _answer = call.as_mut().await.unwrap();
    assert_eq!(format!("{call:?}"), "ResponseFuture(over)");
    let (layer, inner) = (forced_open(), Upstream::default());
    let refused = layer.layer(inner.clone()).ready().await.unwrap().call(get(URI));
    assert_eq!(format!("{refused:?}"), "ResponseFuture(refused)");
    let refused = layer.gate().layer(inner.clone()).ready().await.unwrap().call(get(URI));
    assert_eq!(format!("{refused:?}"), "GateFuture(refused)");
    let gated = CircuitBreakerLayer::new().gate().layer(inner).ready().await.unwrap().call(get(URI));
    assert_eq!(format!("{gated:?}"), "GateFuture(calling)");
}

#[tokio::test(start_paused = true)]
async fn debug_names_what_it_shows() {
    #[derive(Clone, Debug)]
    struct Inner;
    let layer = CircuitBreakerLayer::new();
    let breaker = CircuitBreaker::new(Settings::new());
    let body = layer.layer(Upstream::default()).oneshot(get(URI)).await.unwrap().into_body();
    for (text, start) in [
        (format!("{breaker:?}"), "CircuitBreaker { subject: Subject(all calls), state: Closed, .. }"),
        (format!("{:?}", breaker.admit().unwrap()), "Permit { ticket: Some("),
        (format!("{layer:?}"), "CircuitBreakerLayer { key_by: origin, settings: Settings { trip: "),
        (format!("{:?}", layer.layer(Inner)), "CircuitBreakerService { inner: Inner, .. }"),
        (format!("{:?}", layer.gate()), "GateLayer"),
        (format!("{:?}", layer.gate().layer(Inner)), "Gate { inner: Inner, .. }"),
        (format!("{body:?}"), "CountedBody { inner: "),
    ] {
        assert!(text.starts_with(start), "{text}");
    }
}
