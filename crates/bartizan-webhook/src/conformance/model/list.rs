//! The docs of [`Inbox`](crate::inbox::Inbox), read literally: all that was ever put, in one list.

use std::collections::HashMap;
use std::time::SystemTime;

use super::history::AHEAD;
use super::same;
use crate::inbox::{
    Claim, Claims, DeadLetter, DedupeKey, EntryId, Event, Lease, Progress, REMEMBERED, Settlement, Stats,
};

#[derive(Default)]
pub(super) struct List {
    entries: Vec<Entry>,
    /// When it was put for the last time, and its number.
    put: HashMap<DedupeKey, (SystemTime, EntryId)>,
    last_token: u64,
}

struct Entry {
    id: EntryId,
    event: Event,
    state: State,
    attempts: u32,
    redriven: u32,
    progress: Progress,
}

#[derive(Clone, PartialEq)]
enum State {
    Waiting(SystemTime),
    Leased(SystemTime, u64),
    Dead(SystemTime, String),
    Gone,
}

#[derive(Debug)]
pub(super) enum Remembered {
    Yes,
    No,
    /// Its time is over, but it may have been there when that was looked at.
    Perhaps,
}

impl List {
    pub(super) fn remembers(&self, event: &Event) -> Remembered {
        let Some(&(put, id)) = event.dedupe_key().and_then(|key| self.put.get(&key)) else {
            return Remembered::No;
        };
        let is_there = self.entries.iter().any(|entry| entry.id == id && entry.state != State::Gone);
        if is_there || event.received() < put + REMEMBERED { Remembered::Yes } else { Remembered::Perhaps }
    }

    pub(super) fn put(&mut self, id: EntryId, event: Event) -> Result<(), String> {
        if self.entries.last().is_some_and(|last| id <= last.id) {
            return Err(format!("{id} is no new number"));
        }
        event.dedupe_key().map(|key| self.put.insert(key, (event.received(), id)));
        let state = State::Waiting(event.received());
        self.entries.push(Entry {
            id,
            event,
            state,
            attempts: 0,
            redriven: 0,
            progress: Progress::default(),
        });
        Ok(())
    }

    /// Those that may be claimed at their date: their place in the list, and the date.
    fn turns(&self) -> impl Iterator<Item = (SystemTime, usize)> {
        self.entries.iter().enumerate().filter_map(|(place, entry)| {
            let (State::Waiting(date) | State::Leased(date, _)) = entry.state else { return None };
            let Some(key) = entry.event.order_key() else { return Some((date, place)) };
            let mut lane = self.entries.iter().filter(|other| {
                (other.event.source(), other.event.order_key()) == (entry.event.source(), Some(key))
            });
            let leased = lane.clone().find(|other| matches!(other.state, State::Leased(..)));
            let first = leased.or_else(|| lane.find(|other| matches!(other.state, State::Waiting(_))));
            (first?.id == entry.id).then_some((date, place))
        })
    }

    pub(super) fn claim(&mut self, claim: Claim, claims: Claims) -> Result<(), String> {
        let mut claimed = claims.claimed.into_iter();
        for _ in 0..claim.most {
            let Some((_, place)) = self.turns().filter(|(date, _)| *date <= claim.now).min() else { break };
            let entry = &mut self.entries[place];
            let Some(claimed) = claimed.next() else { return Err(format!("{} is due", entry.id)) };
            if claimed.lease.token <= self.last_token {
                return Err(format!("{:?} follows {}", claimed.lease, self.last_token));
            }
            self.last_token = claimed.lease.token;
            entry.attempts += 1;
            entry.state = State::Leased(claim.now + claim.lease, claimed.lease.token);
            same(
                (claimed.lease.id, claimed.attempt, &claimed.progress),
                (entry.id, entry.attempts, &entry.progress),
            )?;
            same(&claimed.event, &entry.event)?;
        }
        same(claimed.next().map(|claimed| claimed.lease.id), None)?;
        same(claims.next, self.turns().min().map(|(date, _)| date))
    }

    fn leased(&mut self, lease: Lease) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| {
            entry.id == lease.id && matches!(entry.state, State::Leased(_, token) if token == lease.token)
        })
    }

    /// This and the next two: whether the lease was lost.
    pub(super) fn extend(&mut self, lease: Lease, until: SystemTime) -> bool {
        self.leased(lease).map(|entry| entry.state = State::Leased(until, lease.token)).is_none()
    }

    pub(super) fn progress(&mut self, lease: Lease, progress: Progress) -> bool {
        self.leased(lease).map(|entry| entry.progress = progress).is_none()
    }

    pub(super) fn settle(&mut self, lease: Lease, settlement: Settlement) -> bool {
        let Some(entry) = self.leased(lease) else { return true };
        match settlement {
            Settlement::Done => entry.state = State::Gone,
            Settlement::Retry { at, progress } => {
                (entry.state, entry.progress) = (State::Waiting(at), progress);
            }
            Settlement::Release { progress } => {
                (entry.state, entry.progress) = (State::Waiting(entry.event.received()), progress);
                entry.attempts -= 1;
            }
            Settlement::Dead { at, reason, progress } => {
                (entry.state, entry.progress) = (State::Dead(at, reason), progress);
            }
        }
        false
    }

    /// Those of the numbers that are dead, each once.
    fn dead_of(&mut self, ids: &[EntryId]) -> impl Iterator<Item = &mut Entry> {
        let dead = self.entries.iter_mut().filter(|entry| matches!(entry.state, State::Dead(..)));
        dead.filter(|entry| ids.contains(&entry.id))
    }

    pub(super) fn redrive(&mut self, ids: &[EntryId], now: SystemTime) -> usize {
        let driven = self.dead_of(ids).map(|entry| {
            entry.state = State::Waiting(now);
            entry.attempts = 0;
            entry.redriven += 1;
            entry.progress.failed = Vec::new();
        });
        driven.count()
    }

    pub(super) fn drop_dead(&mut self, ids: &[EntryId]) -> usize {
        self.dead_of(ids).map(|entry| entry.state = State::Gone).count()
    }

    pub(super) fn dead(&self, after: Option<EntryId>, most: usize) -> Vec<DeadLetter> {
        let letters = self.entries.iter().filter_map(|entry| {
            let State::Dead(died, reason) = &entry.state else { return None };
            Some(DeadLetter {
                id: entry.id,
                event: entry.event.clone(),
                died: *died,
                reason: reason.clone(),
                attempts: entry.attempts,
                redriven: entry.redriven,
                progress: entry.progress.clone(),
            })
        });
        letters.filter(|letter| after.is_none_or(|after| letter.id > after)).take(most).collect()
    }

    /// Numbers that were given out.
    pub(super) fn ids(&self) -> Vec<EntryId> {
        self.entries.iter().map(|entry| entry.id).collect()
    }

    pub(super) fn counts(&self, now: SystemTime, stats: Stats) -> Result<(), String> {
        let count = |is_one: &dyn Fn(&State) -> bool| {
            self.entries.iter().filter(|entry| is_one(&entry.state)).count() as u64
        };
        let alive = |entry: &&Entry| matches!(entry.state, State::Waiting(_) | State::Leased(..));
        let model = (
            count(&|state| matches!(state, State::Waiting(date) | State::Leased(date, _) if *date <= now)),
            count(&|state| matches!(state, State::Waiting(date) if *date > now)),
            count(&|state| matches!(state, State::Leased(date, _) if *date > now)),
            count(&|state| matches!(state, State::Dead(..))),
            self.entries.iter().filter(alive).map(|entry| entry.event.received()).min(),
        );
        same((stats.ready, stats.waiting, stats.leased, stats.dead, stats.oldest), model)?;
        // The clock of what was put last may have been ahead.
        let least = self.put.values().filter(|(put, _)| now + AHEAD < *put + REMEMBERED).count();
        if (least..=self.put.len()).contains(&(stats.remembered as usize)) {
            return Ok(());
        }
        Err(format!("{} are remembered, of {least} to {}", stats.remembered, self.put.len()))
    }
}
