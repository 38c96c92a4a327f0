//! An inbox that does what a script says, a record of what a processor tells, and a clock that follows paused time.

use std::collections::HashMap;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use bartizan_core::{Chance, WallClock};
use tokio::time::{Instant, sleep};

use crate::inbox::{
    Claim, Claims, DeadLetter, EntryId, Event, Inbox, InboxError, InboxFuture, Lease, Progress, Put,
    Settlement, Stats, VolatileInbox,
};
use crate::processor::{Processor, ProcessorBuilder, Schedule, Told};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// When paused time begins.
pub(crate) fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// Which follows paused time from `began` on.
pub(crate) fn clock(began: Instant) -> WallClock {
    WallClock::from_fn(move || start() + began.elapsed())
}

/// Received now, if nothing else was done with the clock.
pub(crate) fn event(event_type: &str) -> Event {
    Event::new("billing", event_type, start(), "{}")
}

/// A processor without jitter, whose clock follows paused time.
pub(crate) fn builder() -> ProcessorBuilder {
    Processor::builder().schedule(schedule()).wall_clock(clock(Instant::now())).chance(Chance::from_seed(7))
}

/// 5 s, 30 s, and so on.
pub(crate) fn schedule() -> Schedule {
    Schedule::default().jitter(0.0).expect("zero is a part")
}

/// What was told, one line each, with the seconds since the start.
#[derive(Clone)]
pub(crate) struct Record {
    began: Instant,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Record {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), lines: Arc::default() }
    }

    /// It shows the start when the record was made.
    pub(crate) fn clock(&self) -> WallClock {
        clock(self.began)
    }

    pub(crate) fn note(&self, line: impl Into<String>) {
        let at = self.began.elapsed().as_secs_f64();
        self.lines.lock().unwrap().push(format!("{} {}", (at * 10.0).round() / 10.0, line.into()));
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }

    /// A hook that writes into it.
    pub(crate) fn hook(&self) -> impl Fn(&Told<'_>) + Send + Sync + 'static {
        let record = self.clone();
        move |told| record.note(line(told))
    }
}

fn line(told: &Told<'_>) -> String {
    match told {
        Told::Claimed { id, attempt, .. } => format!("claimed {id} attempt {attempt}"),
        Told::HandlerFailed { handler, failure, .. } => format!("{handler} failed: {failure}"),
        Told::Unhandled { id, .. } => format!("unhandled {id}"),
        Told::Done { id, .. } => format!("done {id}"),
        Told::Retried { id, at, .. } => {
            format!("retried {id} at {}", at.duration_since(start()).unwrap().as_secs())
        }
        Told::Dead { id, reason, .. } => format!("dead {id}: {reason}"),
        Told::Released { id, .. } => format!("released {id}"),
        Told::LeaseLost { id, .. } => format!("lost {id}"),
        Told::InboxFailed { asked, again_in, .. } => {
            format!(
                "inbox failed: {} {}",
                asked.as_str(),
                if again_in.is_some() { "again" } else { "given up" }
            )
        }
    }
}

/// Runs a processor for `duration`, then drops it.
pub(crate) async fn run_for(processor: &Processor, inbox: &Scripted, duration: Duration) {
    let run = processor.clone().run(inbox.clone(), pending());
    let _ = tokio::time::timeout(duration, run).await;
    settle().await;
}

/// Time goes by and nobody is polled, as where a handler blocks its thread.
pub(crate) async fn block_for(duration: Duration) {
    let mut advance = pin!(tokio::time::advance(duration));
    // It sets the clock in its first poll, and yields then.
    poll_fn(|cx| {
        let _ = advance.as_mut().poll(cx);
        Poll::Ready(())
    })
    .await;
}

/// What was aborted is dropped.
pub(crate) async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

/// What an inbox does instead of what it was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Nothing, and an error.
    Fails,
    /// What it was asked for, and an error.
    DoesAndFails,
    /// Nothing.
    Hangs,
    /// What it was asked for, and says nothing.
    DoesAndHangs,
    /// Says so.
    LeaseLost,
    /// What it was asked for, after ten seconds.
    IsSlow,
    /// What it was asked for, after half a second.
    IsLate,
}

/// In memory, with faults.
#[derive(Clone, Default)]
pub(crate) struct Scripted {
    pub(crate) inner: VolatileInbox,
    /// It never says that it has changed.
    is_silent: bool,
    faults: Arc<Mutex<HashMap<&'static str, Vec<Fault>>>>,
    calls: Arc<Mutex<HashMap<&'static str, usize>>>,
}

impl Scripted {
    pub(crate) fn silent() -> Self {
        Self { is_silent: true, ..Self::default() }
    }

    /// The next calls of that method meet these faults.
    pub(crate) fn fault(&self, method: &'static str, faults: impl IntoIterator<Item = Fault>) {
        let mut faults: Vec<_> = faults.into_iter().collect();
        faults.reverse();
        self.faults.lock().unwrap().insert(method, faults);
    }

    pub(crate) fn calls(&self, method: &'static str) -> usize {
        self.calls.lock().unwrap().get(method).copied().unwrap_or_default()
    }

    pub(crate) async fn put(&self, event: Event) -> EntryId {
        match self.inner.put(event).await.unwrap() {
            Put::New(id) => id,
            Put::Duplicate => panic!("a duplicate"),
        }
    }

    pub(crate) async fn stats(&self) -> Stats {
        self.inner.stats(start()).await.unwrap()
    }

    pub(crate) async fn letters(&self) -> Vec<DeadLetter> {
        self.inner.dead(None, 1000).await.unwrap()
    }

    fn with_fault<'a, T: Send + 'a>(
        &self,
        method: &'static str,
        work: impl FnOnce() -> InboxFuture<'a, T> + Send + 'a,
    ) -> InboxFuture<'a, T> {
        *self.calls.lock().unwrap().entry(method).or_default() += 1;
        let fault = self.faults.lock().unwrap().get_mut(method).and_then(Vec::pop);
        Box::pin(async move {
            match fault {
                None => work().await,
                Some(Fault::Fails) => Err(InboxError::unavailable("the disk is full")),
                Some(Fault::DoesAndFails) => {
                    work().await?;
                    Err(InboxError::unavailable("the answer was lost"))
                }
                Some(Fault::Hangs) => pending().await,
                Some(Fault::DoesAndHangs) => {
                    work().await?;
                    pending().await
                }
                Some(Fault::LeaseLost) => Err(InboxError::lease_lost()),
                Some(Fault::IsLate) => {
                    sleep(SECOND / 2).await;
                    work().await
                }
                Some(Fault::IsSlow) => {
                    sleep(10 * SECOND).await;
                    work().await
                }
            }
        })
    }
}

impl Inbox for Scripted {
    fn put(&self, event: Event) -> InboxFuture<'_, Put> {
        self.inner.put(event)
    }

    fn claim(&self, claim: Claim) -> InboxFuture<'_, Claims> {
        self.with_fault("claim", move || self.inner.claim(claim))
    }

    fn extend(&self, lease: Lease, now: SystemTime, duration: Duration) -> InboxFuture<'_, ()> {
        self.with_fault("extend", move || self.inner.extend(lease, now, duration))
    }

    fn progress(&self, lease: Lease, progress: Progress) -> InboxFuture<'_, ()> {
        self.with_fault("progress", move || self.inner.progress(lease, progress))
    }

    fn settle(&self, lease: Lease, settlement: Settlement) -> InboxFuture<'_, ()> {
        self.with_fault("settle", move || self.inner.settle(lease, settlement))
    }

    fn dead(&self, after: Option<EntryId>, most: usize) -> InboxFuture<'_, Vec<DeadLetter>> {
        self.with_fault("dead", move || self.inner.dead(after, most))
    }

    fn dead_letter(&self, id: EntryId) -> InboxFuture<'_, Option<DeadLetter>> {
        self.inner.dead_letter(id)
    }

    fn redrive(&self, ids: Vec<EntryId>, now: SystemTime) -> InboxFuture<'_, usize> {
        self.with_fault("redrive", move || self.inner.redrive(ids, now))
    }

    fn drop_dead(&self, ids: Vec<EntryId>) -> InboxFuture<'_, usize> {
        self.inner.drop_dead(ids)
    }

    fn stats(&self, now: SystemTime) -> InboxFuture<'_, Stats> {
        self.inner.stats(now)
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        if self.is_silent { Box::pin(pending()) } else { self.inner.changed() }
    }
}
