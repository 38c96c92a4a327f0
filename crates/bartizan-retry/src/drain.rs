//! What is left of an answer that nobody wants, read to its end so that the connection can be used again.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Buf;
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

/// Above it a new connection costs less.
const BYTES: u64 = 64 * 1024;
/// A round trip or so: what is not there by then keeps the next attempt waiting.
const TIME: Duration = Duration::from_millis(50);

pin_project! {
    /// Reads a body to its end, but no more than 64 KiB of it and for no longer than 50 ms.
    pub(crate) struct Drain<R> {
        #[pin]
        body: R,
        left: u64,
        // Made when the body is first seen to be pending.
        #[pin]
        timer: Option<Sleep>,
    }
}

impl<R> Drain<R> {
    pub(crate) fn new(body: R) -> Self {
        Self { body, left: BYTES, timer: None }
    }
}

impl<R: Body> Future for Drain<R> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        loop {
            if this.body.is_end_stream() || this.body.size_hint().lower() > *this.left {
                return Poll::Ready(());
            }
            let Poll::Ready(frame) = this.body.as_mut().poll_frame(cx) else { break };
            let Some(Ok(frame)) = frame else { return Poll::Ready(()) };
            let bytes = frame.data_ref().map_or(0, Buf::remaining) as u64;
            let Some(left) = this.left.checked_sub(bytes.max(1)) else { return Poll::Ready(()) };
            *this.left = left;
        }
        if this.timer.is_none() {
            this.timer.set(Some(sleep(TIME)));
        }
        this.timer.as_pin_mut().expect("the timer was set above").poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use bartizan_test::bodies::{Body, Step};
    use http_body::SizeHint;
    use tokio::time::Instant;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// How long it took, and whether the body was read to its end.
    async fn drained(body: Body) -> (Duration, bool) {
        let (start, probe) = (Instant::now(), body.probe());
        Drain::new(body).await;
        (start.elapsed(), probe.end_was_returned())
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_there_is_read_to_its_end() {
        let steps = [Step::data("one"), Step::Pending, Step::Wait(49 * MS), Step::data("two")];
        assert_eq!(drained(Body::frames(steps)).await, (49 * MS, true));
        assert_eq!(drained(Body::empty()).await, (Duration::ZERO, true));
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_longer_is_left() {
        let steps = [Step::data("one"), Step::Wait(51 * MS), Step::data("two")];
        assert_eq!(drained(Body::frames(steps)).await, (50 * MS, false));
        assert_eq!(drained(Body::never()).await, (50 * MS, false));
    }

    #[tokio::test(start_paused = true)]
    async fn exactly_the_limit_is_read_and_one_byte_more_is_not() {
        let of = |more: usize| {
            let half = Step::Data(vec![0; 32 * 1024].into());
            Body::frames([half.clone(), half, Step::Data(vec![0; more].into())].into_iter().take(2 + more))
        };
        let unknown = |more| of(more).with_size_hint(SizeHint::default());
        for (body, polls, is_read) in
            [(of(0), 3, true), (unknown(0), 3, true), (of(1), 0, false), (unknown(1), 3, false)]
        {
            let probe = body.probe();
            Drain::new(body).await;
            assert_eq!((probe.polls(), probe.end_was_returned()), (polls, is_read));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_or_breaks_is_left() {
        for chunk in ["", "data"] {
            assert_eq!(drained(Body::endless(chunk)).await, (Duration::ZERO, false));
        }
        drained(Body::frames([Step::data("one"), Step::Error, Step::data("two")])).await;
    }
}
