//! What a guarded body asks of the heap.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bartizan_core::BoxError;
use bartizan_test::alloc::{self, CountingAllocator};
use bartizan_timeout::{BodyTimeoutLayer, DeadlineLayer, MinThroughput};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use tower::ServiceBuilder;
use tower_service::Service;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

const FRAMES: usize = 8;

/// So many frames, each ready at once or in the poll after one that finds nothing.
struct Frames {
    left: usize,
    pauses: bool,
    paused: bool,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.paused = self.pauses && !self.paused;
        if self.paused {
            return Poll::Pending;
        }
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"frame")))))
    }
}

const MINUTE: Duration = Duration::from_secs(60);

fn with_throughput() -> BodyTimeoutLayer {
    BodyTimeoutLayer::new(MINUTE).min_throughput(MinThroughput::new(1, MINUTE).expect("sound"))
}

/// How many pieces reading such a body through both layers allocates.
async fn pieces(pauses: bool, body_timeout: BodyTimeoutLayer) -> u64 {
    let mut service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(MINUTE).through_body())
        .layer(body_timeout)
        .service_fn(move |_: Request<()>| async move {
            Ok::<_, BoxError>(Response::new(Frames { left: FRAMES, pauses, paused: false }))
        });
    let response = service.call(Request::new(())).await.expect("the inner answers");
    let mut body = response.into_body();
    let ((), counts) = alloc::count(|| {
        let (mut cx, mut polls) = (Context::from_waker(Waker::noop()), 0);
        while !matches!(Pin::new(&mut body).poll_frame(&mut cx), Poll::Ready(None)) {
            polls += 1;
        }
        assert_eq!(polls > FRAMES, pauses);
    });
    counts.allocations + counts.reallocations
}

#[tokio::test]
async fn a_body_that_is_ready_allocates_nothing() {
    assert_eq!(pieces(false, with_throughput()).await, 0);
}

#[tokio::test]
async fn a_body_that_is_waited_for_allocates_its_timer_once() {
    // One in each layer, however many frames there are.
    assert_eq!(pieces(true, BodyTimeoutLayer::new(MINUTE)).await, 2);
    // And one to know when they came.
    assert_eq!(pieces(true, with_throughput()).await, 3);
}
