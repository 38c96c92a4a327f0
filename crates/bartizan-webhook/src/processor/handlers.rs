use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::inbox::{EntryId, Event, Progress};

use super::caught::Caught;
use super::processed::is_done;
use super::{Failure, HandlerPanicked, HandlerTimedOut, Parts, Pattern, Told};

pub(super) type Work =
    Arc<dyn Fn(Event) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>> + Send + Sync>;

/// In the order in which they were registered.
pub(super) struct Handlers(pub(super) Vec<Handler>);

pub(super) struct Handler {
    pub(super) pattern: Pattern,
    pub(super) name: String,
    pub(super) work: Work,
    pub(super) limit: Duration,
}

impl Handlers {
    /// Those of an event that are neither done nor have failed for good.
    pub(super) fn left<'a>(&'a self, event: &Event, progress: &Progress) -> Vec<&'a Handler> {
        let is_over = |name: &String| {
            progress.done.contains(name)
                || progress.failed.iter().any(|failed| failed.is_permanent && failed.name == *name)
        };
        let meant = self.0.iter().filter(|handler| handler.pattern.matches(event.event_type()));
        meant.filter(|handler| !is_over(&handler.name)).collect()
    }

    /// Whether any is there for that type.
    pub(super) fn has_for(&self, event: &Event) -> bool {
        self.0.iter().any(|handler| handler.pattern.matches(event.event_type()))
    }
}

impl Handler {
    /// To its end, to its limit, or until it panics.
    pub(super) async fn run(&self, event: Event) -> Result<(), Failure> {
        match tokio::time::timeout(self.limit, Caught::new((self.work)(event))).await {
            Ok(Ok(result)) => result,
            Ok(Err(payload)) => Err(Failure::retry(HandlerPanicked::new(&*payload))),
            Err(_) => Err(Failure::retry(HandlerTimedOut::new(self.limit))),
        }
    }
}

impl Parts {
    pub(super) fn tell_of_failure(
        &self,
        id: Option<EntryId>,
        event: &Event,
        handler: &str,
        result: &Result<(), Failure>,
    ) {
        match result {
            Err(failure) if !is_done(result) => {
                self.tell(&Told::HandlerFailed { id, event, handler, failure });
            }
            _ => {}
        }
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|handler| (&handler.name, &handler.pattern))).finish()
    }
}
