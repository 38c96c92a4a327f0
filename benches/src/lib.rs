//! What each layer adds to a call, beside its peers.
//!
//! A [`Row`] is one stack over a service that does nothing; a [`Group`] holds the bare service, ours, and the peers that
//! do the same or the nearest thing. Three measures are taken of each row:
//!
//! - instructions: callgrind's count of `run ROW n` for two values of `n`, so that everything but the calls cancels
//!   out, minus the bare service's;
//! - allocations and bytes: what a counting global allocator saw, in a build of its own;
//! - time: batches of all rows of a group in turn, and the ratios within each round.
//!
//! What waits for a disk is no row: `durable` counts acknowledgements a second.
//!
//! `cargo xtask bench` takes all three and writes `docs/benchmarks.md`.

#[cfg(feature = "counted")]
pub mod again;
pub mod command;
pub mod drive;
mod durable;
mod measure;
mod report;
pub mod rows;
pub mod upstream;

/// The rows that are compared with each other.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// What is done, as a heading.
    pub title: &'static str,
    /// What a reader must know to judge the comparison.
    pub note: &'static str,
    /// The service alone first, then ours, then the peers.
    pub rows: &'static [Row],
    /// Whether it needs the build in which the clock can be paused, for all measures.
    pub paused: bool,
    /// So many times the instructions of ours may the row after it cost, if that is promised.
    pub at_most: Option<f64>,
}

/// One stack.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// As the table names it.
    pub name: &'static str,
    /// Builds the stack and makes so many calls.
    pub run: fn(u64),
    /// So many times fewer calls are made of it, all in all. The rows of a group have the same.
    pub fewer: u64,
}

impl Row {
    const fn new(name: &'static str, run: fn(u64)) -> Self {
        Self { name, run, fewer: 1 }
    }

    /// A call of which costs what hundreds of others do.
    const fn seldom(self) -> Self {
        Self { fewer: 100, ..self }
    }
}

impl Group {
    /// How many calls of its rows are made where others make that many.
    fn calls(&self, of_others: u64) -> u64 {
        of_others / self.rows[0].fewer
    }
}

/// All groups that this build can run.
pub fn groups() -> impl Iterator<Item = &'static Group> {
    [
        rows::timeouts::GROUPS,
        rows::bodies::GROUPS,
        rows::retries::GROUPS,
        rows::breakers::GROUPS,
        rows::caches::GROUPS,
        rows::credentials::GROUPS,
        rows::limits::GROUPS,
        rows::stacks::GROUPS,
        rows::webhooks::GROUPS,
        rows::graphql::GROUPS,
        PAUSED,
    ]
    .into_iter()
    .flatten()
}

#[cfg(feature = "counted")]
const PAUSED: &[Group] = again::GROUPS;
#[cfg(not(feature = "counted"))]
const PAUSED: &[Group] = &[];
