//! What a bulkhead asks of the heap.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bartizan_rate_limit::bulkhead::BulkheadLayer;
use bartizan_test::alloc::{self, CountingAllocator};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

#[derive(Clone)]
struct Upstream;

impl Service<Request<()>> for Upstream {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(Full::new(Bytes::from_static(b"hello")))))
    }
}

fn get(uri: &'static str) -> Request<()> {
    Request::get(uri).body(()).expect("a request")
}

/// How often one call allocates, and whether it was let through. The response is kept.
fn cost<S>(service: &mut S, request: Request<()>) -> (u64, Result<S::Response, S::Error>)
where
    S: Service<Request<()>>,
{
    let cx = &mut Context::from_waker(Waker::noop());
    let (result, counts) = alloc::count(|| {
        assert!(matches!(service.poll_ready(cx), Poll::Ready(Ok(()))));
        match pin!(service.call(request)).poll(cx) {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("nothing to wait for"),
        }
    });
    (counts.allocations, result)
}

#[test]
fn where_a_slot_is_free_nothing_is_allocated() {
    let mut service = BulkheadLayer::new(NonZeroUsize::MIN).queue(3).layer(Upstream);
    for uri in ["http://a.example/", "http://b.example/"] {
        // The key is met.
        let _ = cost(&mut service, get(uri));
        let (allocations, response) = cost(&mut service, get(uri));
        assert!(response.is_ok());
        assert_eq!(allocations, 0, "{uri}");
        let ((), counts) = alloc::count(|| drop(response));
        assert_eq!(counts.allocations, 0, "{uri}");
    }
}

#[test]
fn a_refusal_is_its_error_and_nothing_else() {
    let mut service = BulkheadLayer::new(NonZeroUsize::MIN).layer(Upstream);
    let (_, response) = cost(&mut service, get("http://a.example/"));
    let (allocations, refused) = cost(&mut service, get("http://a.example/"));
    assert!(response.is_ok() && refused.is_err());
    assert_eq!(allocations, 1);
}
