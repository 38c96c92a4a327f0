//! The interceptors keep the contract of `tower_service::Service`, and allocate nothing themselves.

use std::future::ready;
use std::time::Duration;

use bartizan_client::intercept::{InterceptLayer, Refused};
use bartizan_core::BoxError;
use bartizan_test::alloc::{self, CountingAllocator};
use bartizan_test::contract;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::sleep;
use tower::service_fn;
use tower_layer::Layer;
use tower_service::Service;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

#[test]
fn without_interceptors() {
    contract::check(InterceptLayer::new);
}

#[test]
fn interceptors_that_pass() {
    contract::check(|| {
        InterceptLayer::new()
            .on_request(async |request| Ok(request))
            .on_response(async |response| Ok(response))
            .on_error(async |error| Err(error))
    });
}

#[test]
fn interceptors_with_state() {
    let state = std::sync::Arc::new(());
    contract::check(|| {
        InterceptLayer::new()
            .on_request_with(state.clone(), async |_, request| Ok(request))
            .on_response_with(state.clone(), async |_, response| Ok(response))
            .on_error_with(state.clone(), async |_, error| Err(error))
    });
    assert_eq!(std::sync::Arc::strong_count(&state), 1, "it is given back");
}

#[test]
fn interceptors_that_take_time() {
    contract::check(|| {
        InterceptLayer::new()
            .on_request(async |request| {
                sleep(Duration::from_millis(10)).await;
                Ok(request)
            })
            .on_response(async |response| {
                sleep(Duration::from_millis(10)).await;
                Ok(response)
            })
            .on_error(async |error| {
                sleep(Duration::from_millis(10)).await;
                Err(error)
            })
    });
}

#[test]
fn interceptors_that_answer_or_refuse() {
    // All calls, since they are compared with each other.
    contract::check(|| InterceptLayer::new().on_request(async |_: Request<_>| Ok(Response::default())));
    contract::check(|| {
        InterceptLayer::new().on_request(async |_: Request<_>| {
            Err::<Request<Full<Bytes>>, _>(Refused::request("no", None).into())
        })
    });
    contract::check(|| InterceptLayer::new().on_response(async |_| Err(Refused::response("no").into())));
}

#[test]
fn an_inner_that_is_not_send_will_do() {
    contract::accepts_local(
        &InterceptLayer::new()
            .on_request(async |request| Ok(request))
            .on_response(async |response| Ok(response))
            .on_error(async |error| Err(error)),
    );
}

#[test]
fn a_call_allocates_nothing() {
    let inner =
        service_fn(|request: Request<String>| ready(Ok::<_, BoxError>(Response::new(request.into_body()))));
    let mut service = InterceptLayer::new()
        .on_request(async |request| Ok(request))
        .on_request(async |request| Ok(request))
        .on_response(async |response| Ok(response))
        .on_error(async |error| Err(error))
        .layer(inner);
    let request = Request::new(String::new());
    let cx = &mut std::task::Context::from_waker(std::task::Waker::noop());
    let (polled, counts) = alloc::count(|| std::pin::pin!(service.call(request)).poll(cx).is_ready());
    assert!(polled);
    assert_eq!(counts.allocations, 0);
}
