use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::AttemptTimedOut;
use crate::target::Target;

pin_project! {
    /// A future and the instant by which it must be ready. The heart of both layers.
    #[project = TimedProjection]
    pub(crate) struct Timed<F> {
        #[pin]
        future: F,
        until: Option<Instant>,
        // Made when the future is first seen to be pending: a future that is ready at once registers no timer.
        #[pin]
        timer: Option<Sleep>,
    }
}

/// The timer fired.
#[derive(Debug)]
pub(crate) struct Expired;

impl<F> Timed<F> {
    /// `None` never expires.
    pub(crate) fn new(future: F, until: Option<Instant>) -> Self {
        Self { future, until, timer: None }
    }
}

impl<F: Future> Future for Timed<F> {
    type Output = Result<F::Output, Expired>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // The timer is looked at first, while the task has budget left: a future that uses all of it up in every poll
        // would else keep the timer from ever being registered.
        let fired = this.timer.as_mut().as_pin_mut().is_some_and(|timer| timer.poll(cx).is_ready());
        // But an answer that is there beats a timer that has fired.
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        if fired {
            return Poll::Ready(Err(Expired));
        }
        if let (Some(until), None) = (*this.until, this.timer.as_ref().as_pin_ref()) {
            this.timer.set(Some(sleep_until(until)));
            let timer = this.timer.as_pin_mut().expect("the timer was set above");
            ready!(timer.poll(cx));
            return Poll::Ready(Err(Expired));
        }
        Poll::Pending
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
    Within { timed: Timed::new(future, after(started, limit)), started, limit }
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
        let outcome = ready!(this.timed.poll(cx));
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
