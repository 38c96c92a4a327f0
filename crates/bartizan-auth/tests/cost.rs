//! What a credential that is at hand asks of the heap: nothing.

#![allow(missing_docs)]

use std::future::{Ready, ready};
use std::task::{Context, Poll, Waker};

use bartizan_auth::{
    ApiKey, AuthLayer, Authorizer, Basic, Bearer, Origins, Refreshing, Secret, Tenants, Token, TokenError,
};
use bartizan_test::alloc::{self, CountingAllocator};
use http::header::USER_AGENT;
use http::{HeaderValue, Request, Response};
use tower::{Layer, Service};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

#[derive(Clone)]
struct Named(&'static str);

#[derive(Clone)]
struct Inner;

impl Service<Request<()>> for Inner {
    type Response = Response<bool>;
    type Error = std::io::Error;
    type Future = Ready<Result<Response<bool>, std::io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), std::io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        // With the room that a request has anyway.
        let has_credential = request.headers().len() == 2;
        ready(Ok(Response::new(has_credential)))
    }
}

/// Of a call whose tenant was met before, to this host.
fn allocations<A: Authorizer>(authorizer: A, tenant: &'static str, host: &str) -> (u64, bool) {
    let origins = Origins::new(["https://api.example.com"]).expect("an origin");
    let mut service = AuthLayer::new(origins, authorizer).layer(Inner);
    let counts = [(); 3].map(|()| {
        let mut request = Request::get(format!("https://{host}/x")).body(()).expect("a request");
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("test"));
        request.extensions_mut().insert(Named(tenant));
        let (answer, counts) = alloc::count(|| {
            let mut cx = Context::from_waker(Waker::noop());
            assert!(service.poll_ready(&mut cx).is_ready());
            let mut call = std::pin::pin!(service.call(request));
            let Poll::Ready(Ok(answer)) = call.as_mut().poll(&mut cx) else { panic!("it is there at once") };
            answer
        });
        (counts.allocations + counts.reallocations, answer.into_body())
    });
    assert_eq!(counts[1], counts[2]);
    counts[2]
}

fn fetched() -> Refreshing {
    let tokens = Refreshing::new(|_: Option<Secret>| ready(Err(TokenError::permanent("none is asked for"))));
    tokens.set_token(Token::new("t0k3n").expect("a token"));
    tokens
}

fn tenants() -> Tenants<Refreshing> {
    let tenants = Tenants::new(|request| Some(request.extensions.get::<Named>()?.0.into()), |_| fetched());
    for tenant in ["first", "second", "third"] {
        tenants.get(tenant).expect("there is room");
    }
    tenants.otherwise(fetched())
}

#[test]
fn a_credential_that_is_at_hand_costs_no_heap() {
    const HERE: &str = "api.example.com";
    assert_eq!(allocations(ApiKey::new("k3y").expect("a key"), "", HERE), (0, true));
    assert_eq!(allocations(Basic::new("u", "p").expect("a pair"), "", HERE), (0, true));
    assert_eq!(allocations(Bearer::new("t0k3n").expect("a token"), "", HERE), (0, true));
    assert_eq!(allocations(fetched(), "", HERE), (0, true));
}

#[test]
fn a_known_tenant_costs_no_heap() {
    for tenant in ["first", "third"] {
        assert_eq!(allocations(tenants(), tenant, "api.example.com"), (0, true), "{tenant}");
    }
}

#[test]
fn a_call_that_goes_elsewhere_costs_no_heap() {
    assert_eq!(allocations(tenants(), "third", "cdn.example.net"), (0, false));
}
