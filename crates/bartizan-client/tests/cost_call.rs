//! What a call of the client allocates, beside what its service does.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bartizan_client::{BaseUrl, BaseUrlLayer, BoxedBody, Client};
use bartizan_core::BoxError;
use bartizan_test::alloc::{self, CountingAllocator};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower_layer::{Identity, Layer};
use tower_service::Service;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

/// Answers with nothing.
#[derive(Clone)]
struct Empty;

impl Service<Request<Full<Bytes>>> for Empty {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        ready(Ok(Response::new(Full::default())))
    }
}

/// What a call over `stack` allocates from the building of its request to its reply.
fn allocations<L>(stack: &L, target: &str) -> u64
where
    L: Layer<Empty>,
    L::Service:
        Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error: Into<BoxError>> + Clone,
{
    let client = Client::new(stack.layer(Empty));
    let (answered, counts) = alloc::count(|| {
        let future = pin!(client.get(target).send());
        matches!(future.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_)))
    });
    assert!(answered, "{target}");
    counts.allocations + counts.reallocations
}

#[test]
fn what_errors_would_tell_costs_little_while_there_is_none() {
    let base = BaseUrlLayer::new(BaseUrl::new("https://api.example.com/v1").expect("a valid base URL"));
    let absolute = "https://api.example.com/v1/users/7";
    let bare = allocations(&Identity::new(), absolute);
    assert_eq!(allocations(&base, absolute), bare, "it stays where it is");
    // The call's context pays for the first extension of a request.
    let joining = 2; // the text, and that it is shared
    let telling = 2; // the place, and that it is boxed among the extensions
    assert_eq!(allocations(&base, "users/7"), bare + joining + telling);
}

#[test]
fn a_body_is_boxed_once() {
    let (body, counts) = alloc::count(|| BoxedBody::from("hello"));
    assert_eq!(counts.allocations, 1);
    let (body, counts) = alloc::count(|| BoxedBody::new(body));
    assert_eq!((counts.allocations, body.size_hint().exact()), (0, Some(5)));
    assert!(BoxedBody::empty().is_end_stream());
}
