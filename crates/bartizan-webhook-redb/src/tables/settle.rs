use bartizan_webhook::inbox::{EntryId, Lease, Progress, Settlement};
use redb::ReadableTable;

use super::{Result, Tables};
use crate::date::Date;
use crate::record::{Entry, State};

/// The event is somebody else's by now, or settled.
#[derive(Debug)]
pub(crate) struct LeaseLost;

type Leased<T> = Result<std::result::Result<T, LeaseLost>>;

impl Tables<'_> {
    fn leased(&self, lease: Lease) -> Leased<Entry> {
        let entry = self.readable(lease.id)?;
        let leased =
            entry.filter(|entry| matches!(entry.state, State::Leased { token, .. } if token == lease.token));
        Ok(leased.ok_or(LeaseLost))
    }

    pub(crate) fn extend(&mut self, lease: Lease, until: Date) -> Leased<()> {
        let mut entry = match self.leased(lease)? {
            Ok(entry) => entry,
            Err(lost) => return Ok(Err(lost)),
        };
        let before = entry.state.date();
        entry.state = State::Leased { until, token: lease.token };
        self.change(lease.id, &entry, before).map(Ok)
    }

    pub(crate) fn progress(&mut self, lease: Lease, progress: Progress) -> Leased<()> {
        let entry = match self.leased(lease)? {
            Ok(entry) => entry,
            Err(lost) => return Ok(Err(lost)),
        };
        self.save(lease.id, &Entry { progress, ..entry }).map(Ok)
    }

    pub(crate) fn settle(&mut self, lease: Lease, settlement: Settlement) -> Leased<()> {
        let mut entry = match self.leased(lease)? {
            Ok(entry) => entry,
            Err(lost) => return Ok(Err(lost)),
        };
        let before = entry.state.date();
        match settlement {
            Settlement::Done => return self.take_out(lease.id, &entry).map(Ok),
            Settlement::Retry { at, progress, .. } => {
                entry.state = State::Waiting { due: at.into() };
                entry.progress = progress;
            }
            Settlement::Release { progress, .. } => {
                // Due since it was received: before all that came later.
                entry.state = State::Waiting { due: entry.received };
                entry.progress = progress;
                entry.attempts = entry.attempts.saturating_sub(1);
            }
            Settlement::Dead { at, reason, progress, .. } => {
                self.dead.insert(lease.id.get(), ())?;
                entry.state = State::Dead { died: at.into(), reason };
                entry.progress = progress;
            }
            // One that this code does not know. The lease ends by itself, and nothing is lost.
            _ => return Ok(Err(LeaseLost)),
        }
        self.change(lease.id, &entry, before).map(Ok)
    }

    pub(crate) fn redrive(&mut self, ids: &[EntryId], now: Date) -> Result<usize> {
        let mut driven = 0;
        for id in ids {
            if self.dead.get(id.get())?.is_none() {
                continue;
            }
            let Some(mut entry) = self.readable(*id)? else { continue };
            self.dead.remove(id.get())?;
            entry.state = State::Waiting { due: now };
            entry.attempts = 0;
            entry.redriven = entry.redriven.saturating_add(1);
            entry.progress.failed.clear();
            self.change(*id, &entry, None)?;
            driven += 1;
        }
        Ok(driven)
    }

    pub(crate) fn drop_dead(&mut self, ids: &[EntryId]) -> Result<usize> {
        let mut dropped = 0;
        for id in ids {
            if self.dead.remove(id.get())?.is_some() {
                self.remove(*id)?;
                dropped += 1;
            }
        }
        Ok(dropped)
    }
}
