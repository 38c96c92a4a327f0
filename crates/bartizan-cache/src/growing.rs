//! A body that comes from the origin once and is read by all who asked for it: each gets it from the first byte, whoever polls drives it, and
//! what comes to a clean end is stored.

mod error;
mod exactly;
mod inner;
mod reader;
mod waiting;

use std::collections::{BTreeMap, VecDeque};
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use bartizan_core::BoxError;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};

pub(crate) use self::exactly::Exactly;
use self::inner::Inner;
pub(crate) use self::reader::Reader;
use self::waiting::Waiting;
use crate::fill::Fill;

pub(crate) struct Growing {
    known: Mutex<Known>,
    waiting: Arc<Waiting>,
    /// How long the whole is, if the origin says so.
    exact: Option<u64>,
    /// So many bytes are stored at most, and so far may the fastest who reads be ahead of the slowest.
    most: usize,
}

struct Known {
    /// `None` while somebody polls it, and after its end.
    inner: Option<Inner>,
    /// What has come and is not read by all, or all of it while it may be stored.
    frames: VecDeque<Bytes>,
    /// The bytes of `frames`.
    held: usize,
    /// The number of the first of `frames`.
    first: u64,
    trailers: Option<HeaderMap>,
    end: Option<End>,
    /// `None` once it is stored, or is not going to be.
    fill: Option<Fill>,
    readers: BTreeMap<u64, Place>,
    next_reader: u64,
}

/// How far somebody has read.
#[derive(Clone, Copy, Default)]
struct Place {
    /// The number of the next frame.
    frame: u64,
    bytes: usize,
}

#[derive(Clone)]
enum End {
    /// With all of it in one piece, if it is stored.
    Clean(Option<Bytes>),
    Broken(Arc<dyn Error + Send + Sync>),
}

impl Growing {
    /// Begins with `prefix`, which is there already, and tells those who wait for it.
    pub(crate) fn begin<B>(prefix: Bytes, inner: B, fill: Fill) -> Reader
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let is_over = inner.is_end_stream();
        let exact = inner.size_hint().exact().map(|rest| rest + prefix.len() as u64);
        let most = fill.most();
        let mut known = Known {
            inner: Some(inner::boxed(inner)),
            frames: VecDeque::new(),
            held: 0,
            first: 0,
            trailers: None,
            end: None,
            fill: Some(fill),
            readers: BTreeMap::new(),
            next_reader: 0,
        };
        if !prefix.is_empty() {
            known.push(prefix);
        }
        let this = Arc::new(Self { known: Mutex::new(known), waiting: Arc::default(), exact, most });
        let reader = this.read().expect("it is to be stored");
        if is_over {
            this.end_cleanly(this.lock());
        } else {
            let waiting = this.lock().fill.as_ref().map_or_else(Vec::new, |fill| fill.grows(&this));
            // Whoever is woken may read it at once.
            waiting.into_iter().for_each(Waker::wake);
        }
        reader
    }

    /// From the first byte; `None` if it is not stored any more, or has been left by all.
    pub(crate) fn read(self: &Arc<Self>) -> Option<Reader> {
        let mut known = self.lock();
        known.fill.as_ref()?;
        let id = known.next_reader;
        known.next_reader += 1;
        known.readers.insert(id, Place::default());
        Some(Reader::new(self.clone(), id))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nothing panics under it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The origin sent this, and `inner` has the rest.
    fn grow(&self, frame: Frame<Bytes>, inner: Inner) {
        // hyper stops at the content-length, so there may be no poll that tells of the end.
        let is_over = inner.is_end_stream();
        let mut known = self.lock();
        known.inner = Some(inner);
        match frame.into_data() {
            Ok(data) => known.push(data),
            Err(frame) => known.trailers = frame.into_trailers().ok().or(known.trailers.take()),
        }
        let is_too_long = known.held > self.most;
        let given_up = if is_too_long { known.fill.take() } else { None };
        known.forget_what_is_read();
        if is_over {
            self.end_cleanly(known);
        } else {
            drop(known);
            self.waiting.wake();
        }
        if let Some(fill) = given_up {
            fill.give_up();
        }
    }

    fn end_cleanly(&self, mut known: MutexGuard<'_, Known>) {
        let fill = known.fill.take();
        // Exactly as long as it is: frames may be parts of larger buffers.
        let whole = fill.is_some().then(|| known.joined());
        if whole.is_some() {
            known.frames.clear();
        }
        known.end = Some(End::Clean(whole.clone()));
        let (trailers, inner) = (known.trailers.clone(), known.inner.take());
        drop(known);
        drop(inner);
        if let (Some(fill), Some(whole)) = (fill, whole) {
            fill.complete(whole, trailers);
        }
        self.waiting.wake();
    }

    /// The error as it is, if nobody else is to get it.
    fn break_off(&self, error: BoxError) -> BoxError {
        let mut known = self.lock();
        let fill = known.fill.take();
        let (error, others) = if known.readers.len() > 1 {
            let shared = Arc::<dyn Error + Send + Sync>::from(error);
            (error::broken_off(&shared), shared)
        } else {
            (error, error::nobodys())
        };
        known.end = Some(End::Broken(others));
        drop(known);
        drop(fill);
        self.waiting.wake();
        error
    }
}

impl Known {
    fn push(&mut self, data: Bytes) {
        self.held += data.len();
        self.frames.push_back(data);
    }

    /// All bytes that came, while all are there.
    fn joined(&self) -> Bytes {
        let mut whole = Vec::with_capacity(self.held);
        self.frames.iter().for_each(|frame| whole.extend_from_slice(frame));
        whole.into()
    }

    /// Once it is not going to be stored.
    fn forget_what_is_read(&mut self) {
        if self.fill.is_some() {
            return;
        }
        let slowest = self.readers.values().map(|place| place.frame).min().unwrap_or(u64::MAX);
        while self.first < slowest
            && let Some(frame) = self.frames.pop_front()
        {
            self.held -= frame.len();
            self.first += 1;
        }
    }

    /// Leaves without those who are the farthest behind. They hear of it when they read on.
    fn leave_the_slowest(&mut self) {
        let slowest = self.readers.values().map(|place| place.frame).min();
        self.readers.retain(|_, place| Some(place.frame) != slowest);
        self.forget_what_is_read();
    }

    /// All of it, or nothing.
    fn frame(&self, place: Place) -> Option<Bytes> {
        if let Some(End::Clean(Some(whole))) = &self.end {
            return (place.bytes < whole.len()).then(|| whole.slice(place.bytes..));
        }
        let index = usize::try_from(place.frame.checked_sub(self.first)?).ok()?;
        self.frames.get(index).cloned()
    }
}

impl fmt::Debug for Growing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.lock();
        f.debug_struct("Growing")
            .field("held", &known.held)
            .field("readers", &known.readers.len())
            .finish_non_exhaustive()
    }
}
