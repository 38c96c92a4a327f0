//! What a bulkhead has so many of: one word, without any waiting.

use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::Instant;

use crate::line::{Source, Who};

/// Slots, and room for those who wait for one.
pub(crate) struct Slots {
    /// How many are taken. The highest bit tells newcomers that others wait, in the same word, so that none can take a slot past them.
    word: AtomicUsize,
    limit: NonZeroUsize,
    room: usize,
}

const QUEUED: usize = 1 << (usize::BITS - 1);

/// A slot is a slot: there are none that cost more.
pub(crate) const ONE: NonZeroU32 = NonZeroU32::MIN;

impl Slots {
    /// All of them free.
    pub(crate) fn new(limit: NonZeroUsize, room: usize) -> Self {
        Self { word: AtomicUsize::new(0), limit, room }
    }

    pub(crate) fn limit(&self) -> NonZeroUsize {
        self.limit
    }

    pub(crate) fn taken(&self) -> usize {
        self.word.load(Ordering::Acquire) & !QUEUED
    }

    /// None is taken, and nobody waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.word.load(Ordering::Acquire) == 0
    }
}

impl Source for Slots {
    const CAN_BE_PUT_OFF: bool = false;

    fn take(&self, who: Who, _: NonZeroU32) -> bool {
        let take = |word: usize| {
            let may_take = word & QUEUED == 0 || who != Who::Newcomer;
            (may_take && word & !QUEUED < self.limit.get()).then(|| word + 1)
        };
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }

    /// Nobody knows how long a call takes.
    fn due(&self, _: u64) -> Option<Instant> {
        None
    }

    fn room(&self) -> usize {
        self.room
    }

    fn give_back(&self, _: NonZeroU32) {
        self.word.fetch_sub(1, Ordering::AcqRel);
    }

    fn set_queued(&self, queued: bool) {
        if queued {
            self.word.fetch_or(QUEUED, Ordering::AcqRel);
        } else {
            self.word.fetch_and(!QUEUED, Ordering::AcqRel);
        }
    }

    fn is_queued(&self) -> bool {
        self.word.load(Ordering::Acquire) & QUEUED != 0
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slots({} of {} taken)", self.taken(), self.limit)
    }
}
