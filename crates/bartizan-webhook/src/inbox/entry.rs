//! What an inbox says of the events that it keeps.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use super::Event;

/// An inbox's own number of an event. They grow in the order in which events were put, and no number is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(u64);

impl EntryId {
    /// Of that number.
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EntryId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What became of an event that was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Put {
    /// It is kept.
    New(EntryId),
    /// It was put before, and will not be processed again.
    Duplicate,
}

/// Who asks an inbox for events.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// The date. An inbox with a clock of its own goes by that one.
    pub now: SystemTime,
    /// For how long nobody else gets them. None of them is given out twice by one claim, however short that is.
    pub lease: Duration,
    /// How many at most.
    pub most: usize,
}

/// What an inbox has for who asks.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// Those that are his now.
    pub claimed: Vec<Claimed>,
    /// When there may be more without anything being put or settled: the date at which the first event that waits is due, or the first lease
    /// ends. `None` if there is none of either.
    pub next: Option<SystemTime>,
}

/// An event that is somebody's for a while.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Proves whose it is.
    pub lease: Lease,
    /// The event.
    pub event: Event,
    /// How often it was claimed, this time included. A claim that is released is not counted.
    pub attempt: u32,
    /// What was done about it before.
    pub progress: Progress,
}

/// Proof that an event is whose it was claimed by. It ends by time, or by being settled; the inbox refuses it ever after, since `token` grows with
/// each claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Which event.
    pub id: EntryId,
    /// The fencing token.
    pub token: u64,
}

/// What became of the handlers of an event so far, each by its stable name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Those that need not run again.
    pub done: Vec<String>,
    /// Those that failed, last time they ran, and why.
    pub failed: Vec<FailedHandler>,
}

/// A handler that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedHandler {
    /// Its stable name.
    pub name: String,
    /// The chain of its errors, in one line.
    pub error: String,
    /// It is not to be run again, unless somebody drives the dead letter again.
    pub is_permanent: bool,
}

/// What becomes of an event that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settlement {
    /// It is processed, and its content forgotten. That it was there is remembered, for duplicates.
    Done,
    /// It is to be claimed again from that date on.
    #[non_exhaustive]
    Retry {
        /// The date.
        at: SystemTime,
        /// What was done so far.
        progress: Progress,
    },
    /// It is to be claimed again at once, and this attempt is not counted: nothing is wrong with it. It is due since it was received, so it comes
    /// before what was received later.
    #[non_exhaustive]
    Release {
        /// What was done so far.
        progress: Progress,
    },
    /// It becomes a dead letter.
    #[non_exhaustive]
    Dead {
        /// The date.
        at: SystemTime,
        /// Why, in one line.
        reason: String,
        /// What was done so far.
        progress: Progress,
    },
}

impl Settlement {
    /// [`Retry`](Self::Retry).
    pub fn retry(at: SystemTime, progress: Progress) -> Self {
        Self::Retry { at, progress }
    }

    /// [`Release`](Self::Release).
    pub fn release(progress: Progress) -> Self {
        Self::Release { progress }
    }

    /// [`Dead`](Self::Dead).
    pub fn dead(at: SystemTime, reason: impl Into<String>, progress: Progress) -> Self {
        Self::Dead { at, reason: reason.into(), progress }
    }
}

/// An event that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number.
    pub id: EntryId,
    /// The event.
    pub event: Event,
    /// Since when.
    pub died: SystemTime,
    /// Why, in one line.
    pub reason: String,
    /// How often it was claimed since it was put or driven again.
    pub attempts: u32,
    /// How often it was driven again.
    pub redriven: u32,
    /// What its handlers did.
    pub progress: Progress,
}

/// How many events an inbox has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// May be claimed now, if no earlier one of their order key stands before them.
    pub ready: u64,
    /// Wait for the date of their next attempt.
    pub waiting: u64,
    /// Are somebody's.
    pub leased: u64,
    /// Are dead letters.
    pub dead: u64,
    /// Are remembered, for duplicates. Some may be among them whose time is over.
    pub remembered: u64,
    /// When the oldest one was received that is neither processed nor dead.
    pub oldest: Option<SystemTime>,
}
