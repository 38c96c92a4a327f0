//! A subscriber that keeps lines.

use std::cell::RefCell;
use std::fmt::{self, Write};
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

thread_local! {
    /// Up to which level this thread keeps lines, and those it has.
    static KEPT: RefCell<Option<(Level, Vec<String>)>> = const { RefCell::new(None) };
}

/// What this thread writes in `run`, up to the level `most`: `LEVEL target: message field=value`.
pub(crate) fn captured(most: Level, run: impl FnOnce()) -> Vec<String> {
    // One for all threads. With one for each, a test without any that is the first to come by an event's callsite could
    // switch it off for the others: tracing asks only the subscriber of that thread.
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| tracing::subscriber::set_global_default(Capture).expect("no test sets another"));
    tracing::callsite::rebuild_interest_cache();

    KEPT.set(Some((most, Vec::new())));
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
        .unwrap();
    }
}
