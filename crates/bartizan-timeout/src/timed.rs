use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::target::Target;
use crate::{AttemptTimedOut, timer};

pin_project! {
    /// A future with a timer beside it. The heart of the layers that bound a call.
    pub(crate) struct Timed<F> {
        #[pin]
        future: F,
        // Made when the future is first seen to be pending: a future that is ready at once registers no timer.
        #[pin]
        timer: Option<Sleep>,
    }
}

/// The timer fired.
#[derive(Debug)]
pub(crate) struct Expired;

impl<F: Future> Timed<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future, timer: None }
    }

    /// Polls the future, and the timer for `until` if that is pending; `None` never expires.
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        until: impl FnOnce() -> Option<Instant>,
    ) -> Poll<Result<F::Output, Expired>> {
        let mut this = self.project();
        // The future first: an answer that is there beats a timer that has fired.
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        if this.timer.is_none() {
            let Some(until) = until() else { return Poll::Pending };
            this.timer.set(Some(sleep_until(until)));
        }
        let timer = this.timer.as_pin_mut().expect("the timer was set above");
        timer::poll(timer, cx).map(|()| Err(Expired))
    }
}

/// When `limit` from `now` is over; `None` where that is beyond what the clock can show, which is never.
pub(crate) fn after(now: Instant, limit: Duration) -> Option<Instant> {
    now.checked_add(limit)
}

/// Bounds any future, without HTTP.
///
/// The clock starts now, not at the first poll. A future that is ready beats a timer that has fired.
///
/// ```
/// use std::time::Duration;
/// use bartizan_timeout::within;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let answer = within(Duration::from_secs(1), async { 42 }).await;
/// assert_eq!(answer.unwrap(), 42);
///
/// let error = within(Duration::from_secs(1), std::future::pending::<()>()).await.unwrap_err();
/// assert_eq!(error.elapsed(), Duration::from_secs(1));
/// # }
/// ```
pub fn within<F: Future>(limit: Duration, future: F) -> Within<F> {
    let started = Instant::now();
    Within { timed: Timed::new(future), started, limit }
}

pin_project! {
    /// The future of [`within`].
    pub struct Within<F> {
        #[pin]
        timed: Timed<F>,
        started: Instant,
        limit: Duration,
    }
}

impl<F: Future> Future for Within<F> {
    type Output = Result<F::Output, AttemptTimedOut>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.timed.poll(cx, || after(*this.started, *this.limit)));
        Poll::Ready(outcome.map_err(|Expired| AttemptTimedOut {
            limit: *this.limit,
            elapsed: this.started.elapsed(),
            target: Target::NONE,
        }))
    }
}

impl<F> std::fmt::Debug for Within<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Within").field("limit", &self.limit).finish_non_exhaustive()
    }
}
