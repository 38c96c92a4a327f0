//! Standing in a line: the future's part of it.

use std::fmt;
use std::future::Future;
use std::mem;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use bartizan_core::Entry;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::Within;
use crate::line::{Line, Place, Source, Turn};

/// What leads to a line, and keeps it.
pub(crate) trait Lined {
    type Source: Source;

    fn line(&self) -> &Line<Self::Source>;
}

impl<L: Lined> Lined for Arc<Entry<L>> {
    type Source = L::Source;

    fn line(&self) -> &Line<L::Source> {
        self.value().line()
    }
}

/// The same, by a handle that a waker may hold.
pub(crate) trait Held: Lined + Clone + Send + Sync + 'static {}

impl<L: Lined + Clone + Send + Sync + 'static> Held for L {}

/// A wait in a line. It begins with the first poll, and a drop gives back whatever had come by then.
pub(crate) enum Wait<L: Held> {
    New(L),
    InLine(InLine<L>),
    Over,
}

/// The wait would be too long: until then.
#[derive(Debug)]
pub(crate) struct TooLong<L> {
    pub(crate) line: L,
    pub(crate) due: Instant,
    pub(crate) now: Instant,
}

impl<L: Held> Wait<L> {
    /// Takes `cost`, or waits for it if that is not too long.
    pub(crate) fn poll(
        &mut self,
        cost: NonZeroU32,
        within: Within,
        cx: &mut Context<'_>,
    ) -> Poll<Result<L, TooLong<L>>> {
        loop {
            match mem::replace(self, Self::Over) {
                Self::New(line) if line.line().take(cost) => return Poll::Ready(Ok(line)),
                Self::New(line) => {
                    let now = Instant::now();
                    match line.line().join(cost, within.latest(now), cx) {
                        Ok(None) => return Poll::Ready(Ok(line)),
                        Ok(Some((place, due))) => {
                            let latest = within.latest(now).filter(|_| L::Source::CAN_BE_PUT_OFF);
                            *self = Self::InLine(InLine::new(line, place, due, latest));
                        }
                        Err(due) => return Poll::Ready(Err(TooLong { line, due, now })),
                    }
                }
                Self::InLine(mut standing) => {
                    return match standing.poll(cx) {
                        Poll::Ready(Ok(())) => Poll::Ready(Ok(standing.end())),
                        Poll::Ready(Err(due)) => {
                            let (line, now) = (standing.line(), Instant::now());
                            Poll::Ready(Err(TooLong { line, due, now }))
                        }
                        Poll::Pending => {
                            *self = Self::InLine(standing);
                            Poll::Pending
                        }
                    };
                }
                Self::Over => panic!("a future is not polled after its end"),
            }
        }
    }
}

/// A place, which is left with this.
pub(crate) struct InLine<L: Held>(Option<Stands<L>>);

struct Stands<L> {
    bell: Arc<Bell<L>>,
    timer: Pin<Box<Sleep>>,
    /// When its turn is put off beyond this it leaves.
    latest: Option<Instant>,
}

/// What the timer rings. The line is served then and there, not when the task gets around to it: one that is not polled for some time
/// holds up nobody.
struct Bell<L> {
    line: L,
    place: Place,
}

impl<L: Held> Wake for Bell<L> {
    fn wake(self: Arc<Self>) {
        self.line.line().ring(&self.place);
    }
}

impl<L: Held> InLine<L> {
    fn new(line: L, place: Place, due: Instant, latest: Option<Instant>) -> Self {
        let bell = Arc::new(Bell { line, place });
        Self(Some(Stands { bell, timer: Box::pin(sleep_until(due)), latest }))
    }

    /// # Errors
    /// With the new moment, if it was put off for too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Instant>> {
        let held = self.0.as_mut().expect("it is there until it ends");
        let Bell { line, place } = &*held.bell;
        let bell = Waker::from(held.bell.clone());
        loop {
            let Turn::Later(at) = line.line().poll(place, cx) else { return Poll::Ready(Ok(())) };
            if held.latest.is_some_and(|latest| at > latest) {
                return Poll::Ready(Err(at));
            }
            held.timer.as_mut().reset(at);
            if held.timer.as_mut().poll(&mut Context::from_waker(&bell)).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn line(&self) -> L {
        self.0.as_ref().expect("it is there until it ends").bell.line.clone()
    }

    /// What it waited for has come, and is kept.
    fn end(mut self) -> L {
        self.0.take().expect("it is there until it ends").bell.line.clone()
    }
}

impl<L: Held> Drop for InLine<L> {
    fn drop(&mut self) {
        if let Some(held) = self.0.take() {
            held.bell.line.line().leave(&held.bell.place);
        }
    }
}

impl<L: Held> fmt::Debug for Wait<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New(_) => "Wait(new)",
            Self::InLine(_) => "Wait(in line)",
            Self::Over => "Wait(over)",
        })
    }
}
