//! A subscriber that looks through whatever this process logs, of all crates and at all levels.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::detector;

static LOGGED: LazyLock<Mutex<Logged>> = LazyLock::new(Mutex::default);

/// What was logged so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logged {
    /// How many events and spans, by the crate that logged them.
    pub(crate) by_crate: BTreeMap<String, usize>,
    /// Those that should not have been.
    pub(crate) leaks: Vec<String>,
    /// The targets of other crates that log what is not marked as sensitive.
    pub(crate) foreign: BTreeSet<String>,
}

/// Begins to record; once a process, whoever comes first.
pub(crate) fn record() {
    static ONCE: LazyLock<()> = LazyLock::new(|| {
        tracing::subscriber::set_global_default(Recorder { spans: AtomicU64::new(1) })
            .expect("nobody else sets a subscriber");
    });
    LazyLock::force(&ONCE);
}

/// What was logged so far, by all tests of this process.
pub(crate) fn logged() -> Logged {
    LOGGED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

struct Recorder {
    spans: AtomicU64,
}

impl Recorder {
    fn take(&self, metadata: &Metadata<'_>, text: &str) {
        let target = metadata.target();
        let name = target.split("::").next().unwrap_or_default();
        // Ours never show a secret. What others do with values that are not marked, nobody can help from here.
        let is_leak = detector::has_marked(text) || name.starts_with("bartizan") && detector::has_plain(text);
        let is_foreign = !is_leak && detector::has_plain(text);
        let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
        *logged.by_crate.entry(name.to_owned()).or_default() += 1;
        if is_leak {
            logged.leaks.push(format!("{target}: {text}"));
        }
        if is_foreign {
            logged.foreign.insert(target.to_owned());
        }
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = Text(span.metadata().name().to_owned());
        span.record(&mut text);
        self.take(span.metadata(), &text.0);
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut text = Text(String::new());
        values.record(&mut text);
        // Whose span it is is not kept: it counts as ours.
        let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
        if detector::has_marked(&text.0) || detector::has_plain(&text.0) {
            logged.leaks.push(format!("recorded later: {}", text.0));
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.take(event.metadata(), &text.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// All fields of an event, as `Debug` and, of errors, as `Display` with their sources.
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0 += &format!(" {}={value}", field.name());
    }

    fn record_error(&mut self, field: &Field, error: &(dyn std::error::Error + 'static)) {
        self.0 += &format!(" {}={}", field.name(), super::chain(error));
    }
}
