//! The line before slots that have no time in them: what is taken stays away until it is given back.

mod threads;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Wake;
use std::time::Duration;

use super::*;

const QUEUED: u64 = 1 << 63;

struct Slots {
    /// As in a bucket: one word for what is free and for whether others wait.
    free: AtomicU64,
    /// When there would be any that are not free now.
    later: Instant,
}

impl Slots {
    fn line(many: u64) -> Line<Self> {
        let later = Instant::now() + Duration::from_secs(3600);
        Line::new(Self { free: AtomicU64::new(many), later })
    }

    fn free(&self) -> u64 {
        self.free.load(Ordering::Acquire) & !QUEUED
    }
}

impl Source for Slots {
    const CAN_BE_PUT_OFF: bool = false;

    fn take(&self, who: Who, cost: NonZeroU32) -> bool {
        let taken = |word: u64| {
            if word & QUEUED != 0 && who == Who::Newcomer {
                return None;
            }
            let left = (word & !QUEUED).checked_sub(cost.get().into())?;
            Some(word & QUEUED | left)
        };
        self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, taken).is_ok()
    }

    fn due(&self, cost: u64) -> Instant {
        if cost <= self.free() { Instant::now() } else { self.later }
    }

    fn give_back(&self, cost: NonZeroU32) {
        self.free.fetch_add(cost.get().into(), Ordering::AcqRel);
    }

    fn set_queued(&self, queued: bool) {
        if queued {
            self.free.fetch_or(QUEUED, Ordering::AcqRel);
        } else {
            self.free.fetch_and(!QUEUED, Ordering::AcqRel);
        }
    }

    fn is_queued(&self) -> bool {
        self.free.load(Ordering::Acquire) & QUEUED != 0
    }
}

/// A task that remembers whether it was woken.
#[derive(Default)]
struct Task(AtomicBool);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl Task {
    /// Since it was last asked.
    fn was_woken(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

/// Somebody in line.
struct Somebody {
    place: Place,
    task: Arc<Task>,
}

impl Somebody {
    /// `None` if he found what he needs.
    fn joins(line: &Line<Slots>, cost: NonZeroU32) -> Option<Self> {
        let task = Arc::<Task>::default();
        let joined = line.join(cost, None, &Context::from_waker(&task.clone().into()));
        let (place, _) = joined.expect("he waits for ever")?;
        Some(Self { place, task })
    }

    fn has_come(&self, line: &Line<Slots>) -> bool {
        line.poll(&self.place, &Context::from_waker(&self.task.clone().into())) == Turn::Came
    }
}
