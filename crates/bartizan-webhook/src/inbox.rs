//! Events are kept until they are processed.
//!
//! An [`Inbox`] is where. bartizan-webhook-redb has one in a file; [`VolatileInbox`] is for tests, and loses what it has when the process
//! ends.

mod entry;
mod error;
mod event;
mod volatile;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use self::entry::{
    Claim, Claimed, Claims, DeadLetter, EntryId, FailedHandler, Lease, Progress, Put, Settlement, Stats,
};
pub use self::error::InboxError;
pub use self::event::{DedupeKey, Event};
pub use self::volatile::{Health, VolatileInbox};

/// What an inbox does for as long as it takes. Dropped, it may or may not be done.
pub type InboxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, InboxError>> + Send + 'a>>;

/// Keeps events from the acknowledgement until they are processed.
///
/// What an implementation has to promise beside the types is in each method's docs, and held by the tests of feature `conformance`. All that is
/// done is durable once its future is ready: the process may be killed right after.
///
/// Each event is in one of four states:
///
/// | state | it leaves it by |
/// |---|---|
/// | waiting, from the start or until a date | [`claim`](Self::claim), once it is due and no earlier event of its order key is there |
/// | leased | [`settle`](Self::settle); by time it may be claimed again |
/// | dead | [`redrive`](Self::redrive), [`drop_dead`](Self::drop_dead) |
/// | gone | never |
pub trait Inbox: Send + Sync + 'static {
    /// Keeps an event, unless one with the same [`DedupeKey`] was put within the time for which that is remembered, which is [`REMEMBERED`]
    /// where an inbox does not say otherwise, and longer as long as the event is there. The two happen as one: of any number of equal events at the
    /// same time one is kept.
    fn put(&self, event: Event) -> InboxFuture<'_, Put>;

    /// Takes events that are due, in the order in which they became so, and counts an attempt for each. A lease that has ended makes its event due at that
    /// date, and the attempt stays counted: what ends the process each time is seen by its number.
    ///
    /// Of events of one source with one order key, the first that is neither gone nor dead may be claimed, and none while another one of them is leased:
    /// if the lease has ended, that one is claimed again before an earlier one that was driven again meanwhile.
    fn claim(&self, claim: Claim) -> InboxFuture<'_, Claims>;

    /// The lease ends `duration` after `now`. One whose time is over goes on, and may be settled, if nobody has claimed the event since; if somebody has,
    /// or it was settled, the error is [`InboxError::lease_lost`].
    fn extend(&self, lease: Lease, now: SystemTime, duration: Duration) -> InboxFuture<'_, ()>;

    /// Keeps what was done so far. It does not end the lease.
    fn progress(&self, lease: Lease, progress: Progress) -> InboxFuture<'_, ()>;

    /// Ends a lease.
    fn settle(&self, lease: Lease, settlement: Settlement) -> InboxFuture<'_, ()>;

    /// The dead letters in the order of their numbers, from the one after `after` on, and `most` of them at most.
    fn dead(&self, after: Option<EntryId>, most: usize) -> InboxFuture<'_, Vec<DeadLetter>>;

    /// That dead letter, if it is one.
    fn dead_letter(&self, id: EntryId) -> InboxFuture<'_, Option<DeadLetter>>;

    /// Makes dead letters due at `now`. Attempts are counted anew, handlers that are done stay done, failures are forgotten. The numbers stay, and so does
    /// the place that they give among those with the same order key. Returns how many of them were dead.
    fn redrive(&self, ids: Vec<EntryId>, now: SystemTime) -> InboxFuture<'_, usize>;

    /// Drops dead letters for good. Returns how many of them were dead.
    fn drop_dead(&self, ids: Vec<EntryId>) -> InboxFuture<'_, usize>;

    /// How many events there are.
    fn stats(&self, now: SystemTime) -> InboxFuture<'_, Stats>;

    /// Is ready once something may be claimed that could not be before, by what was put, settled, released or driven again after this call, not after the
    /// first poll. It may be ready too often. An inbox that others write to as well does its best.
    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// For how long an inbox remembers what was put, by default: seven days. Senders try for three days (Stripe, the example of Standard Webhooks) and
/// somewhat more.
pub const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// So much after a date. What no date can tell any more becomes one that is as far away as makes no difference. For who writes an inbox.
pub fn later(date: SystemTime, mut by: Duration) -> SystemTime {
    loop {
        match date.checked_add(by) {
            Some(later) => return later,
            None => by /= 2,
        }
    }
}

impl<I: Inbox + ?Sized> Inbox for Arc<I> {
    fn put(&self, event: Event) -> InboxFuture<'_, Put> {
        (**self).put(event)
    }

    fn claim(&self, claim: Claim) -> InboxFuture<'_, Claims> {
        (**self).claim(claim)
    }

    fn extend(&self, lease: Lease, now: SystemTime, duration: Duration) -> InboxFuture<'_, ()> {
        (**self).extend(lease, now, duration)
    }

    fn progress(&self, lease: Lease, progress: Progress) -> InboxFuture<'_, ()> {
        (**self).progress(lease, progress)
    }

    fn settle(&self, lease: Lease, settlement: Settlement) -> InboxFuture<'_, ()> {
        (**self).settle(lease, settlement)
    }

    fn dead(&self, after: Option<EntryId>, most: usize) -> InboxFuture<'_, Vec<DeadLetter>> {
        (**self).dead(after, most)
    }

    fn dead_letter(&self, id: EntryId) -> InboxFuture<'_, Option<DeadLetter>> {
        (**self).dead_letter(id)
    }

    fn redrive(&self, ids: Vec<EntryId>, now: SystemTime) -> InboxFuture<'_, usize> {
        (**self).redrive(ids, now)
    }

    fn drop_dead(&self, ids: Vec<EntryId>) -> InboxFuture<'_, usize> {
        (**self).drop_dead(ids)
    }

    fn stats(&self, now: SystemTime) -> InboxFuture<'_, Stats> {
        (**self).stats(now)
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        (**self).changed()
    }
}
