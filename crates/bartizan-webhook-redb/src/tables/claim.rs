use bartizan_webhook::inbox::{Claim, Claimed, Claims, EntryId, Event, Lease, Progress, later};
use redb::ReadableTable;

use super::{Result, Tables, turn};
use crate::date::Date;
use crate::record::{Entry, Lane, Malformed, State, decode_event};

impl Tables<'_> {
    pub(crate) fn claim(&mut self, claim: Claim) -> Result<Claims> {
        let mut claims = Claims::default();
        let tokens_before = self.number("last token")?;
        let mut token = tokens_before;
        while claims.claimed.len() < claim.most {
            let Some((date, id)) = self.first_due()?.filter(|(date, _)| *date <= claim.now.into()) else {
                break;
            };
            let (mut entry, event) = match self.both(id)? {
                Ok(both) => both,
                Err(malformed) => {
                    self.bury(id, date, claim.now.into(), malformed)?;
                    continue;
                }
            };
            if matches!(entry.state, State::Leased { token, .. } if token > tokens_before) {
                // A lease of no time has ended already.
                break;
            }
            token += 1;
            entry.state = State::Leased { until: later(claim.now, claim.lease).into(), token };
            entry.attempts = entry.attempts.saturating_add(1);
            self.change(id, &entry, Some(date))?;
            let lease = Lease { id, token };
            claims.claimed.push(Claimed { lease, event, attempt: entry.attempts, progress: entry.progress });
        }
        if token > tokens_before {
            self.meta.insert("last token", token)?;
        }
        claims.next = self.first_due()?.map(|(date, _)| date.into());
        Ok(claims)
    }

    fn first_due(&self) -> Result<Option<(Date, EntryId)>> {
        let first = self.due.first()?.map(|(first, _)| first.value());
        Ok(first.map(|(seconds, nanos, id)| (Date { seconds, nanos }, EntryId::new(id))))
    }

    fn both(&self, id: EntryId) -> Result<std::result::Result<(Entry, Event), Malformed>> {
        let entry = self.entry(id)?.unwrap_or(Err(Malformed::MISSING));
        let event = self.event(id)?;
        Ok(entry.and_then(|entry| Ok((entry, event?))))
    }

    fn event(&self, id: EntryId) -> Result<std::result::Result<Event, Malformed>> {
        let record = self.events.get(id.get())?;
        Ok(record.map_or(Err(Malformed::MISSING), |record| decode_event(record.value())))
    }

    /// Makes a dead letter of what cannot be read, so that somebody sees it and it stands in nobody's way.
    fn bury(&mut self, id: EntryId, date: Date, now: Date, malformed: Malformed) -> Result<()> {
        let mut entry = match self.readable(id)? {
            Some(entry) => entry,
            None => Entry {
                state: State::Waiting { due: date },
                received: now,
                attempts: 0,
                redriven: 0,
                lane: self.lane_of(id)?,
                progress: Progress::default(),
            },
        };
        entry.state = State::Dead {
            died: now,
            reason: format!("what the inbox has of it cannot be read: {malformed}"),
        };
        self.dead.insert(id.get(), ())?;
        // Whatever the entry says of its lane: else the next claim would find it here again.
        self.due.remove(turn(date, id))?;
        self.change(id, &entry, Some(date))
    }

    /// The lane of an entry that cannot be read itself. It looks at all of them.
    fn lane_of(&self, id: EntryId) -> Result<Option<Lane>> {
        for place in self.lanes.iter()? {
            let (place, _) = place?;
            let (source, key, other) = place.value();
            if other == id.get() {
                return Ok(Some(Lane { source: source.to_owned(), key: key.to_owned() }));
            }
        }
        Ok(None)
    }
}
