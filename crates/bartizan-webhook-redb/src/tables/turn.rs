use bartizan_webhook::inbox::EntryId;
use redb::ReadableTable;

use super::{Result, Tables, turn};
use crate::date::Date;
use crate::record::{Entry, Lane, State};

impl Tables<'_> {
    /// Saves an entry, and brings what is due up to date. `before` is the date that it had.
    pub(super) fn change(&mut self, id: EntryId, entry: &Entry, before: Option<Date>) -> Result<()> {
        self.save(id, entry)?;
        self.moved(id, entry.lane.as_ref(), before, entry.state.date())
    }

    /// Takes an entry out for good.
    pub(super) fn take_out(&mut self, id: EntryId, entry: &Entry) -> Result<()> {
        self.remove(id)?;
        self.moved(id, entry.lane.as_ref(), entry.state.date(), None)
    }

    pub(super) fn moved(
        &mut self,
        id: EntryId,
        lane: Option<&Lane>,
        before: Option<Date>,
        date: Option<Date>,
    ) -> Result<()> {
        if let Some(lane) = lane {
            let place = (&*lane.source, &*lane.key, id.get());
            if date.is_some() {
                self.lanes.insert(place, ())?;
            } else {
                self.lanes.remove(place)?;
            }
            return self.next_turn(lane);
        }
        if let Some(before) = before {
            self.due.remove(turn(before, id))?;
        }
        if let Some(date) = date {
            self.due.insert(turn(date, id), ())?;
        }
        Ok(())
    }

    /// Whose turn it is in a lane: the one that is leased, or the first.
    fn next_turn(&mut self, lane: &Lane) -> Result<()> {
        let key = (&*lane.source, &*lane.key);
        let former = self.turns.remove(key)?.map(|former| former.value());
        let mut next = None;
        if let Some(former) = former {
            self.due.remove(former)?;
            let id = EntryId::new(former.2);
            let is_leased =
                self.readable(id)?.is_some_and(|entry| matches!(entry.state, State::Leased { .. }));
            next = is_leased.then_some(id);
        }
        if next.is_none() {
            let mut lane = self.lanes.range((key.0, key.1, 0)..=(key.0, key.1, u64::MAX))?;
            next = lane.next().transpose()?.map(|(place, _)| EntryId::new(place.value().2));
        }
        let Some(id) = next else { return Ok(()) };
        // One that cannot be read is due, so that the next claim sees it.
        let date = self.readable(id)?.and_then(|entry| entry.state.date()).unwrap_or(Date::EPOCH);
        self.turns.insert(key, turn(date, id))?;
        self.due.insert(turn(date, id), ())?;
        Ok(())
    }
}
