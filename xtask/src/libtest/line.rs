//! One line of `cargo test`, without what came before it.

use super::{Counts, Origin, Verdict};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    From(Origin),
    Running(usize),
    Result { name: &'a str, verdict: Option<Verdict> },
    Failures,
    Summary(Counts),
    Other,
}

impl<'a> Line<'a> {
    pub(super) fn read(line: &'a str) -> Self {
        if line == "failures:" {
            return Line::Failures;
        }
        origin(line)
            .map(Line::From)
            .or_else(|| summary(line).map(Line::Summary))
            .or_else(|| running(line).map(Line::Running))
            .or_else(|| result(line))
            .unwrap_or(Line::Other)
    }
}

/// `     Running unittests src/lib.rs (target/debug/deps/name-0123456789abcdef)` or `   Doc-tests name`. Cargo aligns its
/// verbs, so the indent tells them from a test's own print.
fn origin(line: &str) -> Option<Origin> {
    if let Some(library) = line.strip_prefix("   Doc-tests ") {
        return Some(Origin::Doctests(library.to_owned()));
    }
    let path = line.strip_prefix("     Running ")?.strip_suffix(')')?.rsplit_once('(')?.1;
    let file = path.rsplit(['/', '\\']).next()?;
    Some(Origin::Binary(file.to_owned()))
}

/// `running 3 tests`
fn running(line: &str) -> Option<usize> {
    let (count, noun) = line.strip_prefix("running ")?.split_once(' ')?;
    if matches!(noun, "test" | "tests") { count.parse().ok() } else { None }
}

/// `test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s`
fn summary(line: &str) -> Option<Counts> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |noun| counts.split("; ").find_map(|part| part.strip_suffix(noun)?.parse().ok());
    Some(Counts { ok: count(" passed")?, failed: count(" failed")?, ignored: count(" ignored")? })
}

/// `test name ... ok`
fn result(line: &str) -> Option<Line<'_>> {
    let (name, rest) = line.strip_prefix("test ")?.split_once(" ... ")?;
    Some(Line::Result { name: without_mode(name), verdict: verdict(rest) })
}

/// What libtest and rustdoc append to a name to say how the test is judged.
fn without_mode(name: &str) -> &str {
    let modes = [" - should panic", " - compile fail", " - compile"];
    modes.iter().find_map(|mode| name.strip_suffix(mode)).unwrap_or(name)
}

pub(super) fn verdict(text: &str) -> Option<Verdict> {
    match text {
        "ok" => Some(Verdict::Ok),
        "FAILED" => Some(Verdict::Failed),
        _ if text == "ignored" || text.starts_with("ignored, ") => Some(Verdict::Ignored),
        _ => None,
    }
}
