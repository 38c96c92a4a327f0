//! What the server's layer asks of the heap.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bartizan_auth::server::{ApiKeys, BasicUsers, BearerTokens, Principals, SecretDigest, VerifyLayer};
use bartizan_test::alloc::{self, CountingAllocator};
use http::{HeaderValue, Request, Response};
use tower::{Layer, Service};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

#[derive(Clone)]
struct App;

impl Service<Request<()>> for App {
    type Response = Response<Request<()>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        // With its request, so that nothing is freed meanwhile.
        ready(Ok(Response::new(request)))
    }
}

/// How often one call allocates, once all is warm.
fn cost(layer: &VerifyLayer, name: &'static str, value: &'static str, has_extensions: bool) -> u64 {
    let mut service = layer.layer(App);
    let cx = &mut Context::from_waker(Waker::noop());
    let mut costs = [0; 2];
    for cost in &mut costs {
        let mut request = Request::new(());
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        if has_extensions {
            request.extensions_mut().insert(0_u8);
        }
        let (response, counts) = alloc::count(|| {
            assert!(service.poll_ready(cx).is_ready());
            match pin!(service.call(request)).poll(cx) {
                Poll::Ready(response) => response,
                Poll::Pending => panic!("nothing to wait for"),
            }
        });
        response.expect("it is known");
        *cost = counts.allocations;
    }
    costs[1]
}

fn principals() -> Principals {
    Principals::new([(SecretDigest::of("k3y"), "billing"), (SecretDigest::of("a:b"), "ann")])
}

#[test]
fn a_token_in_its_field_costs_the_place_of_two_facts() {
    let layer = VerifyLayer::new(BearerTokens::new(principals())).or(BasicUsers::new(principals()));
    assert_eq!(cost(&layer, "authorization", "Bearer k3y", true), 2);
    assert_eq!(cost(&layer, "authorization", "Bearer k3y", false), 4);
    // Decoded.
    assert_eq!(cost(&layer, "authorization", "Basic YTpi", true), 3);
}

#[test]
fn a_key_in_its_field_costs_that_and_the_word_to_caches() {
    let layer = VerifyLayer::new(ApiKeys::new(principals()));
    let word = {
        let mut headers = http::HeaderMap::new();
        let append = || headers.append("cache-control", HeaderValue::from_static("private"));
        alloc::count(append).1.allocations
    };
    assert_eq!(cost(&layer, "x-api-key", "k3y", true), 2 + word);
}
