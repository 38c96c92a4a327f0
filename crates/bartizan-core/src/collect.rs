use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::Body;
use pin_project_lite::pin_project;

pin_project! {
    /// Reads a body into memory: never more than the limit, whatever was announced. Trailers are dropped.
    ///
    /// A body that comes in one piece is not copied. Room for others grows by what came.
    ///
    /// ```
    /// use bartizan_core::{Collect, NotCollected};
    /// use bytes::Bytes;
    /// use http_body_util::Full;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let body = || Full::<Bytes>::from("hello");
    /// assert_eq!(Collect::new(body(), 5).await.unwrap(), "hello");
    /// assert!(matches!(Collect::new(body(), 4).await, Err(NotCollected::TooLarge)));
    /// # }
    /// ```
    pub struct Collect<B> {
        #[pin]
        body: B,
        limit: usize,
        read: Read,
    }
}

enum Read {
    Nothing,
    /// One piece is not copied.
    One(Bytes),
    More(Vec<u8>),
}

/// Why a body is not there.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotCollected<E> {
    /// It has more bytes than the limit, or announces so.
    TooLarge,
    /// It broke off.
    Broken(E),
}

/// After that many frames in one go others get their turn: a stream of empty frames would not end.
const FRAMES: u32 = 32;
/// The first copy has room for that much, or what there is if that is more.
const FIRST: usize = 8 * 1024;

impl<B: Body> Collect<B> {
    /// With at most `limit` bytes.
    pub fn new(body: B, limit: usize) -> Self {
        Self { body, limit, read: Read::Nothing }
    }

    /// Tells each piece to `each`, and gives all of it at the end.
    ///
    /// After some frames it is pending and has woken the task, so that whoever polls it can look at the clock.
    ///
    /// # Errors
    /// If the body has more bytes than the limit, or breaks off.
    pub fn poll_each(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut each: impl FnMut(&[u8]),
    ) -> Poll<Result<Bytes, NotCollected<B::Error>>> {
        let mut this = self.project();
        let room = *this.limit - this.read.len();
        if this.body.size_hint().lower() > room as u64 {
            return Poll::Ready(Err(NotCollected::TooLarge));
        }
        for _ in 0..FRAMES {
            match this.body.as_mut().poll_frame(cx) {
                Poll::Ready(None) => return Poll::Ready(Ok(mem::replace(this.read, Read::Nothing).finish())),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(NotCollected::Broken(error))),
                Poll::Ready(Some(Ok(frame))) => {
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
                Poll::Pending => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<B: Body> Future for Collect<B> {
    type Output = Result<Bytes, NotCollected<B::Error>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_each(cx, |_| {})
    }
}

impl<B> fmt::Debug for Collect<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collect")
            .field("read", &self.read.len())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
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

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::pin::pin;
    use std::task::Waker;

    use http_body::{Frame, SizeHint};
    use http_body_util::Full;

    use super::*;

    /// These pieces, and what it announces.
    struct Pieces(VecDeque<&'static str>, SizeHint);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece.into()))))
        }

        fn size_hint(&self) -> SizeHint {
            self.1
        }
    }

    fn pieces(pieces: &[&'static str], announced: u64) -> Pieces {
        let mut hint = SizeHint::new();
        hint.set_lower(announced);
        Pieces(pieces.iter().copied().collect(), hint)
    }

    #[tokio::test]
    async fn what_came_is_put_together_up_to_the_limit() {
        assert_eq!(Collect::new(pieces(&["a", "", "bc", "d"], 0), 4).await.unwrap(), "abcd");
        assert!(matches!(Collect::new(pieces(&["a", "bc", "d"], 0), 3).await, Err(NotCollected::TooLarge)));
        assert_eq!(Collect::new(pieces(&[], 0), 0).await.unwrap(), "");
    }

    #[tokio::test]
    async fn what_announces_too_much_is_not_read() {
        let mut body = Collect::new(pieces(&["a"], 5), 4);
        assert!(matches!((&mut body).await, Err(NotCollected::TooLarge)));
        assert_eq!(body.body.0.len(), 1);
        assert_eq!(Collect::new(pieces(&["a"], 4), 4).await.unwrap(), "a");
    }

    #[tokio::test]
    async fn one_piece_is_not_copied() {
        let piece = Bytes::from(vec![b'x'; 100]);
        assert_eq!(Collect::new(Full::new(piece.clone()), 100).await.unwrap().as_ptr(), piece.as_ptr());
    }

    #[test]
    fn room_grows_by_what_came_and_never_above_the_limit() {
        let mut read = Read::Nothing;
        for _ in 0..99 {
            read.push(Bytes::from_static(&[b'x'; 1000]), 100_000);
            let Read::More(all) = &read else { continue };
            assert!(all.capacity() <= 100_000 && all.capacity() <= (2 * all.len()).max(FIRST));
        }
        assert_eq!(read.len(), 99_000);
    }

    #[test]
    fn a_stream_of_nothing_gives_others_their_turn() {
        let mut body = pin!(Collect::new(pieces(&[""; 40], 0), 4));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(body.as_mut().poll(cx).is_pending());
        assert!(body.as_mut().poll(cx).is_ready());
    }
}
