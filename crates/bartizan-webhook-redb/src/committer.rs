//! All that changes the file goes through one thread, which commits what waits as one group.
//!
//! It is a thread of its own, no task: a commit blocks for milliseconds, and what was taken is committed whatever becomes of the runtime that asked.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use bartizan_webhook::inbox::InboxError;
use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot, watch};
use tokio::time::Instant;

use crate::error::NotDone;
use crate::file::File;
use crate::tables::{LeaseLost, Result, Tables};

/// What becomes one commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) most: usize,
    pub(crate) wait: Duration,
}

pub(crate) struct Committer {
    pub(crate) file: Arc<File>,
    pub(crate) queue: Receiver<Box<dyn Asked>>,
    pub(crate) group: Group,
    pub(crate) changed: Arc<Notify>,
    pub(crate) commits: Arc<AtomicU64>,
    /// Dropped in the end, when the file is closed.
    pub(crate) ended: watch::Sender<()>,
}

impl Committer {
    pub(crate) fn start(self) -> io::Result<()> {
        thread::Builder::new().name("bartizan-webhook-redb".to_owned()).spawn(move || self.run()).map(drop)
    }

    fn run(self) {
        let mut expected = 1;
        while let Ok(first) = self.queue.recv() {
            let group = self.gather(first, expected);
            expected = group.len();
            self.commit(group);
        }
        self.file.close();
        drop(self.ended);
    }

    /// Takes what waits. Where the last group was larger it waits for as many again, since those who were answered then come back together; one who is alone
    /// never waits for others.
    fn gather(&self, first: Box<dyn Asked>, expected: usize) -> Vec<Box<dyn Asked>> {
        let mut group = vec![first];
        let end = Instant::now() + self.group.wait;
        while group.len() < self.group.most {
            let wait = match group.len() < expected {
                true => end.saturating_duration_since(Instant::now()),
                false => Duration::ZERO,
            };
            match self.queue.recv_timeout(wait) {
                Ok(next) => group.push(next),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        group
    }

    fn commit(&self, mut group: Vec<Box<dyn Asked>>) {
        let committed = self.file.write(|tables| group.iter_mut().try_for_each(|asked| asked.run(tables)));
        if let Ok(true) = committed {
            self.commits.fetch_add(1, Ordering::Relaxed);
            self.changed.notify_waiters();
        }
        for asked in group {
            asked.answer(committed.as_ref().map(drop));
        }
    }
}

/// Something that somebody has asked for.
pub(crate) trait Asked: Send {
    fn run(&mut self, tables: &mut Tables<'_>) -> Result<()>;

    fn answer(self: Box<Self>, committed: std::result::Result<(), &NotDone>);
}

/// What was asked for by `work`, and who waits for it.
pub(crate) struct Question<F, T> {
    pub(crate) work: Option<F>,
    pub(crate) done: Option<std::result::Result<T, LeaseLost>>,
    pub(crate) caller: oneshot::Sender<std::result::Result<T, InboxError>>,
    /// Its place in the queue.
    pub(crate) _place: OwnedSemaphorePermit,
}

impl<F, T> Asked for Question<F, T>
where
    F: FnOnce(&mut Tables<'_>) -> Result<std::result::Result<T, LeaseLost>> + Send,
    T: Send,
{
    fn run(&mut self, tables: &mut Tables<'_>) -> Result<()> {
        // A claim that nobody waits for any more would lease events to nobody.
        if self.caller.is_closed() {
            return Ok(());
        }
        let work = self.work.take().expect("it is run once");
        self.done = Some(work(tables)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: std::result::Result<(), &NotDone>) {
        let answer = match (committed, self.done) {
            (Ok(()), Some(Ok(done))) => Ok(done),
            (Ok(()), Some(Err(LeaseLost))) => Err(InboxError::lease_lost()),
            (Ok(()), None) => return,
            (Err(error), _) => Err(InboxError::unavailable(error.clone())),
        };
        // Whoever has gone meanwhile asks again.
        let _ = self.caller.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    struct Nothing;

    impl Asked for Nothing {
        fn run(&mut self, _: &mut Tables<'_>) -> Result<()> {
            Ok(())
        }

        fn answer(self: Box<Self>, _: std::result::Result<(), &NotDone>) {}
    }

    #[test]
    fn a_group_waits_for_as_many_as_the_last_one_had() {
        let (sender, queue) = mpsc::channel::<Box<dyn Asked>>();
        let opener = || redb::Builder::new().create_with_backend(redb::backends::InMemoryBackend::new());
        let path = std::path::Path::new("in memory").into();
        let committer = Committer {
            file: Arc::new(File::open(path, Box::new(opener)).expect("it works")),
            queue,
            group: Group { most: 128, wait: Duration::from_secs(600) },
            changed: Arc::default(),
            commits: Arc::default(),
            ended: watch::channel(()).0,
        };
        sender.send(Box::new(Nothing)).expect("there is a queue");
        let late = thread::spawn(move || {
            for _ in 0..1000 {
                thread::yield_now();
            }
            sender.send(Box::new(Nothing)).expect("there is a queue");
            sender
        });
        assert_eq!(committer.gather(Box::new(Nothing), 3).len(), 3);
        drop(late.join());
    }
}
