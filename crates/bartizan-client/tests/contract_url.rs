//! The base URL and the default headers keep the contract of `tower_service::Service`, and cost what they say.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bartizan_client::{BaseUrl, BaseUrlLayer, DefaultHeadersLayer};
use bartizan_core::Header;
use bartizan_test::alloc::{self, CountingAllocator};
use bartizan_test::contract;
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;
use tower_layer::Layer;
use tower_service::Service;

fn base_url() -> BaseUrlLayer {
    BaseUrlLayer::new(BaseUrl::new("http://contract.test").expect("a valid base URL"))
}

fn to(uri: String) -> Request<Full<Bytes>> {
    Request::get(uri).body(Full::default()).expect("a valid URI")
}

#[test]
fn requests_below_the_base_url() {
    contract::check(base_url);
    contract::check_with(base_url, |nth| to(format!("/{nth}")));
}

#[test]
fn a_refused_request_leaves_nothing_behind() {
    contract::check_with(base_url, |nth| to(format!("http://other.test/{nth}")));
}

fn default_headers() -> DefaultHeadersLayer {
    let header = |name| Header::new(name, "value").expect("a valid header");
    DefaultHeadersLayer::new()
        .if_absent(header("x-a"))
        .overriding(header("x-b"))
        .append(header("x-c"))
        .content_type_json()
}

#[test]
fn default_headers_on_each_request() {
    contract::check(DefaultHeadersLayer::new);
    contract::check(default_headers);
}

#[test]
fn an_inner_that_is_not_send_will_do() {
    contract::accepts_local(&base_url());
    contract::accepts_local(&default_headers());
}

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

/// Answers with the request.
#[derive(Clone)]
struct Echo;

impl Service<Request<Full<Bytes>>> for Echo {
    type Response = Request<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Request<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        ready(Ok(request))
    }
}

/// What a call of `layer` over `Echo` allocates, up to the response and with its release.
fn allocations<L>(layer: &L, uri: &str) -> u64
where
    L: Layer<Echo, Service: Service<Request<Full<Bytes>>, Response = Request<Full<Bytes>>>>,
{
    let mut service = layer.layer(Echo);
    let request = to(uri.to_owned());
    let (answer, counts) = alloc::count(|| {
        let mut future = Box::pin(service.call(request));
        match future.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(Ok(answer)) => answer,
            _ => panic!("the layer lets it pass"),
        }
    });
    drop(answer);
    // One is the future's box.
    counts.allocations + counts.reallocations - 1
}

#[test]
fn a_uri_that_stays_allocates_nothing_and_a_join_once() {
    let at = |base: &str| BaseUrlLayer::new(BaseUrl::new(base).expect("a valid base URL"));
    assert_eq!(allocations(&at("http://h/v1"), "http://h/v1/users/a%20b?x=1"), 0);
    assert_eq!(allocations(&at("http://h/v1"), "http://h/v1/100%25"), 1);
    assert_eq!(allocations(&at("http://h"), "/users?x=1"), 0);
    assert_eq!(allocations(&at("http://h/v1"), "/users?x=1"), 1);
    assert_eq!(allocations(&at("http://h/v1"), "users"), 1);
}

#[test]
fn a_text_that_is_joined_allocates_twice_at_most() {
    let base = BaseUrl::new("http://h/v1").expect("a valid base URL");
    for (reference, most) in [("/users?x=1", 1), ("users", 1), ("", 1), ("http://h/v1/users", 2)] {
        let (uri, counts): (Uri, _) = alloc::count(|| base.join(reference).expect("a valid reference"));
        assert_eq!(counts.allocations + counts.reallocations, most, "{uri}");
    }
}

#[test]
fn no_default_headers_allocate_nothing() {
    assert_eq!(allocations(&DefaultHeadersLayer::new(), "/"), 0);
    assert_eq!(allocations(&DefaultHeadersLayer::new().content_type_json(), "/"), 0);
}
