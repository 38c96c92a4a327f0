//! What a [`VolatileInbox`](super::VolatileInbox) keeps, without lock or future.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::SystemTime;

use crate::inbox::{
    Claim, Claimed, Claims, DeadLetter, DedupeKey, EntryId, Event, InboxError, Lease, Progress, Put,
    REMEMBERED, Settlement, Stats, later,
};

#[derive(Default)]
pub(super) struct Kept {
    entries: BTreeMap<EntryId, Entry>,
    /// What may be claimed, and when: all that is waiting or leased, but of each lane one entry.
    due: BTreeSet<(SystemTime, EntryId)>,
    lanes: HashMap<LaneKey, Lane>,
    seen: HashMap<DedupeKey, EntryId>,
    /// When what was seen may be forgotten.
    forget: BTreeSet<(SystemTime, DedupeKey)>,
    last_id: u64,
    last_token: u64,
}

/// Source and order key.
type LaneKey = (String, String);

/// The entries of one order key that are neither gone nor dead.
#[derive(Default)]
struct Lane {
    ids: BTreeSet<EntryId>,
    /// The one of them that is in [`Kept::due`].
    turn: Option<(SystemTime, EntryId)>,
}

pub(super) struct Entry {
    event: Event,
    state: State,
    attempts: u32,
    redriven: u32,
    pub(super) progress: Progress,
}

enum State {
    Waiting { due: SystemTime },
    Leased { until: SystemTime, token: u64 },
    Dead { died: SystemTime, reason: String },
}

impl State {
    fn date(&self) -> Option<SystemTime> {
        match self {
            Self::Waiting { due } => Some(*due),
            Self::Leased { until, .. } => Some(*until),
            Self::Dead { .. } => None,
        }
    }
}

impl Kept {
    pub(super) fn put(&mut self, event: Event) -> Put {
        let now = event.received();
        self.forget(now);
        let id = EntryId::new(self.last_id + 1);
        if let Some(key) = event.dedupe_key() {
            if self.seen.contains_key(&key) {
                return Put::Duplicate;
            }
            self.seen.insert(key, id);
            self.forget.insert((later(now, REMEMBERED), key));
        }
        self.last_id = id.get();
        let state = State::Waiting { due: now };
        let entry = Entry { event, state, attempts: 0, redriven: 0, progress: Progress::default() };
        self.entries.insert(id, entry);
        self.moved(id, None);
        Put::New(id)
    }

    /// What is still there is remembered for as long again.
    fn forget(&mut self, now: SystemTime) {
        let mut over = Vec::new();
        while let Some(&(date, key)) = self.forget.first().filter(|(date, _)| *date <= now) {
            self.forget.remove(&(date, key));
            over.push(key);
        }
        for key in over {
            if self.seen.get(&key).is_some_and(|id| self.entries.contains_key(id)) {
                self.forget.insert((later(now, REMEMBERED), key));
            } else {
                self.seen.remove(&key);
            }
        }
    }

    pub(super) fn claim(&mut self, claim: Claim) -> Claims {
        let mut claimed = Vec::new();
        let tokens_before = self.last_token;
        while claimed.len() < claim.most {
            let Some(&(_, id)) = self.due.first().filter(|(date, _)| *date <= claim.now) else { break };
            let token = self.last_token + 1;
            let entry = self.entries.get_mut(&id).expect("what is due is there");
            let before = entry.state.date();
            if matches!(entry.state, State::Leased { token, .. } if token > tokens_before) {
                // A lease of no time has ended already.
                break;
            }
            entry.state = State::Leased { until: later(claim.now, claim.lease), token };
            entry.attempts = entry.attempts.saturating_add(1);
            self.last_token = token;
            claimed.push(Claimed {
                lease: Lease { id, token },
                event: entry.event.clone(),
                attempt: entry.attempts,
                progress: entry.progress.clone(),
            });
            self.moved(id, before);
        }
        Claims { claimed, next: self.due.first().map(|(date, _)| *date) }
    }

    pub(super) fn leased(&mut self, lease: Lease) -> Result<&mut Entry, InboxError> {
        match self.entries.get_mut(&lease.id) {
            Some(entry) if matches!(entry.state, State::Leased { token, .. } if token == lease.token) => {
                Ok(entry)
            }
            _ => Err(InboxError::lease_lost()),
        }
    }

    pub(super) fn extend(&mut self, lease: Lease, until: SystemTime) -> Result<(), InboxError> {
        let entry = self.leased(lease)?;
        let before = entry.state.date();
        entry.state = State::Leased { until, token: lease.token };
        self.moved(lease.id, before);
        Ok(())
    }

    pub(super) fn settle(&mut self, lease: Lease, settlement: Settlement) -> Result<(), InboxError> {
        let entry = self.leased(lease)?;
        let before = entry.state.date();
        match settlement {
            Settlement::Done => {
                let gone = self.entries.remove(&lease.id).expect("it was found");
                self.unlist(lease.id, &gone.event, before);
                return Ok(());
            }
            Settlement::Retry { at, progress } => {
                entry.state = State::Waiting { due: at };
                entry.progress = progress;
            }
            Settlement::Release { progress } => {
                // Due since it was received: before all that came later.
                entry.state = State::Waiting { due: entry.event.received() };
                entry.progress = progress;
                entry.attempts = entry.attempts.saturating_sub(1);
            }
            Settlement::Dead { at, reason, progress } => {
                entry.state = State::Dead { died: at, reason };
                entry.progress = progress;
            }
        }
        self.moved(lease.id, before);
        Ok(())
    }

    pub(super) fn redrive(&mut self, ids: &[EntryId], now: SystemTime) -> usize {
        let mut driven = 0;
        for id in ids {
            let Some(entry) = self.entries.get_mut(id) else { continue };
            if !matches!(entry.state, State::Dead { .. }) {
                continue;
            }
            entry.state = State::Waiting { due: now };
            entry.attempts = 0;
            entry.redriven += 1;
            entry.progress.failed.clear();
            self.moved(*id, None);
            driven += 1;
        }
        driven
    }

    pub(super) fn drop_dead(&mut self, ids: &[EntryId]) -> usize {
        let before = self.entries.len();
        for id in ids {
            if self.entries.get(id).is_some_and(|entry| matches!(entry.state, State::Dead { .. })) {
                self.entries.remove(id);
            }
        }
        before - self.entries.len()
    }

    /// Brings the indices up to date with an entry whose date has changed.
    fn moved(&mut self, id: EntryId, before: Option<SystemTime>) {
        let entry = &self.entries[&id];
        let date = entry.state.date();
        let Some(lane) = lane_of(&entry.event) else {
            self.due.extend(date.map(|date| (date, id)));
            if before != date {
                before.map(|before| self.due.remove(&(before, id)));
            }
            return;
        };
        let ids = &mut self.lanes.entry(lane.clone()).or_default().ids;
        if date.is_some() {
            ids.insert(id)
        } else {
            ids.remove(&id)
        };
        self.next_turn(lane);
    }

    /// Takes an entry that is gone out of the indices.
    fn unlist(&mut self, id: EntryId, event: &Event, before: Option<SystemTime>) {
        match lane_of(event) {
            None => drop(before.map(|before| self.due.remove(&(before, id)))),
            Some(lane) => {
                self.lanes.entry(lane.clone()).or_default().ids.remove(&id);
                self.next_turn(lane);
            }
        }
    }

    /// Whose turn it is in a lane: the one that is leased, or the first.
    fn next_turn(&mut self, key: LaneKey) {
        let Self { entries, due, lanes, .. } = self;
        let lane = lanes.get_mut(&key).expect("it was looked up");
        let former = lane.turn.take();
        former.map(|turn| due.remove(&turn));
        let is_leased =
            |id: &EntryId| matches!(entries.get(id), Some(Entry { state: State::Leased { .. }, .. }));
        let id = former.map(|(_, id)| id).filter(is_leased).or_else(|| lane.ids.first().copied());
        let Some(id) = id else {
            lanes.remove(&key);
            return;
        };
        let date = entries[&id].state.date().expect("what is dead is in no lane");
        lane.turn = Some((date, id));
        due.insert((date, id));
    }

    pub(super) fn dead(&self, after: Option<EntryId>, most: usize) -> Vec<DeadLetter> {
        let from = after.map_or(0, |after| after.get().saturating_add(1));
        let entries = self.entries.range(EntryId::new(from)..);
        entries.filter_map(|(id, entry)| letter(*id, entry)).take(most).collect()
    }

    pub(super) fn dead_letter(&self, id: EntryId) -> Option<DeadLetter> {
        self.entries.get(&id).and_then(|entry| letter(id, entry))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn stats(&self, now: SystemTime) -> Stats {
        let mut stats = Stats { remembered: self.seen.len() as u64, ..Stats::default() };
        for entry in self.entries.values() {
            let count = match entry.state {
                State::Dead { .. } => &mut stats.dead,
                State::Leased { until, .. } if until > now => &mut stats.leased,
                State::Waiting { due } if due > now => &mut stats.waiting,
                State::Waiting { .. } | State::Leased { .. } => &mut stats.ready,
            };
            *count += 1;
            if !matches!(entry.state, State::Dead { .. }) {
                let received = entry.event.received();
                stats.oldest = Some(stats.oldest.map_or(received, |oldest| oldest.min(received)));
            }
        }
        stats
    }
}

fn lane_of(event: &Event) -> Option<LaneKey> {
    event.order_key().map(|key| (event.source().to_owned(), key.to_owned()))
}

fn letter(id: EntryId, entry: &Entry) -> Option<DeadLetter> {
    let State::Dead { died, reason } = &entry.state else { return None };
    Some(DeadLetter {
        id,
        event: entry.event.clone(),
        died: *died,
        reason: reason.clone(),
        attempts: entry.attempts,
        redriven: entry.redriven,
        progress: entry.progress.clone(),
    })
}
