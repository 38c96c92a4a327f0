//! What a thousand strangers at once take of memory who send as much as they can, by the allocator's count.

#![allow(missing_docs)]

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bartizan_test::alloc::{self, CountingAllocator};
use bartizan_webhook::{SignatureFormat, VerifyLayer};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

const CALLERS: u64 = 1000;
const LIMIT: u64 = 128 * 1024;

/// Gives the same piece again and again, up to that many bytes, and then nothing more.
struct Upload {
    piece: Bytes,
    left: usize,
    announced: SizeHint,
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.piece.slice(..self.piece.len().min(self.left));
        self.left -= piece.len();
        if piece.is_empty() { Poll::Pending } else { Poll::Ready(Some(Ok(Frame::data(piece)))) }
    }

    fn size_hint(&self) -> SizeHint {
        self.announced
    }
}

/// The bytes that a thousand calls keep which wait for more.
fn kept_by(announced: SizeHint) -> u64 {
    let verifier = SignatureFormat::github().verifier(["s"]).expect("a key");
    let app = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let service = VerifyLayer::new(verifier).body_limit(LIMIT as usize).layer(app);
    let piece = Bytes::from(vec![b'x'; 1000]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let (calls, counts) = alloc::count(|| {
        let call = |_| {
            let body = Upload { piece: piece.clone(), left: LIMIT as usize, announced };
            let request =
                Request::post("/").header("x-hub-signature-256", format!("sha256={}", "0".repeat(64)));
            let mut call = Box::pin(service.clone().oneshot(request.body(body).expect("a request")));
            runtime.block_on(poll_fn(|cx| {
                // Others get their turn now and then.
                for _ in 0..100 {
                    if call.as_mut().poll(cx).is_ready() {
                        break;
                    }
                }
                Poll::Ready(())
            }));
            call
        };
        (0..CALLERS).map(call).collect::<Vec<_>>()
    });
    drop(calls);
    counts.bytes - counts.freed
}

#[test]
fn what_nobody_announces_is_kept_up_to_the_limit_and_no_more() {
    let kept = kept_by(SizeHint::new());
    println!("{CALLERS} uploads of {LIMIT} bytes without an end keep {kept} bytes");
    assert!(kept > CALLERS * LIMIT, "they have got that far: {kept}");
    // The calls themselves: a head, a check, a timer.
    assert!(kept <= CALLERS * (LIMIT + 3 * 1024), "{kept}");
}

#[test]
fn what_is_announced_makes_no_room() {
    let kept = kept_by(SizeHint::with_exact(1 << 30));
    println!("{CALLERS} uploads announced as 1 GiB keep {kept} bytes");
    assert!(kept <= CALLERS * 3 * 1024, "{kept}");
    // Announced below the limit, and not sent.
    let mut some = SizeHint::new();
    some.set_upper(1 << 30);
    assert!(kept_by(some) <= CALLERS * (LIMIT + 3 * 1024));
}
