use std::time::SystemTime;

use bartizan_webhook::inbox::{DeadLetter, EntryId, Event, Progress, Stats};
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata};

use super::{DEAD, ENTRIES, EVENTS, Result, SEEN};
use crate::date::Date;
use crate::record::{Entry, Head, Malformed, State, decode_event};

pub(crate) fn dead(
    transaction: &ReadTransaction,
    after: Option<EntryId>,
    most: usize,
) -> Result<Vec<DeadLetter>> {
    let from = match after.map(|after| after.get().checked_add(1)) {
        None => 0,
        Some(Some(from)) => from,
        Some(None) => return Ok(Vec::new()),
    };
    let shelf = Shelf::open(transaction)?;
    let mut letters = Vec::new();
    for id in transaction.open_table(DEAD)?.range(from..)?.take(most) {
        letters.push(shelf.letter(EntryId::new(id?.0.value()))?);
    }
    Ok(letters)
}

pub(crate) fn dead_letter(transaction: &ReadTransaction, id: EntryId) -> Result<Option<DeadLetter>> {
    if transaction.open_table(DEAD)?.get(id.get())?.is_none() {
        return Ok(None);
    }
    Shelf::open(transaction)?.letter(id).map(Some)
}

struct Shelf {
    entries: ReadOnlyTable<u64, &'static [u8]>,
    events: ReadOnlyTable<u64, &'static [u8]>,
}

impl Shelf {
    fn open(transaction: &ReadTransaction) -> Result<Self> {
        Ok(Self { entries: transaction.open_table(ENTRIES)?, events: transaction.open_table(EVENTS)? })
    }

    /// What cannot be read is shown as far as it can: an event by its bytes.
    fn letter(&self, id: EntryId) -> Result<DeadLetter> {
        let entry = self.entries.get(id.get())?;
        let entry = entry.map_or(Err(Malformed::MISSING), |record| Entry::decode(record.value()));
        let entry = entry.unwrap_or_else(|malformed| Entry {
            state: State::Dead {
                died: Date::EPOCH,
                reason: format!("what the inbox has of it cannot be read: {malformed}"),
            },
            received: Date::EPOCH,
            attempts: 0,
            redriven: 0,
            lane: None,
            progress: Progress::default(),
        });
        let record = self.events.get(id.get())?;
        let record = record.as_ref().map_or(&[][..], |record| record.value());
        let event = decode_event(record).unwrap_or_else(|_| {
            let source = entry.lane.as_ref().map_or("", |lane| &lane.source);
            Event::new(source, "", entry.received.into(), record.to_vec())
        });
        let (died, reason) = match entry.state {
            State::Dead { died, reason } => (died, reason),
            State::Waiting { due: date } | State::Leased { until: date, .. } => (date, String::new()),
        };
        Ok(DeadLetter {
            id,
            event,
            died: died.into(),
            reason,
            attempts: entry.attempts,
            redriven: entry.redriven,
            progress: entry.progress,
        })
    }
}

pub(crate) fn stats(transaction: &ReadTransaction, now: SystemTime) -> Result<Stats> {
    let now = Date::from(now);
    let mut stats = Stats::default();
    let mut oldest = None::<Date>;
    stats.remembered = transaction.open_table(SEEN)?.len()?;
    for entry in transaction.open_table(ENTRIES)?.iter()? {
        let (_, record) = entry?;
        let head = Head::decode(record.value()).ok();
        let count = match head.as_ref().map(|head| &head.state) {
            Some(State::Dead { .. }) => &mut stats.dead,
            Some(State::Leased { until, .. }) if *until > now => &mut stats.leased,
            Some(State::Waiting { due }) if *due > now => &mut stats.waiting,
            // One that cannot be read is due as well: the next claim makes a dead letter of it.
            Some(State::Leased { .. } | State::Waiting { .. }) | None => &mut stats.ready,
        };
        *count += 1;
        if let Some(head) = head.filter(|head| !matches!(head.state, State::Dead { .. })) {
            oldest = Some(oldest.map_or(head.received, |oldest| oldest.min(head.received)));
        }
    }
    stats.oldest = oldest.map(SystemTime::from);
    Ok(stats)
}
