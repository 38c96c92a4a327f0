//! What happens, by chance.

use std::time::Duration;

use bartizan_core::Chance;

use super::super::given::at;
use super::Step;
use super::list::List;
use crate::inbox::{EntryId, Event, FailedHandler, Lease, Progress, REMEMBERED, Settlement};

const STEPS: usize = 60;

/// No event is of a later date than that much after its step.
pub(super) const AHEAD: Duration = Duration::from_secs(2);

/// The steps that belong to a seed. Few names, keys and dates, so that they meet.
pub(super) struct History {
    chance: Chance,
    now: u64,
    left: usize,
}

impl History {
    pub(super) fn of(seed: u64) -> Self {
        Self { chance: Chance::from_seed(seed), now: 0, left: STEPS }
    }

    /// Less than that.
    fn below(&self, end: u64) -> u64 {
        self.chance.next_u64() % end
    }

    fn one_of<'a, T>(&self, all: &'a [T]) -> Option<&'a T> {
        (!all.is_empty()).then(|| &all[self.below(all.len() as u64) as usize])
    }

    pub(super) fn next(&mut self, list: &List, leases: &[Lease]) -> Option<(u64, Step)> {
        self.left = self.left.checked_sub(1)?;
        self.now += match self.below(40) {
            0 => REMEMBERED.as_secs() / 2,
            1..20 => self.below(20),
            _ => 0,
        };
        // Of the newest ones mostly, which still hold.
        let recent = &leases[leases.len().saturating_sub(4)..];
        let lease = self.one_of(if self.below(8) == 0 { leases } else { recent }).copied();
        let step = match (self.below(20), lease) {
            (0..5, _) => Step::Put(self.event()),
            (5..8, Some(lease)) => Step::Settle { lease, settlement: Settlement::Done },
            (8..11, Some(lease)) => Step::Settle { lease, settlement: self.settlement() },
            (11, Some(lease)) => Step::Extend { lease, by: self.below(40) },
            (12, Some(lease)) => Step::Progress { lease, progress: self.progress() },
            (13, _) => Step::Redrive(self.some(&list.ids())),
            (14, _) => Step::Drop(self.some(&list.ids())),
            (15, _) => {
                let after = if self.below(2) == 0 { None } else { self.one_of(&list.ids()).copied() };
                Step::Look { after, most: self.below(6) as usize }
            }
            _ => Step::Claim { lease: 1 + self.below(30), most: self.below(4) as usize },
        };
        Some((self.now, step))
    }

    fn event(&self) -> Event {
        let source = ["billing", "shop"][self.below(2) as usize];
        let body = ["{}", "[]"][self.below(2) as usize];
        // Now and then of a clock that is ahead.
        let received = at(self.now + self.below(16).saturating_sub(15 - AHEAD.as_secs()));
        let event = Event::new(source, "invoice.paid", received, body);
        let event = match self.below(3) {
            0 => event,
            _ => event.with_id(format!("evt_{}", self.below(30)), self.below(2) == 0),
        };
        match self.below(4) {
            key @ 0..2 => event.with_order_key(format!("customer {key}")),
            _ => event,
        }
    }

    fn settlement(&self) -> Settlement {
        let progress = self.progress();
        match self.below(4) {
            0 => Settlement::release(progress),
            1 => Settlement::retry(at(self.now + self.below(30)), progress),
            _ => Settlement::dead(at(self.now), format!("reason {}", self.below(9)), progress),
        }
    }

    fn progress(&self) -> Progress {
        let name = |n| format!("handler {n}");
        let failed = |n| FailedHandler { name: name(n), error: format!("error {n}"), is_permanent: n == 1 };
        Progress {
            done: (0..self.below(3)).map(name).collect(),
            failed: (0..self.below(3)).map(failed).collect(),
        }
    }

    fn some(&self, ids: &[EntryId]) -> Vec<EntryId> {
        (0..self.below(4)).filter_map(|_| self.one_of(ids).copied()).collect()
    }
}
