use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

use crate::schedule::Failure;
use crate::spending::Spending;
use crate::{Pace, Schedule};

impl Schedule {
    /// Runs `operation` until it succeeds or the attempts are made; without HTTP. Every error is tried again.
    ///
    /// `operation` gets the number of the attempt, from 1. It is called for the first attempt at once, before the future is
    /// polled; what it returns is not. Dropping the future ends the attempt or the wait.
    ///
    /// ```
    /// use bartizan_retry::Schedule;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let answer = Schedule::new()
    ///     .run(|attempt| async move { if attempt.get() < 3 { Err("not yet") } else { Ok("done") } })
    ///     .await;
    /// assert_eq!(answer, Ok("done"));
    /// # }
    /// ```
    pub fn run<O, F, T, E>(&self, operation: O) -> Run<O, F, fn(&E) -> bool>
    where
        O: FnMut(NonZeroU32) -> F,
        F: Future<Output = Result<T, E>>,
    {
        self.run_if(operation, |_| true)
    }

    /// The same, for the errors that `again` says yes to.
    ///
    /// # Errors
    /// The last error, unchanged.
    pub fn run_if<O, F, T, E, A>(&self, mut operation: O, again: A) -> Run<O, F, A>
    where
        O: FnMut(NonZeroU32) -> F,
        F: Future<Output = Result<T, E>>,
        A: FnMut(&E) -> bool,
    {
        let state = State::Trying { future: operation(NonZeroU32::MIN) };
        let spending = self.accounts.as_ref().map(|accounts| accounts.spending_for_none());
        Run {
            state,
            schedule: self.clone(),
            spending: spending.unwrap_or_else(Spending::unlimited),
            operation,
            again,
            made: NonZeroU32::MIN,
            last_wait: None,
        }
    }
}

pin_project! {
    /// The future of [`Schedule::run`].
    pub struct Run<O, F, A> {
        #[pin]
        state: State<F>,
        schedule: Schedule,
        spending: Spending,
        operation: O,
        again: A,
        made: NonZeroU32,
        last_wait: Option<Duration>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Trying { #[pin] future: F },
        Waiting { #[pin] timer: Sleep },
    }
}

impl<O, F, T, E, A> Future for Run<O, F, A>
where
    O: FnMut(NonZeroU32) -> F,
    F: Future<Output = Result<T, E>>,
    A: FnMut(&E) -> bool,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Trying { future } => {
                    let error = match ready!(future.poll(cx)) {
                        Ok(value) => {
                            this.spending.succeeded();
                            return Poll::Ready(Ok(value));
                        }
                        Err(error) => error,
                    };
                    if !(this.again)(&error) {
                        return Poll::Ready(Err(error));
                    }
                    this.spending.failed();
                    if *this.made >= this.schedule.max_attempts.get() {
                        return Poll::Ready(Err(error));
                    }
                    let failure = Failure {
                        made: this.made.get(),
                        pace: Pace::Transient,
                        asked: None,
                        last_wait: *this.last_wait,
                    };
                    match this.schedule.wait(failure, None) {
                        Ok(wait) if this.spending.withdraw() => {
                            *this.last_wait = Some(wait);
                            State::Waiting { timer: sleep(wait) }
                        }
                        _ => return Poll::Ready(Err(error)),
                    }
                }
                StateProjection::Waiting { timer } => {
                    ready!(timer.poll(cx));
                    *this.made = this.made.saturating_add(1);
                    this.spending.sent();
                    State::Trying { future: (this.operation)(*this.made) }
                }
            };
            this.state.set(next);
        }
    }
}

impl<O, F, A> fmt::Debug for Run<O, F, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("made", &self.made)
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use tokio::time::{Duration, Instant};

    use super::*;
    use crate::{Backoff, MaxAttempts};

    fn schedule() -> Schedule {
        Schedule::new().backoff(Backoff::exponential(Duration::from_secs(1), Duration::from_secs(1)).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_error_is_returned_when_the_attempts_are_made() {
        let start = Instant::now();
        let result: Result<(), u32> = schedule().run(|n| async move { Err(n.get()) }).await;
        assert_eq!(result, Err(3));
        assert!(start.elapsed() < Duration::from_secs(2) && !start.elapsed().is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_stays_is_not_tried_again() {
        let made = Cell::new(0);
        let result: Result<(), &str> = schedule()
            .run_if(
                |n| {
                    made.set(n.get());
                    async { Err("no such user") }
                },
                |error| *error != "no such user",
            )
            .await;
        assert_eq!((result, made.get()), (Err("no such user"), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn one_attempt_never_waits() {
        let start = Instant::now();
        let once = schedule().max_attempts(MaxAttempts::new(1).unwrap());
        let result: Result<(), ()> = once.run(|_| async { Err(()) }).await;
        assert_eq!((result, start.elapsed()), (Err(()), Duration::ZERO));
    }

    /// Fails at once, and lives until it is dropped.
    struct Fails {
        _alive: Rc<()>,
    }

    impl Future for Fails {
        type Output = Result<(), ()>;

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
            Poll::Ready(Err(()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_attempt_is_gone_before_the_wait() {
        let alive = Rc::new(());
        let mut run = std::pin::pin!(schedule().run(|_| Fails { _alive: alive.clone() }));
        assert_eq!(Rc::strong_count(&alive), 2);
        std::future::poll_fn(|cx| {
            assert!(run.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        assert_eq!(Rc::strong_count(&alive), 1);
    }
}
