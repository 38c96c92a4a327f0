//! What judging an answer asks of the heap.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bartizan_graphql::GraphqlOutcomeLayer;
use bartizan_test::alloc::{self, CountingAllocator, Counts};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower_layer::Layer;
use tower_service::Service;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

/// Answers with what it was given.
struct Answers(Option<Response<Full<Bytes>>>);

impl Service<Request<()>> for Answers {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(self.0.take().expect("one call")))
    }
}

/// What the layer allocates for an answer, and the bytes that come out.
fn pieces(media_type: &'static str, bytes: Bytes) -> (Counts, Bytes) {
    let response = Response::builder().header(CONTENT_TYPE, media_type).body(Full::new(bytes));
    let mut service = GraphqlOutcomeLayer::new().layer(Answers(response.ok()));
    let (result, counts) = alloc::count(|| {
        let mut call = pin!(service.call(Request::new(())));
        call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    });
    let Poll::Ready(Ok(response)) = result else { panic!("it is there at once") };
    let mut body = pin!(response.into_body().collect());
    let Poll::Ready(Ok(read)) = body.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it is there at once")
    };
    (counts, read.to_bytes())
}

#[test]
fn an_answer_without_errors_allocates_a_few_bytes_and_is_not_copied() {
    let bytes = Bytes::from(format!(r#"{{"data": {{"text": "{}", "list": [1, null]}}}}"#, "x".repeat(4096)));
    let (counts, read) = pieces("application/graphql-response+json", bytes.clone());
    assert_eq!((counts.allocations, counts.reallocations, read.as_ptr()), (1, 0, bytes.as_ptr()));
    assert!(counts.bytes <= 8, "{counts:?}");
}

#[test]
fn an_answer_that_is_left_alone_allocates_nothing() {
    assert_eq!(pieces("text/html", Bytes::from_static(b"hello")).0.allocations, 0);
}
