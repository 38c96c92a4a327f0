mod kept;

use std::fmt;
use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;

use self::kept::Kept;
use super::{
    Claim, Claims, DeadLetter, EntryId, Event, Inbox, InboxError, InboxFuture, Lease, Progress, Put,
    Settlement, Stats, later,
};
use crate::trace;

/// An inbox for tests, in memory. **What it keeps is lost when the process ends, though it was acknowledged.**
///
/// Clones share what they keep.
#[derive(Clone, Default)]
pub struct VolatileInbox(Arc<Shared>);

#[derive(Default)]
struct Shared {
    kept: Mutex<Kept>,
    changed: Notify,
    health: Mutex<Health>,
}

/// What a [`VolatileInbox`] does with what it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// It does it.
    #[default]
    Up,
    /// It fails, and does nothing.
    Fails,
    /// It neither does it nor answers.
    Hangs,
}

impl VolatileInbox {
    /// An empty one. With feature `tracing` it says in a warning what it is.
    pub fn new() -> Self {
        trace::volatile();
        Self::default()
    }

    /// For tests of what happens when the inbox is down. [`Health::Up`] by default.
    pub fn set_health(&self, health: Health) {
        *self.0.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics under it.
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Kept) -> Result<T, InboxError>,
    ) -> InboxFuture<'_, T> {
        match *self.0.health.lock().unwrap_or_else(PoisonError::into_inner) {
            Health::Up => Box::pin(ready(act(&mut self.kept()))),
            Health::Fails => {
                Box::pin(ready(Err(InboxError::unavailable("the volatile inbox is told to fail"))))
            }
            Health::Hangs => Box::pin(pending()),
        }
    }

    /// The same, for what may make something claimable.
    fn changing<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Kept) -> Result<T, InboxError>,
    ) -> InboxFuture<'_, T> {
        let future = self.asked(act);
        self.0.changed.notify_waiters();
        future
    }
}

impl Inbox for VolatileInbox {
    fn put(&self, event: Event) -> InboxFuture<'_, Put> {
        self.changing(|kept| Ok(kept.put(event)))
    }

    fn claim(&self, claim: Claim) -> InboxFuture<'_, Claims> {
        self.asked(|kept| Ok(kept.claim(claim)))
    }

    fn extend(&self, lease: Lease, now: SystemTime, duration: Duration) -> InboxFuture<'_, ()> {
        self.asked(|kept| kept.extend(lease, later(now, duration)))
    }

    fn progress(&self, lease: Lease, progress: Progress) -> InboxFuture<'_, ()> {
        self.asked(|kept| kept.leased(lease).map(|entry| entry.progress = progress))
    }

    fn settle(&self, lease: Lease, settlement: Settlement) -> InboxFuture<'_, ()> {
        self.changing(|kept| kept.settle(lease, settlement))
    }

    fn dead(&self, after: Option<EntryId>, most: usize) -> InboxFuture<'_, Vec<DeadLetter>> {
        self.asked(|kept| Ok(kept.dead(after, most)))
    }

    fn dead_letter(&self, id: EntryId) -> InboxFuture<'_, Option<DeadLetter>> {
        self.asked(|kept| Ok(kept.dead_letter(id)))
    }

    fn redrive(&self, ids: Vec<EntryId>, now: SystemTime) -> InboxFuture<'_, usize> {
        self.changing(|kept| Ok(kept.redrive(&ids, now)))
    }

    fn drop_dead(&self, ids: Vec<EntryId>) -> InboxFuture<'_, usize> {
        self.asked(|kept| Ok(kept.drop_dead(&ids)))
    }

    fn stats(&self, now: SystemTime) -> InboxFuture<'_, Stats> {
        self.asked(|kept| Ok(kept.stats(now)))
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.0.changed.notified())
    }
}

impl fmt::Debug for VolatileInbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept();
        f.debug_struct("VolatileInbox").field("entries", &kept.len()).finish()
    }
}
