//! Random histories, held against an inbox that is a plain list.

mod history;
mod list;

use std::fmt::Write;

use self::history::History;
use self::list::{List, Remembered};
use super::given::at;
use crate::inbox::{Claim, Inbox, InboxError, Lease, Put};

/// Runs that many histories, or as many as `INBOX_HISTORIES` in the environment says, each in an inbox of its own, and shows the steps of the first that goes otherwise.
///
/// # Panics
///
/// If one does.
pub async fn histories<I: Inbox>(histories: u64, mut make: impl AsyncFnMut() -> I) {
    let histories =
        std::env::var("INBOX_HISTORIES").map_or(histories, |number| number.parse().expect("a number"));
    for seed in 0..histories {
        let mut run = Run::default();
        if let Err(fault) = run.all(&make().await, History::of(seed)).await {
            panic!("seed {seed}: {fault}\n{}", run.steps);
        }
    }
}

/// What is done.
#[derive(Clone, Debug)]
enum Step {
    Put(crate::inbox::Event),
    Claim { lease: u64, most: usize },
    Extend { lease: Lease, by: u64 },
    Progress { lease: Lease, progress: crate::inbox::Progress },
    Settle { lease: Lease, settlement: crate::inbox::Settlement },
    Redrive(Vec<crate::inbox::EntryId>),
    Drop(Vec<crate::inbox::EntryId>),
    Look { after: Option<crate::inbox::EntryId>, most: usize },
}

#[derive(Default)]
struct Run {
    list: List,
    /// All that were ever given out.
    leases: Vec<Lease>,
    steps: String,
}

impl Run {
    async fn all(&mut self, inbox: &impl Inbox, mut history: History) -> Result<(), String> {
        while let Some((now, step)) = history.next(&self.list, &self.leases) {
            writeln!(self.steps, "{now:>9}  {step:?}").expect("a string takes it");
            self.one(inbox, now, step).await?;
        }
        Ok(())
    }

    async fn one(&mut self, inbox: &impl Inbox, now: u64, step: Step) -> Result<(), String> {
        let list = &mut self.list;
        match step {
            Step::Put(event) => match (inbox.put(event.clone()).await, list.remembers(&event)) {
                (Ok(Put::New(id)), Remembered::No | Remembered::Perhaps) => list.put(id, event),
                (Ok(Put::Duplicate), Remembered::Yes | Remembered::Perhaps) => Ok(()),
                (put, remembered) => Err(format!("{put:?}, but remembered: {remembered:?}")),
            },
            Step::Claim { lease, most } => {
                let claim = Claim { now: at(now), lease: std::time::Duration::from_secs(lease), most };
                let claims = inbox.claim(claim).await.map_err(|error| format!("{error:?}"))?;
                self.leases.extend(claims.claimed.iter().map(|claimed| claimed.lease));
                list.claim(claim, claims)
            }
            Step::Extend { lease, by } => {
                let by = std::time::Duration::from_secs(by);
                let extended = inbox.extend(lease, at(now), by).await;
                same(lost(extended)?, list.extend(lease, at(now) + by))
            }
            Step::Progress { lease, progress } => {
                same(lost(inbox.progress(lease, progress.clone()).await)?, list.progress(lease, progress))
            }
            Step::Settle { lease, settlement } => {
                same(lost(inbox.settle(lease, settlement.clone()).await)?, list.settle(lease, settlement))
            }
            Step::Redrive(ids) => {
                let driven =
                    inbox.redrive(ids.clone(), at(now)).await.map_err(|error| format!("{error:?}"))?;
                same(driven, list.redrive(&ids, at(now)))
            }
            Step::Drop(ids) => {
                let dropped = inbox.drop_dead(ids.clone()).await.map_err(|error| format!("{error:?}"))?;
                same(dropped, list.drop_dead(&ids))
            }
            Step::Look { after, most } => {
                let dead = inbox.dead(after, most).await.map_err(|error| format!("{error:?}"))?;
                same(dead, list.dead(after, most))?;
                let stats = inbox.stats(at(now)).await.map_err(|error| format!("{error:?}"))?;
                list.counts(at(now), stats)
            }
        }
    }
}

/// Whether the lease was lost.
fn lost(result: Result<(), InboxError>) -> Result<bool, String> {
    match result {
        Ok(()) => Ok(false),
        Err(error) if error.is_lease_lost() => Ok(true),
        Err(error) => Err(format!("{error:?}")),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(inbox: T, model: T) -> Result<(), String> {
    if inbox == model { Ok(()) } else { Err(format!("the inbox: {inbox:?}\nthe model: {model:?}")) }
}
