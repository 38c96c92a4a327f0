use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_core::BoxError;
use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::alarm::Alarm;
use super::watch::{Fault, Limits, Watch};
use crate::future::tell;
use crate::held::Held;
use crate::target::Target;
use crate::timer::BodyTimer;
use crate::{BodyStalled, BodyTooSlow, Hook, TimedOut};

pin_project! {
    /// The body of [`BodyTimeout`](crate::BodyTimeout)'s responses.
    pub struct TimeoutBody<B, H = ()> {
        #[pin]
        inner: Held<B>,
        // Nothing for a body that is left alone.
        watch: Option<Watch>,
        alarm: Option<Alarm>,
        timer: BodyTimer,
        target: Target,
        hook: H,
    }
}

impl<B, H> TimeoutBody<B, H> {
    pub(super) fn new(inner: B, limits: Option<Limits>, target: Target, hook: H) -> Self {
        let watch = limits.map(Watch::new);
        Self { inner: Held::new(inner), watch, alarm: None, timer: BodyTimer::default(), target, hook }
    }

    /// The body itself, unbounded, if it has not come to its end.
    pub fn into_inner(self) -> Option<B> {
        self.inner.into_inner()
    }
}

impl<B, H> Body for TimeoutBody<B, H>
where
    B: Body,
    B::Error: Into<BoxError>,
    H: Hook,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let mut this = self.project();
        let adds_waits_up = this.watch.as_ref().is_some_and(Watch::adds_waits_up);
        let (polled, rang) = poll_inner(this.inner.as_mut(), this.alarm, adds_waits_up, cx);
        let frame = match polled {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                let Some(watch) = this.watch else { return Poll::Pending };
                let fault = loop {
                    match watch.nothing(Instant::now()) {
                        Ok(None) => return Poll::Pending,
                        Ok(Some(until)) => ready!(this.timer.poll(cx, until)),
                        Err(fault) => break fault,
                    }
                };
                // The inner body is gone before anybody hears of it.
                this.inner.let_go();
                return Poll::Ready(Some(Err(end(fault, watch.bytes(), *this.target, this.hook))));
            }
        };
        if let (Some(watch), Some(Ok(frame))) = (this.watch, &frame) {
            watch.frame(frame.data_ref().map_or(0, Buf::remaining), || rang.unwrap_or_else(Instant::now));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// With when the inner body woke the task, if that matters and it did.
fn poll_inner<B>(
    mut inner: Pin<&mut Held<B>>,
    alarm: &mut Option<Alarm>,
    needs_alarm: bool,
    cx: &mut Context<'_>,
) -> (PolledFrame<B>, Option<Instant>)
where
    B: Body,
    B::Error: Into<BoxError>,
{
    if let Some(alarm) = alarm {
        let rang = alarm.set(cx.waker());
        return (inner.poll_frame(&mut alarm.context()), rang);
    }
    let mut polled = inner.as_mut().poll_frame(cx);
    // Only now, since a body that is ready allocates nothing.
    if polled.is_pending() && needs_alarm {
        let alarm = alarm.insert(Alarm::new(cx.waker()));
        polled = inner.poll_frame(&mut alarm.context());
    }
    (polled, None)
}

type PolledFrame<B> = Poll<Option<Result<Frame<<B as Body>::Data>, BoxError>>>;

fn end(fault: Fault, bytes: u64, target: Target, hook: &impl Hook) -> BoxError {
    match fault {
        Fault::Stalled { limit, elapsed } => {
            let error = BodyStalled { limit, elapsed, bytes, target };
            tell(hook, TimedOut::BodyStalled(&error));
            error.into()
        }
        Fault::TooSlow { floor, elapsed, window_bytes } => {
            let error = BodyTooSlow { floor, elapsed, window_bytes, bytes, target };
            tell(hook, TimedOut::BodyTooSlow(&error));
            error.into()
        }
    }
}

/// Left alone.
impl<B: Default, H: Default> Default for TimeoutBody<B, H> {
    fn default() -> Self {
        Self::new(B::default(), None, Target::NONE, H::default())
    }
}

impl<B: fmt::Debug, H> fmt::Debug for TimeoutBody<B, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeoutBody")
            .field("inner", &self.inner)
            .field("watch", &self.watch)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
