//! The time between two attempts.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

use crate::drain::Drain;

pin_project! {
    /// A wait, which begins now. While it lasts, what is left of the failed attempt's answer is read.
    pub(crate) struct Wait<R> {
        #[pin]
        drain: Option<Drain<R>>,
        // None is waited for where there is no time to wait: a timer's shortest is a millisecond.
        #[pin]
        timer: Option<Sleep>,
    }
}

impl<R> Wait<R> {
    pub(crate) fn new(time: Duration, answer: Option<R>) -> Self {
        Self { drain: answer.map(Drain::new), timer: (!time.is_zero()).then(|| sleep(time)) }
    }
}

impl<R: Body> Future for Wait<R> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if let Some(drain) = this.drain.as_mut().as_pin_mut() {
            ready!(drain.poll(cx));
            // With it goes the hold on the connection.
            this.drain.set(None);
        }
        match this.timer.as_pin_mut() {
            Some(timer) => timer.poll(cx),
            None => Poll::Ready(()),
        }
    }
}
