//! What is in the file, and what is done to it within one transaction.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | `format`, `last id`, `last token` | a number |
//! | `entries` | number | an entry's [record](crate::record) |
//! | `events` | number | an event's record |
//! | `due` | date, number | nothing: all that waits or is leased, but one entry of each lane |
//! | `lanes` | source, order key, number | nothing: all of that key that waits or is leased |
//! | `turns` | source, order key | date and number of the one that is in `due` |
//! | `dead` | number | nothing |
//! | `seen` | digest of what an event is known by | its number, and when it may be forgotten |
//! | `forget` | that date, that digest | nothing |

mod claim;
mod dead;
mod put;
mod settle;
mod turn;

use bartizan_webhook::inbox::EntryId;
use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, TableHandle, WriteTransaction};

pub(crate) use self::dead::{dead, dead_letter, stats};
pub(crate) use self::settle::LeaseLost;
use crate::date::Date;
use crate::record::{Entry, Malformed};

/// The version of the format that this code writes, and the only one that it reads.
pub(crate) const FORMAT: u64 = 1;

pub(crate) type Result<T> = std::result::Result<T, Fault>;

/// What went wrong with the file.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) Box<redb::Error>);

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");
const EVENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("events");
const DUE: TableDefinition<'_, Turn, ()> = TableDefinition::new("due");
const LANES: TableDefinition<'_, (&str, &str, u64), ()> = TableDefinition::new("lanes");
const TURNS: TableDefinition<'_, (&str, &str), Turn> = TableDefinition::new("turns");
const DEAD: TableDefinition<'_, u64, ()> = TableDefinition::new("dead");
const SEEN: TableDefinition<'_, &[u8; 32], (u64, i64, u32)> = TableDefinition::new("seen");
const FORGET: TableDefinition<'_, (i64, u32, &[u8; 32]), ()> = TableDefinition::new("forget");

/// A date and a number.
type Turn = (i64, u32, u64);

fn turn(date: Date, id: EntryId) -> Turn {
    (date.seconds, date.nanos, id.get())
}

/// All of them, in one transaction.
pub(crate) struct Tables<'t> {
    meta: Table<'t, &'static str, u64>,
    entries: Table<'t, u64, &'static [u8]>,
    events: Table<'t, u64, &'static [u8]>,
    due: Table<'t, Turn, ()>,
    lanes: Table<'t, (&'static str, &'static str, u64), ()>,
    turns: Table<'t, (&'static str, &'static str), Turn>,
    dead: Table<'t, u64, ()>,
    seen: Table<'t, &'static [u8; 32], (u64, i64, u32)>,
    forget: Table<'t, (i64, u32, &'static [u8; 32]), ()>,
    is_changed: bool,
}

impl<'t> Tables<'t> {
    pub(crate) fn open(transaction: &'t WriteTransaction) -> Result<Self> {
        Ok(Self {
            meta: transaction.open_table(META)?,
            entries: transaction.open_table(ENTRIES)?,
            events: transaction.open_table(EVENTS)?,
            due: transaction.open_table(DUE)?,
            lanes: transaction.open_table(LANES)?,
            turns: transaction.open_table(TURNS)?,
            dead: transaction.open_table(DEAD)?,
            seen: transaction.open_table(SEEN)?,
            forget: transaction.open_table(FORGET)?,
            is_changed: false,
        })
    }

    /// Makes them in a file that is new.
    pub(crate) fn create(transaction: &WriteTransaction) -> Result<()> {
        Tables::open(transaction)?.meta.insert("format", FORMAT)?;
        Ok(())
    }

    /// Whether there is anything to commit.
    pub(crate) fn is_changed(&self) -> bool {
        self.is_changed
    }

    fn number(&self, name: &str) -> Result<u64> {
        Ok(self.meta.get(name)?.map_or(0, |number| number.value()))
    }

    fn entry(&self, id: EntryId) -> Result<Option<std::result::Result<Entry, Malformed>>> {
        Ok(self.entries.get(id.get())?.map(|record| Entry::decode(record.value())))
    }

    /// The entry, if there is one that can be read.
    fn readable(&self, id: EntryId) -> Result<Option<Entry>> {
        Ok(self.entry(id)?.and_then(std::result::Result::ok))
    }

    fn save(&mut self, id: EntryId, entry: &Entry) -> Result<()> {
        self.is_changed = true;
        self.entries.insert(id.get(), &*entry.encode())?;
        Ok(())
    }

    fn remove(&mut self, id: EntryId) -> Result<()> {
        self.is_changed = true;
        self.entries.remove(id.get())?;
        self.events.remove(id.get())?;
        Ok(())
    }
}

/// What a file turned out to hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Nothing,
    SomethingElse,
    Format(u64),
}

pub(crate) fn holds(transaction: &ReadTransaction) -> Result<Holds> {
    let mut tables = transaction.list_tables()?;
    match tables.find(|table| table.name() == META.name()) {
        Some(_) => match transaction.open_table(META) {
            Ok(meta) => {
                let format = meta.get("format")?;
                Ok(format.map_or(Holds::SomethingElse, |format| Holds::Format(format.value())))
            }
            Err(redb::TableError::Storage(error)) => Err(error.into()),
            Err(_) => Ok(Holds::SomethingElse),
        },
        None if transaction.list_tables()?.next().is_some() => Ok(Holds::SomethingElse),
        None => Ok(Holds::Nothing),
    }
}

#[cfg(test)]
impl Tables<'_> {
    pub(crate) fn spoil(&mut self, id: EntryId, entry: bool, event: bool) {
        if entry {
            self.entries.insert(id.get(), &b"\xff\xff"[..]).unwrap();
        }
        if event {
            self.events.insert(id.get(), &b"\xff\xff"[..]).unwrap();
        }
    }

    pub(crate) fn set_format(&mut self, format: u64) {
        self.meta.insert("format", format).unwrap();
    }
}
