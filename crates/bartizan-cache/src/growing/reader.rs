use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bartizan_core::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::inner::Inner;
use super::{End, Growing, Known, error};

/// Somebody who reads it.
pub(crate) struct Reader {
    body: Arc<Growing>,
    id: u64,
    has_trailers: bool,
    /// It broke off, and said so: there is nothing more.
    has_failed: bool,
    /// Bytes that were given out.
    read: u64,
    /// While it waits for those who are slower.
    patience: Option<Pin<Box<Sleep>>>,
}

/// So long those who are slower are waited for, once it is too long to be stored.
const PATIENCE: Duration = Duration::from_secs(10);

/// What there is to do.
enum Next {
    Give(Option<Result<Frame<Bytes>, BoxError>>),
    Wait,
    /// Those who are the slowest are too far behind.
    WaitForSlower,
    Poll(Inner),
}

impl Reader {
    pub(super) fn new(body: Arc<Growing>, id: u64) -> Self {
        Self { body, id, has_trailers: false, has_failed: false, read: 0, patience: None }
    }

    fn next(&mut self, mut known: MutexGuard<'_, Known>, waker: &Waker) -> Next {
        let Some(&place) = known.readers.get(&self.id) else {
            return Next::Give(Some(Err(error::too_slow())));
        };
        if let Some(data) = known.frame(place) {
            let place = known.readers.get_mut(&self.id).expect("it was there");
            place.frame += 1;
            place.bytes += data.len();
            self.read += data.len() as u64;
            let is_held_up = known.held > self.body.most;
            known.forget_what_is_read();
            drop(known);
            if is_held_up {
                self.body.waiting.wake();
            }
            return Next::Give(Some(Ok(Frame::data(data))));
        }
        match known.end.clone() {
            Some(End::Clean(_)) => {
                let trailers = known.trailers.clone().filter(|_| !self.has_trailers);
                self.has_trailers = true;
                return Next::Give(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
            }
            Some(End::Broken(error)) => return Next::Give(Some(Err(error::broken_off(&error)))),
            None => {}
        }
        self.body.waiting.register(self.id, waker);
        if known.held > self.body.most {
            return Next::WaitForSlower;
        }
        known.inner.take().map_or(Next::Wait, Next::Poll)
    }
}

/// The origin's body while it is polled.
struct Taken<'a> {
    body: &'a Growing,
    inner: Option<Inner>,
}

impl Taken<'_> {
    fn poll(&mut self) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let waker = Waker::from(self.body.waiting.clone());
        let inner = self.inner.as_mut().expect("it is there until it has been polled");
        inner.as_mut().poll_frame(&mut Context::from_waker(&waker))
    }

    fn inner(&mut self) -> Inner {
        self.inner.take().expect("it is there until it has been polled")
    }
}

/// It panicked.
impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.inner.is_some() {
            self.body.break_off(error::panicked());
        }
    }
}

impl Body for Reader {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if this.has_failed {
            return Poll::Ready(None);
        }
        let body = this.body.clone();
        loop {
            let inner = match this.next(body.lock(), cx.waker()) {
                Next::Give(frame) => {
                    this.patience = None;
                    this.has_failed = frame.as_ref().is_some_and(Result::is_err);
                    return Poll::Ready(frame);
                }
                Next::Wait => return Poll::Pending,
                Next::WaitForSlower => {
                    let patience = this.patience.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
                    if patience.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    this.patience = None;
                    body.lock().leave_the_slowest();
                    body.waiting.wake();
                    continue;
                }
                Next::Poll(inner) => inner,
            };
            let mut taken = Taken { body: &body, inner: Some(inner) };
            let polled = taken.poll();
            let inner = taken.inner();
            match polled {
                Poll::Pending => {
                    body.lock().inner = Some(inner);
                    return Poll::Pending;
                }
                Poll::Ready(Some(Ok(frame))) => body.grow(frame, inner),
                Poll::Ready(Some(Err(error))) => {
                    this.has_failed = true;
                    return Poll::Ready(Some(Err(body.break_off(error))));
                }
                Poll::Ready(None) => body.end_cleanly(body.lock()),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let known = self.body.lock();
        let Some(place) = known.readers.get(&self.id) else { return false };
        let is_clean = matches!(known.end, Some(End::Clean(_)));
        is_clean && known.frame(*place).is_none() && (self.has_trailers || known.trailers.is_none())
    }

    fn size_hint(&self) -> SizeHint {
        match self.body.exact {
            Some(exact) => SizeHint::with_exact(exact.saturating_sub(self.read)),
            None => SizeHint::default(),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut known = self.body.lock();
        known.readers.remove(&self.id);
        let is_left = known.readers.is_empty();
        let left = if is_left { (known.inner.take(), known.fill.take()) } else { (None, None) };
        known.forget_what_is_read();
        drop(known);
        drop(left);
        self.body.waiting.leave(self.id);
        // It may have been the one who polled.
        self.body.waiting.wake();
    }
}
