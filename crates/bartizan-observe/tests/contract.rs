//! The layer keeps the contract of `tower_service::Service`, and costs nothing where nobody listens.

use bartizan_observe::{Hook, ObserveLayer, Record};
use bartizan_test::alloc::{self, CountingAllocator};
use bartizan_test::contract;
use http::{Request, Response};
use std::future::{Ready, ready};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tower_layer::Layer;
use tower_service::Service;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

#[derive(Clone)]
struct Listening;

impl Hook for Listening {
    fn finished(&self, _: &Record<'_>) {}
}

#[test]
fn around_calls() {
    contract::check(ObserveLayer::call);
}

#[test]
fn around_attempts() {
    contract::check(ObserveLayer::attempt);
}

#[test]
fn with_a_hook_and_traces() {
    contract::check(|| ObserveLayer::attempt().hook(Listening).start_traces());
}

/// Its handle is not `Send`.
#[derive(Clone)]
struct AtOnce(#[expect(dead_code, reason = "it is there for its type")] Rc<()>);

impl Service<Request<()>> for AtOnce {
    type Response = Response<()>;
    type Error = std::io::Error;
    type Future = Ready<Result<Response<()>, std::io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), std::io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(())))
    }
}

#[test]
fn where_nobody_listens_nothing_is_allocated_and_an_inner_that_is_not_send_will_do() {
    let mut service = ObserveLayer::call().layer(ObserveLayer::attempt().layer(AtOnce(Rc::new(()))));
    let allocations = [(); 3].map(|()| {
        let request = Request::get("https://api.example.com/users?token=s3cret")
            .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            .body(())
            .expect("a valid request");
        let (polled, counts) = alloc::count(|| {
            let future = std::pin::pin!(service.call(request));
            future.poll(&mut Context::from_waker(Waker::noop())).is_ready()
        });
        assert!(polled);
        counts.allocations + counts.reallocations
    });
    assert_eq!(allocations, [0, 0, 0]);
}
