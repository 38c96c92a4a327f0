//! Events that an [`Inbox`] keeps are given to handlers, which are tried again where they fail.
//!
//! A [`Processor`] has handlers for types of event. [`run`](Processor::run) takes events from an inbox until it is told to stop;
//! [`process`](Processor::process) gives one event to its handlers once, without an inbox, which is enough for tests and small programs.
//!
//! ```
//! use std::time::SystemTime;
//! use bartizan_webhook::inbox::Event;
//! use bartizan_webhook::processor::{Failure, Processor};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), bartizan_webhook::processor::InvalidProcessor> {
//! let processor = Processor::builder()
//!     .on("invoice.paid", |event| async move {
//!         let text = std::str::from_utf8(event.body()).map_err(Failure::permanent)?;
//!         println!("paid: {text}");
//!         Ok(())
//!     })
//!     .on_named("invoice.*", "book", |_event| async { Err("the ledger is closed".into()) })
//!     .build()?;
//!
//! let event = Event::new("billing", "invoice.paid", SystemTime::UNIX_EPOCH, r#"{"total":7}"#);
//! let processed = processor.process(&event).await;
//! assert!(processed.of("invoice.paid").is_some_and(|result| result.is_ok()));
//! assert!(processed.of("book").is_some_and(|result| result.is_err()));
//! # Ok(())
//! # }
//! ```
//!
//! # What becomes of an event
//!
//! The handlers whose [`Pattern`] its type matches run one after the other, in the order in which they were registered. Each runs until it is done once:
//! an attempt gives the event to those that are not done and have not failed for good. What a handler gives back decides:
//!
//! | handler | it is | the event |
//! |---|---|---|
//! | `Ok`, [`Failure::Skip`] | done | done once all are |
//! | [`Failure::Retry`], any error through `?` | tried again | waits as the [`Schedule`] says |
//! | [`Failure::RetryAfter`] | tried again | waits for that long at least, and for seven days at most |
//! | [`Failure::Permanent`] | not tried again | a dead letter once no other handler is to be tried again |
//! | a panic, or longer than [`handler_timeout`](ProcessorBuilder::handler_timeout) | tried again | as with `Retry` |
//!
//! **A handler may run more than once for an event**, since the process may end between its work and the inbox's note of it: make its work such that twice
//! does no harm, by [`Event::id`](crate::inbox::Event::id). What one handler does is no concern of the others.
//!
//! # Failures
//!
//! | what goes wrong | what happens |
//! |---|---|
//! | a handler fails, panics or hangs | above; the others run |
//! | the attempts of the schedule are used up | a dead letter, whose reason names the handlers |
//! | the process ends while handlers run | the lease ends by time, and the event is claimed again; handlers that are noted as done are not run again |
//! | an event ends the process each time | attempts are counted when it is claimed, so it becomes a dead letter without being run once they are used up |
//! | no handler is there for a type | the event is done, and the hook is told |
//! | a handler that failed is not there any more, under that name | it counts as failing until it is there, or the event is dead: nothing is done that was not |
//! | the inbox fails when events are claimed | it is asked again after 1 s, twice as long each time up to 30 s, with jitter; what runs goes on |
//! | it fails when progress is kept | the handlers go on; after a crash, one more of them may run twice |
//! | it fails when a lease is extended or an event settled | it is asked again while the lease lasts |
//! | a lease is lost, or its time is over without word from the inbox | the handler that runs is dropped at its next await, and nothing more is noted; whoever claims the event runs those that are not noted as done |
//! | a shutdown | nothing more is claimed; what runs has [`grace`](ProcessorBuilder::grace), then it is dropped, and its events are given back without counting the attempt |
//! | `run` is dropped | what runs ends at its next await, and leases end by time |
//!
//! # Cost
//!
//! `run` spawns a task for each event in work, on the runtime that polls it. Each handler is given a copy of the event: the body is shared, the names and
//! header fields are copied.

mod attempt;
mod backoff;
mod builder;
mod caught;
mod failure;
mod handlers;
mod hook;
mod keeper;
mod pattern;
mod processed;
mod race;
mod run;
mod schedule;
#[cfg(test)]
pub(crate) mod tests;
mod trace;
mod verdict;

use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Chance, WallClock};

use crate::inbox::{Event, Inbox, Progress};

pub use self::builder::{InvalidProcessor, ProcessorBuilder};
pub use self::failure::{Failure, HandlerPanicked, HandlerTimedOut};
pub use self::hook::{Asked, Hook, Told};
pub use self::pattern::{InvalidPattern, Pattern};
pub use self::processed::{Processed, Ran};
pub use self::schedule::{InvalidSchedule, LONGEST_WAIT, Schedule};

use self::handlers::Handlers;

/// Gives events to handlers. Clones share all of it.
///
/// The [module](self) has what becomes of an event, and an example.
#[derive(Clone)]
pub struct Processor(Arc<Parts>);

struct Parts {
    handlers: Handlers,
    schedule: Schedule,
    concurrency: NonZeroUsize,
    lease: Duration,
    poll_interval: Duration,
    grace: Duration,
    wall_clock: WallClock,
    chance: Chance,
    hook: Arc<dyn Hook + Send + Sync>,
}

impl Processor {
    /// One without handlers yet.
    pub fn builder() -> ProcessorBuilder {
        ProcessorBuilder::new()
    }

    /// Gives an event to each of its handlers once. Nothing is kept, and nothing tried again.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time, as soon as it is polled.
    pub async fn process(&self, event: &Event) -> Processed {
        let mut ran = Vec::new();
        for handler in self.0.handlers.left(event, &Progress::default()) {
            let result = handler.run(event.clone()).await;
            self.0.tell_of_failure(None, event, &handler.name, &result);
            ran.push(Ran::new(handler.name.clone(), result));
        }
        Processed::new(ran)
    }

    /// Takes events from an inbox, and is ready once `shutdown` is and nothing runs any more.
    ///
    /// Several may run on one inbox, in one process or in many. An error of the inbox does not end it. A handler that blocks its thread is waited for no
    /// longer than any other, but goes on until it comes to an await.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time, as soon as it is polled.
    pub async fn run<I: Inbox>(self, inbox: I, shutdown: impl Future<Output = ()>) {
        run::run(self.0, Arc::new(inbox), shutdown).await;
    }
}

impl Parts {
    fn tell(&self, told: &Told<'_>) {
        trace::told(told);
        self.hook.told(told);
    }
}

impl fmt::Debug for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Processor")
            .field("handlers", &self.0.handlers)
            .field("schedule", &self.0.schedule)
            .field("concurrency", &self.0.concurrency)
            .field("lease", &self.0.lease)
            .finish_non_exhaustive()
    }
}
