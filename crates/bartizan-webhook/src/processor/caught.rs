use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Keeps the panics of a future to itself, those of its drop too.
///
/// Nothing of the future is looked at after a panic, and what it shares with others is theirs to guard: so it is asserted to be unwind safe.
pub(super) struct Caught<T>(Option<Boxed<T>>);

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<T> Caught<T> {
    pub(super) fn new(future: Boxed<T>) -> Self {
        Self(Some(future))
    }

    fn let_go(&mut self) {
        let future = self.0.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
    }
}

impl<T> Future for Caught<T> {
    type Output = Result<T, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.0.as_mut().expect("it is not polled after its end");
        let polled = match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(value)) => Ok(value),
            Err(payload) => Err(payload),
        };
        self.let_go();
        Poll::Ready(polled)
    }
}

impl<T> Drop for Caught<T> {
    fn drop(&mut self) {
        self.let_go();
    }
}
