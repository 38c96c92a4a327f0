use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};

/// Polls a timer beside something that is pending.
pub(crate) fn poll(mut timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
    // What uses up the task's budget in every poll would else keep the timer from being polled for ever.
    if coop::has_budget_remaining() {
        timer.poll(cx)
    } else {
        Pin::new(&mut coop::unconstrained(timer.as_mut())).poll(cx)
    }
}

/// The timer of a body: made when a poll first finds nothing, then moved from frame to frame. Boxed, so that a body that
/// may be moved stays one.
#[derive(Debug, Default)]
pub(crate) struct BodyTimer(Option<Pin<Box<Sleep>>>);

impl BodyTimer {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if timer.deadline() != until {
            timer.as_mut().reset(until);
        }
        poll(timer.as_mut(), cx)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use http_body::{Body, Frame};

    use super::*;

    /// A body that uses up the task's budget in every poll, and has nothing.
    pub(crate) struct Busy;

    impl Body for Busy {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            while std::pin::pin!(coop::consume_budget()).poll(cx).is_ready() {}
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_bodys_timer_can_be_moved_both_ways() {
        let (start, mut timer) = (Instant::now(), BodyTimer::default());
        for millis in [500, 900, 700] {
            let until = start + std::time::Duration::from_millis(millis);
            let at_once = std::future::poll_fn(|cx| Poll::Ready(timer.poll(cx, until).is_ready())).await;
            assert_eq!(at_once, millis == 700, "the clock stands at 900 by then");
            std::future::poll_fn(|cx| timer.poll(cx, until)).await;
        }
        assert_eq!(start.elapsed().as_millis(), 900);
    }
}
