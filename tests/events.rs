//! The table of events in bartizan-observe, held against the code that writes them.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Target, level and message.
type Event = [String; 3];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.file_name().is_some_and(|name| name == "trace.rs") {
            found.push(path);
        }
    }
}

/// `tracing::debug!(target: "...", .., "message")`: every event of a crate stands in a file named `trace.rs`.
fn written(source: &str) -> Vec<Event> {
    const MACRO: &str = "tracing::";
    let calls = source.match_indices(MACRO).filter_map(|(at, _)| {
        let (level, arguments) = source[at + MACRO.len()..].split_once("!(")?;
        ["error", "warn", "info", "debug", "trace"].contains(&level).then_some((level, arguments))
    });
    calls
        .map(|(level, arguments)| {
            let arguments = within(arguments);
            let texts: Vec<&str> = arguments.split('"').skip(1).step_by(2).collect();
            let is_named = arguments.trim_start().starts_with("target: \"");
            assert!(is_named, "an event without a target of its own: {level}!({arguments})");
            [texts[0], level, texts[texts.len() - 1]].map(str::to_owned)
        })
        .collect()
}

/// Up to the parenthesis that closes the macro.
fn within(arguments: &str) -> &str {
    let mut open = 1;
    let end = arguments.find(|c| {
        open += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        open == 0
    });
    &arguments[..end.expect("it is closed")]
}

fn table() -> BTreeSet<Event> {
    let rows = include_str!("../crates/bartizan-observe/events.md").lines().skip(2);
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let message = cells[2].strip_prefix("``").and_then(|cell| cell.strip_suffix("``"));
        [cells[0].trim_matches('`'), cells[1], message.unwrap_or(cells[2].trim_matches('`'))]
            .map(str::to_owned)
    })
    .collect()
}

#[test]
fn each_event_is_in_the_table_with_its_target_and_level() {
    let mut paths = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("crates"), &mut paths);
    let in_kit = |path: &PathBuf| path.ends_with("bartizan-test/src/trace.rs");
    let events: BTreeSet<Event> = paths
        .iter()
        .filter(|path| !in_kit(path))
        .flat_map(|path| written(&fs::read_to_string(path).unwrap()))
        .collect();
    // The log puts its message together of how a call ended, in `tracing::event!`.
    let told: BTreeSet<Event> = table().into_iter().filter(|row| row[0] != "bartizan_client::log").collect();
    assert_eq!(events, told);
    assert_eq!(table().len(), told.len() + 1);
}
