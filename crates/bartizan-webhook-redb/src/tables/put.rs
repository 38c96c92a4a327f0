use std::time::{Duration, SystemTime};

use bartizan_webhook::inbox::{EntryId, Event, Progress, Put, later};
use redb::ReadableTable;

use super::{Result, Tables};
use crate::date::Date;
use crate::record::{Entry, Lane, State, encode_event};

/// So many that need not be remembered any more are forgotten by each put.
const FORGOTTEN: usize = 16;

impl Tables<'_> {
    pub(crate) fn put(&mut self, event: &Event, remembered: Duration) -> Result<Put> {
        let now = event.received();
        self.forget(now, remembered)?;
        let id = EntryId::new(self.number("last id")? + 1);
        if let Some(key) = event.dedupe_key() {
            let key = key.as_bytes();
            let seen = self.seen.get(key)?.map(|seen| seen.value());
            if let Some((former, seconds, nanos)) = seen {
                let date = Date { seconds, nanos };
                if date > now.into() || self.entries.get(former)?.is_some() {
                    return Ok(Put::Duplicate);
                }
                // Its time is over, though its turn to be forgotten has not come.
                self.forget.remove((seconds, nanos, key))?;
            }
            self.remember(key, id.get(), later(now, remembered).into())?;
        }
        self.meta.insert("last id", id.get())?;
        self.events.insert(id.get(), &*encode_event(event))?;
        let lane =
            event.order_key().map(|key| Lane { source: event.source().to_owned(), key: key.to_owned() });
        let entry = Entry {
            state: State::Waiting { due: now.into() },
            received: now.into(),
            attempts: 0,
            redriven: 0,
            lane,
            progress: Progress::default(),
        };
        self.change(id, &entry, None)?;
        Ok(Put::New(id))
    }

    fn remember(&mut self, key: &[u8; 32], id: u64, until: Date) -> Result<()> {
        self.is_changed = true;
        self.seen.insert(key, (id, until.seconds, until.nanos))?;
        self.forget.insert((until.seconds, until.nanos, key), ())?;
        Ok(())
    }

    /// What is still there is remembered for as long again.
    fn forget(&mut self, now: SystemTime, remembered: Duration) -> Result<()> {
        let end = Date::from(now);
        for _ in 0..FORGOTTEN {
            let Some((first, _)) = self.forget.first()? else { break };
            let (seconds, nanos, key) = first.value();
            let (date, key) = (Date { seconds, nanos }, *key);
            drop(first);
            if date > end {
                break;
            }
            self.is_changed = true;
            self.forget.remove((seconds, nanos, &key))?;
            let id = self.seen.get(&key)?.map(|seen| seen.value().0);
            match id {
                Some(id) if self.entries.get(id)?.is_some() => {
                    self.remember(&key, id, later(now, remembered).into())?;
                }
                _ => drop(self.seen.remove(&key)?),
            }
        }
        Ok(())
    }
}
