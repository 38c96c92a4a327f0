use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::inbox::{EntryId, Event, InboxError};

use super::Failure;

/// Told of what a processor does. `()` is told nothing.
///
/// A hook must not panic: then the event that it was told of rests until its lease has ended.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no hook of a processor",
    label = "needs `bartizan_webhook::processor::Hook`",
    note = "a closure `|told: &Told<'_>|` is one, and so is an `Arc` of one"
)]
pub trait Hook {
    /// Something happened.
    fn told(&self, told: &Told<'_>);
}

/// What happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Told<'a> {
    /// An event is ours for a while.
    #[non_exhaustive]
    Claimed {
        /// Its number.
        id: EntryId,
        /// The event.
        event: &'a Event,
        /// How often it was claimed, this time included.
        attempt: u32,
    },
    /// A handler failed, panicked ([`HandlerPanicked`](super::HandlerPanicked)) or ran for too long
    /// ([`HandlerTimedOut`](super::HandlerTimedOut)).
    #[non_exhaustive]
    HandlerFailed {
        /// Its number; `None` without an inbox.
        id: Option<EntryId>,
        /// The event.
        event: &'a Event,
        /// The handler's name.
        handler: &'a str,
        /// Why.
        failure: &'a Failure,
    },
    /// No handler is there for an event of that type, so it is done.
    #[non_exhaustive]
    Unhandled {
        /// Its number.
        id: EntryId,
        /// The event.
        event: &'a Event,
    },
    /// All handlers are done.
    #[non_exhaustive]
    Done {
        /// Its number.
        id: EntryId,
        /// The event.
        event: &'a Event,
        /// How often it was claimed.
        attempt: u32,
    },
    /// Some handler will be tried again.
    #[non_exhaustive]
    Retried {
        /// Its number.
        id: EntryId,
        /// The event.
        event: &'a Event,
        /// The attempt that failed.
        attempt: u32,
        /// When the next one is due.
        at: SystemTime,
    },
    /// An event is a dead letter.
    #[non_exhaustive]
    Dead {
        /// Its number.
        id: EntryId,
        /// The event.
        event: &'a Event,
        /// How often it was claimed.
        attempt: u32,
        /// Why.
        reason: &'a str,
    },
    /// An event was given back at the shutdown; the attempt is not counted.
    #[non_exhaustive]
    Released {
        /// Its number.
        id: EntryId,
        /// The event.
        event: &'a Event,
    },
    /// An event is somebody else's by now, or may be: what its handlers did since is not kept.
    #[non_exhaustive]
    LeaseLost {
        /// Its number.
        id: EntryId,
        /// The event.
        event: &'a Event,
    },
    /// The inbox did not do what it was asked for.
    #[non_exhaustive]
    InboxFailed {
        /// What.
        asked: Asked,
        /// Why.
        error: &'a InboxError,
        /// After which wait it is asked again, if it is.
        again_in: Option<Duration>,
    },
}

/// What an inbox is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Asked {
    /// Events.
    Claim,
    /// A longer lease.
    Extend,
    /// To keep what was done so far.
    Progress,
    /// To end a lease.
    Settle,
}

impl Asked {
    /// As one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Extend => "extend",
            Self::Progress => "progress",
            Self::Settle => "settle",
        }
    }
}

impl Hook for () {
    fn told(&self, _: &Told<'_>) {}
}

impl<H: Hook + ?Sized> Hook for Arc<H> {
    fn told(&self, told: &Told<'_>) {
        (**self).told(told);
    }
}

impl<F: Fn(&Told<'_>)> Hook for F {
    fn told(&self, told: &Told<'_>) {
        self(told);
    }
}
