use bartizan_webhook::inbox::{FailedHandler, Progress};

use super::read::{Malformed, Reader};
use super::write::Writer;
use crate::date::Date;

/// What changes about an event, and what says whose turn it is. Without its content, which may be long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) state: State,
    pub(crate) received: Date,
    pub(crate) attempts: u32,
    pub(crate) redriven: u32,
    pub(crate) lane: Option<Lane>,
    pub(crate) progress: Progress,
}

/// Which events go one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lane {
    pub(crate) source: String,
    pub(crate) key: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Waiting { due: Date },
    Leased { until: Date, token: u64 },
    Dead { died: Date, reason: String },
}

impl State {
    /// When it may be claimed.
    pub(crate) fn date(&self) -> Option<Date> {
        match self {
            Self::Waiting { due } => Some(*due),
            Self::Leased { until, .. } => Some(*until),
            Self::Dead { .. } => None,
        }
    }
}

/// What an entry begins with.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) state: State,
    pub(crate) received: Date,
}

const WAITING: u8 = 1;
const LEASED: u8 = 2;
const DEAD: u8 = 3;

impl Head {
    pub(crate) fn decode(record: &[u8]) -> Result<Self, Malformed> {
        Self::read(&mut Reader(record))
    }

    fn read(record: &mut Reader<'_>) -> Result<Self, Malformed> {
        let tag = record.byte()?;
        let date = record.date()?;
        let state = match tag {
            WAITING => State::Waiting { due: date },
            LEASED => State::Leased { until: date, token: record.number()? },
            DEAD => State::Dead { died: date, reason: record.text()? },
            _ => return Err(Malformed("an entry is in no known state")),
        };
        Ok(Self { state, received: record.date()? })
    }
}

impl Entry {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut record = Writer::default();
        match &self.state {
            State::Waiting { due } => {
                record.byte(WAITING);
                record.date(*due);
            }
            State::Leased { until, token } => {
                record.byte(LEASED);
                record.date(*until);
                record.number(*token);
            }
            State::Dead { died, reason } => {
                record.byte(DEAD);
                record.date(*died);
                record.bytes(reason.as_bytes());
            }
        }
        record.date(self.received);
        record.number(self.attempts.into());
        record.number(self.redriven.into());
        match &self.lane {
            None => record.byte(0),
            Some(lane) => {
                record.byte(1);
                record.bytes(lane.source.as_bytes());
                record.bytes(lane.key.as_bytes());
            }
        }
        record.number(self.progress.done.len() as u64);
        for name in &self.progress.done {
            record.bytes(name.as_bytes());
        }
        record.number(self.progress.failed.len() as u64);
        for failed in &self.progress.failed {
            record.bytes(failed.name.as_bytes());
            record.bytes(failed.error.as_bytes());
            record.byte(failed.is_permanent.into());
        }
        record.0
    }

    pub(crate) fn decode(record: &[u8]) -> Result<Self, Malformed> {
        let mut record = Reader(record);
        let Head { state, received } = Head::read(&mut record)?;
        let attempts = record.count()?;
        let redriven = record.count()?;
        let lane = match record.flag()? {
            false => None,
            true => Some(Lane { source: record.text()?, key: record.text()? }),
        };
        let mut progress = Progress::default();
        for _ in 0..record.number()? {
            progress.done.push(record.text()?);
        }
        for _ in 0..record.number()? {
            let (name, error, is_permanent) = (record.text()?, record.text()?, record.flag()?);
            progress.failed.push(FailedHandler { name, error, is_permanent });
        }
        record.end()?;
        Ok(Self { state, received, attempts, redriven, lane, progress })
    }
}
