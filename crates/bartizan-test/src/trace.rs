//! Keeps what is written through `tracing`: events as lines, spans with all that was recorded in them.
//!
//! ```
//! use bartizan_test::trace::{Level, captured};
//!
//! let kept = captured(Level::Info, || {
//!     let span = tracing::info_span!(target: "shop", "order", id = 7, paid = tracing::field::Empty);
//!     span.in_scope(|| tracing::info!(target: "shop", "packed"));
//!     span.record("paid", true);
//! });
//! assert_eq!(kept.to_string(), "INFO shop: order id=7 paid=true\n  INFO shop: packed\n");
//! ```

use std::cell::RefCell;
use std::fmt::{self, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

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
    /// What this thread keeps, while it does.
    static KEPT: RefCell<Option<Keeping>> = const { RefCell::new(None) };
}

/// What this thread writes in `run`, up to the level `most`.
///
/// # Panics
/// If the program has a global subscriber already, or if `run` captures too.
pub fn captured(most: Level, run: impl FnOnce()) -> Captured {
    // One for all threads. With one for each, a test without any that is the first to come by an event's callsite could
    // switch it off for the others: tracing asks only the subscriber of that thread.
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| tracing::subscriber::set_global_default(Capture).expect("no test sets another"));
    tracing::callsite::rebuild_interest_cache();

    let before = KEPT.replace(Some(Keeping { most: most.most(), entered: Vec::new(), entries: Vec::new() }));
    assert!(before.is_none(), "`captured` inside of `captured`");
    run();
    Captured { entries: KEPT.take().expect("it was set above").entries }
}

/// The same of a future, which is run on this thread over paused time.
///
/// # Panics
/// As [`captured`], and within a runtime.
pub fn captured_while(most: Level, run: impl Future<Output = ()>) -> Captured {
    captured(most, || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().start_paused(true).build().expect("it has no sockets").block_on(run);
    })
}

struct Keeping {
    most: tracing::Level,
    /// The spans that this thread is in.
    entered: Vec<u64>,
    entries: Vec<Entry>,
}

impl Keeping {
    fn span(&mut self, id: &Id) -> Option<&mut Span> {
        self.entries.iter_mut().find_map(|entry| match entry {
            Entry::Span(span) if span.id == id.into_u64() => Some(span),
            _ => None,
        })
    }

    fn depth(&self, parent: Option<u64>) -> usize {
        self.entries
            .iter()
            .find_map(|entry| match entry {
                Entry::Span(span) if Some(span.id) == parent => Some(span.depth + 1),
                _ => None,
            })
            .unwrap_or(0)
    }
}

#[derive(Debug)]
enum Entry {
    Event { depth: usize, line: String },
    Span(Span),
}

/// What was written, in its order. `Display` has a line for each span and event, further in by two for each span around it.
#[derive(Debug)]
pub struct Captured {
    entries: Vec<Entry>,
}

impl Captured {
    /// The events alone: `LEVEL target: message field=value`.
    pub fn events(&self) -> Vec<String> {
        let lines = self.entries.iter().filter_map(|entry| match entry {
            Entry::Event { line, .. } => Some(line.clone()),
            Entry::Span(_) => None,
        });
        lines.collect()
    }

    /// The spans alone, in the order in which they began.
    pub fn spans(&self) -> Vec<&Span> {
        let spans = self.entries.iter().filter_map(|entry| match entry {
            Entry::Span(span) => Some(span),
            Entry::Event { .. } => None,
        });
        spans.collect()
    }
}

impl fmt::Display for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| match entry {
            Entry::Event { depth, line } => writeln!(f, "{:1$}{line}", "", depth * 2),
            Entry::Span(span) => writeln!(f, "{:1$}{span}", "", span.depth * 2),
        })
    }
}

/// One span. `Display` is `LEVEL target: name field=value`, with the last value of each field, in the order in which they were recorded first.
#[derive(Debug)]
pub struct Span {
    id: u64,
    depth: usize,
    parent: Option<u64>,
    head: String,
    fields: Vec<(&'static str, String)>,
    handles: usize,
    entered: usize,
}

impl Span {
    /// What was recorded last in `field`, as `Debug` prints it.
    pub fn field(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, value)| value.as_str())
    }

    /// Whether it began inside of `other`, directly.
    pub fn is_child_of(&self, other: &Self) -> bool {
        self.parent == Some(other.id)
    }

    /// Whether nobody holds it any more.
    pub fn is_closed(&self) -> bool {
        self.handles == 0
    }

    /// How often it was entered.
    pub fn entered(&self) -> usize {
        self.entered
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head)?;
        self.fields.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

impl Visit for Span {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = format!("{value:?}");
        match self.fields.iter_mut().find(|(name, _)| *name == field.name()) {
            Some((_, last)) => *last = value,
            None => self.fields.push((field.name(), value)),
        }
    }
}

struct Capture;

/// Does `work` if this thread keeps something. What is written while it does, by a `Debug` say, is not kept.
fn keep<T: Default>(work: impl FnOnce(&mut Keeping) -> T) -> T {
    KEPT.with(|kept| kept.try_borrow_mut().ok()?.as_mut().map(work)).unwrap_or_default()
}

impl Subscriber for Capture {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        keep(|kept| metadata.level() <= &kept.most)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line { message: String::new(), fields: String::new() };
        event.record(&mut line);
        let (level, target) = (event.metadata().level(), event.metadata().target());
        let line = format!("{level} {target}: {}{}", line.message, line.fields);
        keep(|kept| {
            let depth = kept.depth(kept.entered.last().copied());
            kept.entries.push(Entry::Event { depth, line });
        });
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        keep(|kept| {
            let within = attributes.is_contextual().then(|| kept.entered.last().copied()).flatten();
            let parent = attributes.parent().map(Id::into_u64).or(within);
            let metadata = attributes.metadata();
            let head = format!("{} {}: {}", metadata.level(), metadata.target(), metadata.name());
            let depth = kept.depth(parent);
            let mut span = Span { id, depth, parent, head, fields: Vec::new(), handles: 1, entered: 0 };
            attributes.record(&mut span);
            kept.entries.push(Entry::Span(span));
        });
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        keep(|kept| kept.span(id).map(|span| values.record(span)));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, id: &Id) {
        keep(|kept| {
            kept.entered.push(id.into_u64());
            kept.span(id).map(|span| span.entered += 1)
        });
    }

    fn exit(&self, id: &Id) {
        keep(|kept| {
            let at = kept.entered.iter().rposition(|entered| *entered == id.into_u64());
            at.map(|at| kept.entered.remove(at))
        });
    }

    fn clone_span(&self, id: &Id) -> Id {
        keep(|kept| kept.span(id).map(|span| span.handles += 1));
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        keep(|kept| {
            kept.span(&id).map(|span| {
                span.handles -= 1;
                span.handles == 0
            })
        })
        .unwrap_or_default()
    }
}

struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
        written.expect("a string takes all");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_nested_and_closed_by_their_last_handle() {
        let kept = captured(Level::Info, || {
            let outer = tracing::info_span!(target: "t", "outer", a = 1);
            let inner = outer.in_scope(|| tracing::info_span!(target: "t", "inner"));
            let handle = inner.clone();
            drop(inner);
            outer.record("a", 2);
            std::mem::forget(handle);
        });
        let spans = kept.spans();
        assert_eq!(kept.to_string(), "INFO t: outer a=2\n  INFO t: inner\n");
        assert!(spans[1].is_child_of(spans[0]) && !spans[0].is_child_of(spans[1]));
        assert_eq!((spans[0].is_closed(), spans[1].is_closed()), (true, false));
        assert_eq!((spans[0].entered(), spans[0].field("a"), spans[0].field("b")), (1, Some("2"), None));
    }

    #[test]
    fn what_is_below_the_level_and_what_comes_outside_is_not_kept() {
        let kept = captured(Level::Warn, || {
            tracing::info!(target: "t", "no");
            tracing::warn!(target: "t", x = 1, "yes");
        });
        tracing::warn!(target: "t", "too late");
        assert_eq!(kept.events(), ["WARN t: yes x=1"]);
        assert_eq!(kept.spans().len(), 0);
    }

    #[test]
    fn each_level_has_those_above_it() {
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
            assert_eq!(captured(level, all).events(), lines[..=count]);
        }
    }

    #[test]
    fn a_future_is_run_over_paused_time() {
        let kept = captured_while(Level::Info, async {
            tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
            tracing::info!(target: "t", "an hour later");
        });
        assert_eq!(kept.events(), ["INFO t: an hour later"]);
    }

    #[test]
    fn each_thread_keeps_its_own() {
        let kept = captured(Level::Trace, || {
            std::thread::spawn(|| tracing::info!("another's")).join().expect("it does not panic");
            tracing::info!(target: "t", "mine");
        });
        assert_eq!(kept.events(), ["INFO t: mine"]);
    }
}
