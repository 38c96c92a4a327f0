use std::mem;
use std::task::{Context, Poll};

use tower_service::Service;

use crate::ReadyThenCall;

/// An inner service, and whether it was found ready. The shape `gate`: a refusal waits for nobody's readiness, and a call that is
/// let through takes that very instance along if it has to be waited for.
#[derive(Debug)]
pub struct Readied<S> {
    inner: S,
    is_ready: bool,
}

impl<S> Readied<S> {
    /// An inner service that nobody has asked yet.
    pub fn new(inner: S) -> Self {
        Self { inner, is_ready: false }
    }

    /// The inner service.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Polls the inner until it is ready. Ready in any case, unless the inner has failed for good.
    ///
    /// # Errors
    /// The inner's.
    pub fn poll<R>(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>>
    where
        S: Service<R>,
    {
        if !self.is_ready {
            self.is_ready = match self.inner.poll_ready(cx) {
                Poll::Ready(Ok(())) => true,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => false,
            };
        }
        Poll::Ready(Ok(()))
    }

    /// Calls it if it was found ready; else that very instance is polled on, and a fresh clone takes its place.
    pub fn call<R>(&mut self, request: R) -> ReadyThenCall<S, R, S::Future>
    where
        S: Service<R> + Clone,
    {
        if mem::take(&mut self.is_ready) {
            return ReadyThenCall::called(self.inner.call(request));
        }
        let fresh = self.inner.clone();
        ReadyThenCall::new(mem::replace(&mut self.inner, fresh), request)
    }

    /// An idle handle must not keep what the inner has reserved for it, or will: a fresh clone takes its place. One that is not ready may
    /// stand in a queue by now, and be given a permit while nobody looks.
    pub fn refuse(&mut self)
    where
        S: Clone,
    {
        *self = self.clone();
    }

    /// A fresh clone for a call that has to wait for something else first: neither it nor this handle keeps anything meanwhile.
    pub fn fresh(&mut self) -> S
    where
        S: Clone,
    {
        self.refuse();
        self.inner.clone()
    }
}

/// Shares the service, not its readiness.
impl<S: Clone> Clone for Readied<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, Ready, ready};
    use std::task::Waker;

    use super::*;

    /// Ready at the second poll; what it was asked stands in its answer.
    #[derive(Debug, Default)]
    struct Inner {
        polled: u32,
        fails: bool,
    }

    /// Nothing that one instance reserved is another's.
    impl Clone for Inner {
        fn clone(&self) -> Self {
            Self { polled: 0, fails: self.fails }
        }
    }

    impl Service<()> for Inner {
        type Response = u32;
        type Error = &'static str;
        type Future = Ready<Result<u32, &'static str>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            self.polled += 1;
            match self.polled {
                _ if self.fails => Poll::Ready(Err("out of order")),
                1 => Poll::Pending,
                _ => Poll::Ready(Ok(())),
            }
        }

        fn call(&mut self, (): ()) -> Self::Future {
            ready(Ok(self.polled))
        }
    }

    fn poll(readied: &mut Readied<Inner>) -> Poll<Result<(), &'static str>> {
        readied.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// One that was polled so many times.
    fn polled(times: u32) -> Readied<Inner> {
        let mut readied = Readied::new(Inner::default());
        for _ in 0..times {
            assert_eq!(poll(&mut readied), Poll::Ready(Ok(())), "a gate is ready in any case");
        }
        readied
    }

    #[test]
    fn the_inner_is_polled_until_it_is_ready_and_no_further() {
        for (times, reached) in [(0, 0), (1, 1), (2, 2), (9, 2)] {
            assert_eq!(polled(times).inner().polled, reached);
        }
    }

    #[test]
    fn an_inner_that_fails_for_good_is_told_of() {
        let mut readied = Readied::new(Inner { polled: 0, fails: true });
        assert_eq!(poll(&mut readied), Poll::Ready(Err("out of order")));
    }

    #[test]
    fn a_readied_inner_is_called_and_any_other_is_taken_along() {
        let mut readied = polled(2);
        assert!(readied.call(()).is_called());
        assert!(!readied.call(()).is_called(), "that was for one call");

        let mut readied = polled(1);
        let mut call = std::pin::pin!(readied.call(()));
        assert!(!call.is_called());
        assert_eq!(readied.inner().polled, 0, "a fresh clone is in its place");
        let cx = &mut Context::from_waker(Waker::noop());
        assert_eq!(call.as_mut().poll(cx), Poll::Ready(Ok(2)), "that very instance is polled on");
    }

    #[test]
    fn who_is_refused_or_waits_keeps_nothing() {
        for times in [1, 2] {
            let mut readied = polled(times);
            readied.refuse();
            assert_eq!(readied.inner().polled, 0);
            assert!(!readied.call(()).is_called());

            let mut readied = polled(times);
            assert_eq!((readied.fresh().polled, readied.inner().polled), (0, 0));
            assert_eq!(polled(times).clone().inner().polled, 0, "a clone shares no readiness");
        }
    }
}
