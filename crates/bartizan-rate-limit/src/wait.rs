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
use crate::line::{Line, Place, Refused, Source, Turn};

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

/// The wait would be too long, or was.
#[derive(Debug)]
pub(crate) struct TooLong<L> {
    pub(crate) line: L,
    pub(crate) refused: Refused,
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
                        Ok(Some(place)) => {
                            let latest = within.latest(now).filter(|_| L::Source::CAN_BE_PUT_OFF);
                            *self = Self::InLine(InLine::new(line, place, latest));
                        }
                        Err(refused) => return Poll::Ready(Err(TooLong { line, refused, now })),
                    }
                }
                Self::InLine(mut standing) => {
                    return match standing.poll(cx) {
                        Poll::Ready(Ok(())) => Poll::Ready(Ok(standing.end())),
                        Poll::Ready(Err(refused)) => {
                            let (line, now) = (standing.line(), Instant::now());
                            Poll::Ready(Err(TooLong { line, refused, now }))
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
    /// Once there is something to wait for but the others.
    timer: Option<Pin<Box<Sleep>>>,
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
    fn new(line: L, place: Place, latest: Option<Instant>) -> Self {
        Self(Some(Stands { bell: Arc::new(Bell { line, place }), timer: None, latest }))
    }

    /// # Errors
    /// When it was put off for too long, or its time is up.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        let held = self.0.as_mut().expect("it is there until it ends");
        let Bell { line, place } = &*held.bell;
        let bell = Waker::from(held.bell.clone());
        loop {
            let at = match line.line().poll(place, cx) {
                Turn::Came => return Poll::Ready(Ok(())),
                Turn::Never => return Poll::Ready(Err(Refused::TimeUp)),
                Turn::Later(None) => return Poll::Pending,
                Turn::Later(Some(at)) => at,
            };
            if held.latest.is_some_and(|latest| at > latest) {
                return Poll::Ready(Err(Refused::Late(at)));
            }
            let timer = held.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
            if timer.deadline() != at {
                timer.as_mut().reset(at);
            }
            if timer.as_mut().poll(&mut Context::from_waker(&bell)).is_pending() {
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
