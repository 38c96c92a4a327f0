use std::error::Error;
use std::fmt;

use bartizan_core::{BoxError, Utc};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::EventId;
use crate::inbox::DeadLetter;

/// With its line feed.
pub(super) fn line(letter: &DeadLetter) -> String {
    let DeadLetter { id, event, died, reason, attempts, redriven, progress } = letter;
    let failed = progress.failed.iter().map(
        |failed| json!({ "name": failed.name, "error": failed.error, "permanent": failed.is_permanent }),
    );
    let body = match std::str::from_utf8(event.body()) {
        Ok(text) => ("body", json!(text)),
        Err(_) => ("body_base64", json!(STANDARD.encode(event.body()))),
    };
    // In this order, which a map would not keep.
    let fields: [(&str, Value); 12] = [
        ("id", json!(id.get())),
        ("source", json!(event.source())),
        ("type", json!(event.event_type())),
        ("event_id", json!(event.id().map(EventId::as_str))),
        ("order_key", json!(event.order_key())),
        ("received", json!(Utc(event.received()).to_string())),
        ("died", json!(Utc(*died).to_string())),
        ("reason", json!(reason)),
        ("attempts", json!(attempts)),
        ("redriven", json!(redriven)),
        ("handlers", json!({ "done": progress.done, "failed": failed.collect::<Value>() })),
        body,
    ];
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}\n", fields.join(","))
}

/// An export broke off: the inbox failed, or the writer.
#[derive(Debug)]
pub struct ExportFailed {
    written: u64,
    source: BoxError,
}

impl ExportFailed {
    pub(super) fn new(written: u64, error: impl Into<BoxError>) -> Self {
        Self { written, source: error.into() }
    }

    /// How many letters were written before. Of the next a part may be.
    pub fn written(&self) -> u64 {
        self.written
    }
}

impl fmt::Display for ExportFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the export of dead letters broke off after {}", self.written)
    }
}

impl Error for ExportFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
