use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

pin_project! {
    /// Polls a service ready, calls it, and waits for its answer: a later attempt, or a decoupled layer's call.
    ///
    /// The service is dropped as soon as it has been called, so that what its readiness held goes with the call's own
    /// future. Dropped earlier, the service and the request go with it and nothing was sent.
    pub struct ReadyThenCall<S, R, F> {
        #[pin]
        state: State<S, R, F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, R, F> {
        // The request is taken at the call.
        NotReady { inner: S, request: Option<R> },
        Called { #[pin] future: F },
    }
}

impl<S: Service<R>, R> ReadyThenCall<S, R, S::Future> {
    /// Will call `not_ready_inner` with `request` once it has been polled ready.
    pub fn new(not_ready_inner: S, request: R) -> Self {
        Self { state: State::NotReady { inner: not_ready_inner, request: Some(request) } }
    }

    /// A call that was made already, on an inner that was ready.
    pub fn called(future: S::Future) -> Self {
        Self { state: State::Called { future } }
    }
}

impl<S, R, F> ReadyThenCall<S, R, F> {
    /// Whether the service has been called: until then nothing was sent.
    pub fn is_called(&self) -> bool {
        matches!(self.state, State::Called { .. })
    }
}

impl<S: Service<R>, R> Future for ReadyThenCall<S, R, S::Future> {
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let future = match state.as_mut().project() {
                StateProjection::Called { future } => return future.poll(cx),
                StateProjection::NotReady { inner, request } => {
                    ready!(inner.poll_ready(cx))?;
                    inner.call(request.take().expect("the request is there until the one call"))
                }
            };
            state.set(State::Called { future });
        }
    }
}

impl<S, R, F> fmt::Debug for ReadyThenCall<S, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::NotReady { .. } => "ReadyThenCall(not ready)",
            State::Called { .. } => "ReadyThenCall(called)",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::Ready;
    use std::rc::Rc;
    use std::task::Waker;

    use super::*;

    /// Ready at the third poll; the count of its `Rc` tells how many are alive.
    struct Slow {
        polled: u32,
        _alive: Rc<()>,
    }

    impl Service<&'static str> for Slow {
        type Response = &'static str;
        type Error = &'static str;
        type Future = Ready<Result<&'static str, &'static str>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            self.polled += 1;
            match self.polled {
                ..=2 => Poll::Pending,
                3 => Poll::Ready(Ok(())),
                _ => Poll::Ready(Err("polled again after ready")),
            }
        }

        fn call(&mut self, request: &'static str) -> Self::Future {
            assert_eq!(self.polled, 3, "called before it was ready");
            std::future::ready(Ok(request))
        }
    }

    #[test]
    fn polls_ready_then_calls_and_lets_go() {
        let alive = Rc::new(());
        let mut future = ReadyThenCall::new(Slow { polled: 0, _alive: alive.clone() }, "request");
        let mut future = Pin::new(&mut future);
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(cx).is_pending());
        assert!(future.as_mut().poll(cx).is_pending());
        assert_eq!((Rc::strong_count(&alive), future.is_called()), (2, false));
        assert_eq!(future.as_mut().poll(cx), Poll::Ready(Ok("request")));
        assert_eq!((Rc::strong_count(&alive), future.is_called()), (1, true));
    }

    #[test]
    fn a_service_that_fails_to_become_ready_is_not_called() {
        let mut future = ReadyThenCall::new(Slow { polled: 3, _alive: Rc::new(()) }, "request");
        let cx = &mut Context::from_waker(Waker::noop());
        assert_eq!(Pin::new(&mut future).poll(cx), Poll::Ready(Err("polled again after ready")));
    }
}
