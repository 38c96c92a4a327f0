//! What is written through `tracing`, as lines. Behind the feature `tracing`.
//!
//! ```
//! use bartizan_test::events::{Level, captured};
//!
//! let lines = captured(Level::Info, || {
//!     tracing::info!(target: "shop", items = 3, "order taken");
//!     tracing::debug!("not up to this level");
//! });
//! assert_eq!(lines, ["INFO shop: order taken items=3"]);
//! ```

use std::cell::RefCell;
use std::fmt::{self, Write};
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// Errors alone.
    Error,
    /// Warnings too.
    Warn,
    /// What operators read.
    Info,
    /// What developers read.
    Debug,
    /// All there is.
    Trace,
}

impl Level {
    const fn most(self) -> tracing::Level {
        match self {
            Self::Error => tracing::Level::ERROR,
            Self::Warn => tracing::Level::WARN,
            Self::Info => tracing::Level::INFO,
            Self::Debug => tracing::Level::DEBUG,
            Self::Trace => tracing::Level::TRACE,
        }
    }
}

thread_local! {
    /// Up to which level this thread keeps lines, and those it has.
    static KEPT: RefCell<Option<(tracing::Level, Vec<String>)>> = const { RefCell::new(None) };
}

/// What this thread writes in `run`, up to the level `most`: `LEVEL target: message field=value`. A future has to be run on this thread as well, by a
/// runtime of its own. Spans are not kept.
///
/// # Panics
/// If somebody else has set a subscriber for the whole process, or `run` panics.
pub fn captured(most: Level, run: impl FnOnce()) -> Vec<String> {
    // One for all threads. With one for each, a test without any that is the first to come by an event's callsite could
    // switch it off for the others: tracing asks only the subscriber of that thread.
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| tracing::subscriber::set_global_default(Capture).expect("no test sets another"));
    tracing::callsite::rebuild_interest_cache();

    KEPT.set(Some((most.most(), Vec::new())));
    run();
    KEPT.take().expect("it was set above").1
}

struct Capture;

impl Subscriber for Capture {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        KEPT.with_borrow(|kept| kept.as_ref().is_some_and(|(most, _)| metadata.level() <= most))
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line { message: String::new(), fields: String::new() };
        event.record(&mut line);
        let (level, target) = (event.metadata().level(), event.metadata().target());
        let line = format!("{level} {target}: {}{}", line.message, line.fields);
        KEPT.with_borrow_mut(|kept| kept.as_mut().expect("only then it is enabled").1.push(line));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        }
        .expect("a string takes all");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_up_to_a_level_and_while_they_are_asked_for() {
        let all = || {
            tracing::error!(target: "t", "one");
            tracing::warn!(target: "t", "two");
            tracing::info!(target: "t", n = 3, text = "a b", "three");
            tracing::debug!(target: "t", "four");
            tracing::trace!(target: "t", "five");
        };
        let lines = [
            "ERROR t: one",
            "WARN t: two",
            "INFO t: three n=3 text=\"a b\"",
            "DEBUG t: four",
            "TRACE t: five",
        ];
        let levels = [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];
        for (count, level) in levels.into_iter().enumerate() {
            all();
            assert_eq!(captured(level, all), lines[..=count]);
        }
    }

    #[test]
    fn each_thread_keeps_its_own() {
        let lines = captured(Level::Trace, || {
            std::thread::spawn(|| tracing::info!("another's")).join().expect("it does not panic");
            tracing::info!(target: "t", "mine");
        });
        assert_eq!(lines, ["INFO t: mine"]);
    }
}
