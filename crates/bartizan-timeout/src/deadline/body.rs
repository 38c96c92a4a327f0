use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_core::{BoxError, Deadline, ThroughBody};
use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::Instant;

use crate::error::Progress;
use crate::future::tell;
use crate::held::Held;
use crate::target::Target;
use crate::timer::BodyTimer;
use crate::{DeadlineExceeded, Hook, TimedOut};

/// What bounds the body of one response: the call's deadline, if it goes [through the body](crate::DeadlineLayer::through_body).
///
/// Comes off a body with [`DeadlineBody::into_parts`], and goes [around](Self::around) another. The default bounds nothing.
#[derive(Clone, Default)]
pub struct BodyDeadline<H = ()> {
    bound: Option<Bound>,
    hook: H,
}

#[derive(Clone)]
struct Bound {
    deadline: Deadline,
    target: Target,
    /// Without a switch it is on.
    switch: Option<ThroughBody>,
}

impl<H> BodyDeadline<H> {
    pub(crate) fn none(hook: H) -> Self {
        Self { bound: None, hook }
    }

    pub(crate) fn always(deadline: Deadline, target: Target, hook: H) -> Self {
        Self { bound: Some(Bound { deadline, target, switch: None }), hook }
    }

    pub(crate) fn switched(deadline: Deadline, target: Target, switch: ThroughBody, hook: H) -> Self {
        Self { bound: Some(Bound { deadline, target, switch: Some(switch) }), hook }
    }

    pub(crate) fn hook(&self) -> &H {
        &self.hook
    }

    /// Bounds a body.
    pub fn around<B>(self, body: B) -> DeadlineBody<B, H> {
        DeadlineBody { inner: Held::new(body), by: self, timer: BodyTimer::default(), bytes: 0, late: false }
    }

    fn now(&self) -> Option<&Bound> {
        self.bound.as_ref().filter(|bound| bound.switch.as_ref().is_none_or(ThroughBody::is_on))
    }
}

impl Bound {
    fn at(&self) -> Instant {
        Instant::from_std(self.deadline.at)
    }
}

impl<H> fmt::Debug for BodyDeadline<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Bound { deadline, target, switch }) = &self.bound else {
            return f.write_str("BodyDeadline(none)");
        };
        f.debug_struct("BodyDeadline")
            .field("deadline", deadline)
            .field("target", target)
            .field("through_body", &switch.as_ref().is_none_or(ThroughBody::is_on))
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The body of [`DeadlineService`](crate::DeadlineService)'s responses.
    ///
    /// Where the deadline goes through the body, reading ends with a [`DeadlineExceeded`]. A frame that is there when the time
    /// is found to be over is still given, and so is the end; the frame after it is not.
    pub struct DeadlineBody<B, H = ()> {
        #[pin]
        inner: Held<B>,
        by: BodyDeadline<H>,
        timer: BodyTimer,
        bytes: u64,
        // A frame was given after the time was over. The next one is one too many.
        late: bool,
    }
}

impl<B, H> DeadlineBody<B, H> {
    /// The body itself, unbounded, if it has not come to its end.
    pub fn into_inner(self) -> Option<B> {
        self.inner.into_inner()
    }

    /// The body itself, if it has not come to its end, and what bounded it.
    pub fn into_parts(self) -> (Option<B>, BodyDeadline<H>) {
        (self.inner.into_inner(), self.by)
    }
}

impl<B, H> Body for DeadlineBody<B, H>
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
        let bound = match (this.inner.as_mut().poll_frame(cx), this.by.now()) {
            (Poll::Pending, None) => return Poll::Pending,
            (Poll::Pending, Some(bound)) => {
                ready!(this.timer.poll(cx, bound.at()));
                bound
            }
            (Poll::Ready(Some(Ok(frame))), bound) => {
                // What is always ready registers no timer, and must not run on for ever either.
                let late = bound.filter(|bound| Instant::now() >= bound.at());
                match late {
                    Some(bound) if mem::replace(this.late, true) && frame.is_data() => bound,
                    _ => {
                        *this.bytes += frame.data_ref().map_or(0, Buf::remaining) as u64;
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
            }
            (end, _) => return end,
        };
        // The inner body is gone before anybody hears of it.
        this.inner.let_go();
        let progress = Progress::Body(*this.bytes);
        let error = DeadlineExceeded::of(bound.deadline, Instant::now(), bound.target, progress);
        tell(&this.by.hook, TimedOut::Deadline(&error));
        Poll::Ready(Some(Err(error.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: Default, H: Default> Default for DeadlineBody<B, H> {
    fn default() -> Self {
        BodyDeadline::default().around(B::default())
    }
}

impl<B: fmt::Debug, H> fmt::Debug for DeadlineBody<B, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadlineBody")
            .field("inner", &self.inner)
            .field("by", &self.by)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
