use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

pin_project! {
    /// Reads a body into memory: never more than the limit, whatever was announced, and never longer than it may take.
    pub(crate) struct Collect<B> {
        #[pin]
        body: B,
        limit: usize,
        read: Read,
        deadline: Option<Instant>,
        // Only for a body that is waited for.
        timer: Option<Pin<Box<Sleep>>>,
    }
}

enum Read {
    Nothing,
    /// One piece is not copied.
    One(Bytes),
    More(Vec<u8>),
}

#[derive(Debug)]
pub(crate) enum NotCollected<E> {
    TooLarge,
    TooSlow,
    Broken(E),
}

/// After that many frames in one go others get their turn, and the deadline is looked at: a stream of empty frames would not end.
const FRAMES: u32 = 32;
/// The first copy has room for that much, or what there is if that is more.
const FIRST: usize = 8 * 1024;

impl<B: Body> Collect<B> {
    /// `within` counts from now; a time that no clock can show is none.
    pub(crate) fn new(body: B, limit: usize, within: Option<Duration>) -> Self {
        let deadline = within.and_then(|within| Instant::now().checked_add(within));
        Self { body, limit, read: Read::Nothing, deadline, timer: None }
    }

    /// As the body announces it.
    pub(crate) fn is_too_large(body: &B, limit: usize) -> bool {
        body.size_hint().lower() > limit as u64
    }

    /// Tells each piece to `each`, and gives all of it at the end.
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut each: impl FnMut(&[u8]),
    ) -> Poll<Result<Bytes, NotCollected<B::Error>>> {
        let mut this = self.project();
        for _ in 0..FRAMES {
            match this.body.as_mut().poll_frame(cx) {
                Poll::Ready(None) => return Poll::Ready(Ok(mem::replace(this.read, Read::Nothing).finish())),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(NotCollected::Broken(error))),
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers are signed by nobody.
                    let Ok(mut data) = frame.into_data() else { continue };
                    if data.remaining() > *this.limit - this.read.len() {
                        return Poll::Ready(Err(NotCollected::TooLarge));
                    }
                    while data.has_remaining() {
                        let piece = data.copy_to_bytes(data.chunk().len());
                        each(&piece);
                        this.read.push(piece, *this.limit);
                    }
                }
                Poll::Pending => {
                    let Some(deadline) = *this.deadline else { return Poll::Pending };
                    let timer = this.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
                    return timer.as_mut().poll(cx).map(|()| Err(NotCollected::TooSlow));
                }
            }
        }
        if this.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Poll::Ready(Err(NotCollected::TooSlow));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Read {
    fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(piece) => piece.len(),
            Self::More(all) => all.len(),
        }
    }

    /// Room is made by what came, not by what was announced: twice as much each time, up to the limit.
    fn push(&mut self, piece: Bytes, limit: usize) {
        let mut all = match mem::replace(self, Self::Nothing) {
            Self::Nothing => {
                *self = Self::One(piece);
                return;
            }
            Self::One(first) => {
                let mut all = Vec::new();
                reserve(&mut all, first.len() + piece.len(), limit);
                all.extend_from_slice(&first);
                all
            }
            Self::More(all) => all,
        };
        let length = all.len() + piece.len();
        reserve(&mut all, length, limit);
        all.extend_from_slice(&piece);
        *self = Self::More(all);
    }

    fn finish(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(piece) => piece,
            Self::More(all) => all.into(),
        }
    }
}

fn reserve(all: &mut Vec<u8>, length: usize, limit: usize) {
    if length > all.capacity() {
        let room = length.max(2 * all.capacity()).max(FIRST).min(limit);
        all.reserve_exact(room - all.len());
    }
}
