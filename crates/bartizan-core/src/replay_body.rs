use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::{BoxError, Replay};

/// A streamed body that is kept, up to a limit, while it is sent, so that it can be sent again.
///
/// All copies read one source. The newest copy is the live one: it gives what was kept already, then reads on from the
/// source. An older copy ends with an error at its next poll and can take nothing from the source any more, so an old
/// connection is never fed beside a new one.
///
/// Once more than `limit` bytes have passed, what was kept is let go: the body is still sent, and
/// [`replay`](Replay::replay) says `None`. The same happens while only one copy is left, since nobody could ask for another.
///
/// Bytes, trailers and the exact [`size_hint`](Body::size_hint) are the source's; so are the frames, but that a later
/// copy may give small ones as one. A copy that waits holds no lock.
pub struct ReplayBody<B> {
    shared: Arc<Mutex<Shared<B>>>,
    copy: u64,
    /// How many of the kept frames this copy has given.
    given: usize,
    done: bool,
}

struct Shared<B> {
    source: Source<B>,
    /// What the source says of what it still has; valid while a copy has the source too.
    rest: SizeHint,
    kept: Vec<Kept>,
    kept_bytes: usize,
    limit: usize,
    /// Something passed that was not kept: there can be no further copy.
    gone: bool,
    live: u64,
    next_copy: u64,
    /// The waker of the live copy.
    waiting: Option<Waker>,
}

enum Source<B> {
    Here(B),
    /// A copy is polling it, outside the lock.
    Lent,
    Ended,
    /// With the reason, if the copy that has to tell it has not read it yet.
    Failed(Option<BoxError>),
}

enum Kept {
    Data(Bytes),
    Trailers(HeaderMap),
}

/// Up to here frames are kept as one: each costs a hundred bytes beside its data, which would be most of the memory if
/// the source gives a few bytes at a time.
const SMALL: usize = 1024;

impl<B: Body<Data = Bytes>> ReplayBody<B> {
    /// Keeps up to `limit` bytes of data and trailers of `source`.
    pub fn new(source: B, limit: usize) -> Self {
        let rest = source.size_hint();
        let source = if source.is_end_stream() { Source::Ended } else { Source::Here(source) };
        let shared = Shared {
            source,
            rest,
            kept: Vec::new(),
            kept_bytes: 0,
            limit,
            gone: false,
            live: 0,
            next_copy: 1,
            waiting: None,
        };
        Self { shared: Arc::new(Mutex::new(shared)), copy: 0, given: 0, done: false }
    }
}

impl<B> ReplayBody<B> {
    fn lock(&self) -> MutexGuard<'_, Shared<B>> {
        lock(&self.shared)
    }
}

// Nothing that can panic runs under the lock, so a poisoned one is as good as any.
fn lock<B>(shared: &Mutex<Shared<B>>) -> MutexGuard<'_, Shared<B>> {
    shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl<B> Replay for ReplayBody<B> {
    fn can_replay(&self) -> bool {
        self.lock().can_replay()
    }

    fn replay(&self) -> Option<Self> {
        let mut shared = self.lock();
        if !shared.can_replay() {
            return None;
        }
        shared.live = shared.next_copy;
        shared.next_copy += 1;
        let (copy, superseded) = (shared.live, shared.waiting.take());
        drop(shared);
        if let Some(waker) = superseded {
            // It shall see that it is superseded now, not when the source has something.
            waker.wake();
        }
        Some(Self { shared: self.shared.clone(), copy, given: 0, done: false })
    }
}

impl<B> Body for ReplayBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = ReplayError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ReplayError>>> {
        let Self { shared, copy, given, done } = self.get_mut();
        if *done {
            return Poll::Ready(None);
        }
        // Alone, nobody can ask for a copy any more: `replay` needs one to be called on.
        let alone = Arc::strong_count(shared) == 1;
        let step = lock(shared).next(*copy, given, cx);
        let answer = match step {
            Step::Answer(answer) => answer,
            Step::Read(source) => Loan { source: Some(source), shared }.read(*copy, given, alone, cx),
        };
        *done = matches!(answer, Poll::Ready(None | Some(Err(_))));
        answer
    }

    fn is_end_stream(&self) -> bool {
        let shared = self.lock();
        self.done
            || shared.live == self.copy
                && self.given == shared.kept.len()
                && matches!(shared.source, Source::Ended)
    }

    fn size_hint(&self) -> SizeHint {
        let shared = self.lock();
        if self.done {
            return SizeHint::with_exact(0);
        }
        let from = self.given.min(shared.kept.len());
        let kept = shared.kept[from..].iter().map(|frame| match frame {
            Kept::Data(data) => data.len() as u64,
            Kept::Trailers(_) => 0,
        });
        let kept: u64 = kept.sum();
        let mut hint = SizeHint::new();
        hint.set_lower(shared.rest.lower().saturating_add(kept));
        if let Some(upper) = shared.rest.upper().and_then(|upper| upper.checked_add(kept)) {
            hint.set_upper(upper);
        }
        hint
    }
}

type Answer = Poll<Option<Result<Frame<Bytes>, ReplayError>>>;

enum Step<B> {
    Answer(Answer),
    Read(B),
}

impl<B> Shared<B> {
    fn can_replay(&self) -> bool {
        !self.gone && !matches!(self.source, Source::Failed(_))
    }

    fn next(&mut self, copy: u64, given: &mut usize, cx: &Context<'_>) -> Step<B> {
        if self.live != copy {
            return Step::Answer(Poll::Ready(Some(Err(Kind::Superseded.into()))));
        }
        if let Some(frame) = self.kept.get(*given) {
            *given += 1;
            return Step::Answer(Poll::Ready(Some(Ok(frame.to_frame()))));
        }
        if self.gone {
            // What an older copy handed on above the limit has been given, and nobody else can ask for it.
            (self.kept, *given) = (Vec::new(), 0);
        }
        match std::mem::replace(&mut self.source, Source::Lent) {
            Source::Here(source) => {
                self.waiting = Some(cx.waker().clone());
                Step::Read(source)
            }
            Source::Lent => {
                // An older copy is polling it; it wakes us when it has given it back.
                self.waiting = Some(cx.waker().clone());
                Step::Answer(Poll::Pending)
            }
            Source::Ended => {
                self.source = Source::Ended;
                Step::Answer(Poll::Ready(None))
            }
            Source::Failed(reason) => {
                self.source = Source::Failed(None);
                let kind = reason.map_or(Kind::Lost, Kind::Source);
                Step::Answer(Poll::Ready(Some(Err(kind.into()))))
            }
        }
    }

    /// `handed_on` is what a superseded copy has read: the live one gets it from here, whatever the limit, or never.
    fn keep(&mut self, frame: &Frame<Bytes>, alone: bool, handed_on: bool) {
        let kept = match (frame.data_ref(), frame.trailers_ref()) {
            (Some(data), _) if data.is_empty() => return,
            (Some(data), _) => Kept::Data(data.clone()),
            (None, Some(trailers)) => Kept::Trailers(trailers.clone()),
            // A kind of frame that does not exist yet cannot be kept.
            (None, None) => return self.let_go(),
        };
        self.kept_bytes = self.kept_bytes.saturating_add(kept.len());
        self.gone |= alone || self.kept_bytes > self.limit;
        match (self.kept.last_mut(), kept) {
            // The live copy may not have come to it, or be past the frame before it.
            (_, kept) if handed_on => self.kept.push(kept),
            _ if self.gone => self.let_go(),
            (Some(Kept::Data(last)), Kept::Data(data)) if last.len() + data.len() <= SMALL => {
                let mut joined = BytesMut::from(std::mem::take(last));
                joined.extend_from_slice(&data);
                *last = joined.freeze();
            }
            (_, kept) => self.kept.push(kept),
        }
    }

    fn let_go(&mut self) {
        self.gone = true;
        self.kept = Vec::new();
    }
}

impl Kept {
    fn len(&self) -> usize {
        match self {
            Self::Data(data) => data.len(),
            Self::Trailers(trailers) => trailers.iter().map(|(n, v)| n.as_str().len() + v.len()).sum(),
        }
    }

    fn to_frame(&self) -> Frame<Bytes> {
        match self {
            Self::Data(data) => Frame::data(data.clone()),
            Self::Trailers(trailers) => Frame::trailers(trailers.clone()),
        }
    }
}

/// The source, while one copy polls it. Dropped by a panic of the source's, it tells the others that the source is lost.
struct Loan<'a, B> {
    source: Option<B>,
    shared: &'a Mutex<Shared<B>>,
}

impl<B> Loan<'_, B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    fn read(mut self, copy: u64, given: &mut usize, alone: bool, cx: &mut Context<'_>) -> Answer {
        let source = self.source.as_mut().expect("the loan holds the source until it is given back");
        let polled = Pin::new(&mut *source).poll_frame(cx).map_err(Into::<BoxError>::into);
        let (rest, ended) = (source.size_hint(), source.is_end_stream());

        // Taken before the lock, so that a source that is over is dropped after it: its drop may do anything.
        let mut source = self.source.take();
        let mut shared = lock(self.shared);
        let superseded = shared.live != copy;
        shared.rest = rest;
        shared.source = match &polled {
            Poll::Ready(Some(Err(_))) => Source::Failed(None),
            Poll::Ready(None) => Source::Ended,
            _ if ended => Source::Ended,
            _ => source.take().map_or(Source::Failed(None), Source::Here),
        };
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            shared.keep(frame, alone, superseded);
            *given = shared.kept.len();
        }
        if superseded {
            // Superseded while it polled: what it read was kept for the newer copy, which may be waiting for it.
            if let Poll::Ready(Some(Err(reason))) = polled {
                shared.source = Source::Failed(Some(reason));
            }
            let newer = shared.waiting.take();
            drop(shared);
            if let Some(waker) = newer {
                waker.wake();
            }
            return Poll::Ready(Some(Err(Kind::Superseded.into())));
        }
        polled.map_err(|reason| Kind::Source(reason).into())
    }
}

impl<B> Drop for Loan<'_, B> {
    fn drop(&mut self) {
        if self.source.is_some() {
            let mut shared = lock(self.shared);
            shared.source = Source::Failed(None);
            let waiting = shared.waiting.take();
            drop(shared);
            if let Some(waker) = waiting {
                waker.wake();
            }
        }
    }
}

impl<B> fmt::Debug for ReplayBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.lock();
        f.debug_struct("ReplayBody")
            .field("kept_bytes", &shared.kept.iter().map(Kept::len).sum::<usize>())
            .field("limit", &shared.limit)
            .field("can_replay", &shared.can_replay())
            .field("superseded", &(shared.live != self.copy))
            .finish()
    }
}

/// Why a [`ReplayBody`] could not be read to its end.
pub struct ReplayError {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Superseded,
    Source(BoxError),
    Lost,
}

impl ReplayError {
    /// A newer copy of the body is being sent. The attempt that this one belonged to is over.
    pub fn is_superseded(&self) -> bool {
        matches!(self.kind, Kind::Superseded)
    }
}

impl From<Kind> for ReplayError {
    fn from(kind: Kind) -> Self {
        Self { kind }
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Superseded => "a newer copy of this request body is being sent",
            Kind::Source(_) => "the request body failed",
            Kind::Lost => "the request body failed earlier and cannot be read on",
        })
    }
}

impl fmt::Debug for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReplayError").field(&self.kind).finish()
    }
}

impl Error for ReplayError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            Kind::Source(error) => Some(&**error),
            Kind::Superseded | Kind::Lost => None,
        }
    }
}

#[cfg(test)]
mod tests;
