use std::fmt;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bartizan_webhook::inbox::{
    Claim, Claims, DeadLetter, EntryId, Event, Inbox, InboxError, InboxFuture, Lease, Progress, Put,
    Settlement, Stats, later,
};
use redb::ReadTransaction;
use tokio::sync::{Notify, Semaphore, oneshot, watch};

use crate::Builder;
use crate::committer::{Asked, Question};
use crate::error::{NotDone, OpenError};
use crate::file::File;
use crate::tables::{self, LeaseLost, Result, Tables};

/// An event as long as a third of what the file could take. Receivers bound bodies far below that.
const LONGEST: usize = 1 << 30;

/// An [`Inbox`] in one file. Clones share it, and the last one closes it.
#[derive(Clone)]
pub struct RedbInbox(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) file: Arc<File>,
    pub(crate) remembered: Duration,
    /// None once it is closed.
    pub(crate) queue: Mutex<Option<Sender<Box<dyn Asked>>>>,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) changed: Arc<Notify>,
    pub(crate) commits: Arc<AtomicU64>,
    pub(crate) ended: watch::Receiver<()>,
}

impl RedbInbox {
    /// Opens the file at `path`, which is made if there is none. Blocks until it is read, and mended if the process was killed: milliseconds.
    ///
    /// # Errors
    ///
    /// If another process has it open, if it is damaged or no inbox, or of a newer format.
    pub fn open(path: impl AsRef<Path>) -> std::result::Result<Self, OpenError> {
        Self::builder().open(path)
    }

    /// For other than the defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Commits what was asked for so far, and closes the file: once the future is ready it may be opened again. What is asked of any clone from then
    /// on fails.
    pub async fn close(self) {
        drop(self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let mut ended = self.0.ended.clone();
        // Nothing is ever sent: it ends.
        let _ = ended.changed().await;
    }

    /// How many transactions were committed since it was opened. That is fewer than there were puts, claims and settlements, if several came at once.
    pub fn commits(&self) -> u64 {
        self.0.commits.load(Ordering::Relaxed)
    }

    /// Has something done by the committer.
    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tables<'_>) -> Result<std::result::Result<T, LeaseLost>> + Send + 'static,
    ) -> InboxFuture<'_, T> {
        Box::pin(async move {
            let closed = || InboxError::unavailable(NotDone::Closed(self.0.file.path().clone()));
            let place = self.0.places.clone().acquire_owned().await.expect("it is never closed");
            let (caller, answer) = oneshot::channel();
            let question = Question { work: Some(work), done: None, caller, _place: place };
            match &*self.0.queue.lock().unwrap_or_else(PoisonError::into_inner) {
                // The committer goes on for as long as there is this sender.
                Some(queue) => queue.send(Box::new(question)).map_err(|_| closed())?,
                None => return Err(closed()),
            }
            answer.await.unwrap_or_else(|_| Err(closed()))
        })
    }

    /// Reads beside the committer, on a thread that may block.
    fn look<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T> + Send + 'static,
    ) -> InboxFuture<'_, T> {
        Box::pin(async move {
            let file = self.0.file.clone();
            let read = tokio::task::spawn_blocking(move || file.read(read)).await;
            read.map_err(InboxError::unavailable)?.map_err(InboxError::unavailable)
        })
    }
}

impl Inbox for RedbInbox {
    fn put(&self, event: Event) -> InboxFuture<'_, Put> {
        let remembered = self.0.remembered;
        if event.body().len() > LONGEST {
            let error = NotDone::TooLong(self.0.file.path().clone(), event.body().len());
            return Box::pin(std::future::ready(Err(InboxError::unavailable(error))));
        }
        self.ask(move |tables| tables.put(&event, remembered).map(Ok))
    }

    fn claim(&self, claim: Claim) -> InboxFuture<'_, Claims> {
        self.ask(move |tables| tables.claim(claim).map(Ok))
    }

    fn extend(&self, lease: Lease, now: SystemTime, duration: Duration) -> InboxFuture<'_, ()> {
        self.ask(move |tables| tables.extend(lease, later(now, duration).into()))
    }

    fn progress(&self, lease: Lease, progress: Progress) -> InboxFuture<'_, ()> {
        self.ask(move |tables| tables.progress(lease, progress))
    }

    fn settle(&self, lease: Lease, settlement: Settlement) -> InboxFuture<'_, ()> {
        self.ask(move |tables| tables.settle(lease, settlement))
    }

    fn dead(&self, after: Option<EntryId>, most: usize) -> InboxFuture<'_, Vec<DeadLetter>> {
        self.look(move |transaction| tables::dead(transaction, after, most))
    }

    fn dead_letter(&self, id: EntryId) -> InboxFuture<'_, Option<DeadLetter>> {
        self.look(move |transaction| tables::dead_letter(transaction, id))
    }

    fn redrive(&self, ids: Vec<EntryId>, now: SystemTime) -> InboxFuture<'_, usize> {
        self.ask(move |tables| tables.redrive(&ids, now.into()).map(Ok))
    }

    fn drop_dead(&self, ids: Vec<EntryId>) -> InboxFuture<'_, usize> {
        self.ask(move |tables| tables.drop_dead(&ids).map(Ok))
    }

    fn stats(&self, now: SystemTime) -> InboxFuture<'_, Stats> {
        self.look(move |transaction| tables::stats(transaction, now))
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.0.changed.notified())
    }
}

impl fmt::Debug for RedbInbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbInbox").field("path", self.0.file.path()).finish_non_exhaustive()
    }
}
