//! Reads the plain output of `cargo test`, line by line. It sees stdout and stderr as one stream: cargo names each test
//! binary on the one, and libtest the tests on the other.
//!
//! What a test prints past libtest's capture can tear a result line apart, so each run's results are counted and
//! held against libtest's own count.

mod line;
#[cfg(test)]
mod tests;

use line::Line;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ok,
    Failed,
    Ignored,
}

/// Where tests come from, in cargo's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The file name of the test binary, with its hash.
    Binary(String),
    /// The name of the library whose documentation is tested.
    Doctests(String),
}

/// One "running n tests" and what came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) origin: Option<Origin>,
    pub(crate) announced: usize,
    pub(crate) results: Vec<(String, Verdict)>,
    /// What libtest counted; none when the binary died first.
    pub(crate) summary: Option<Counts>,
}

impl Run {
    /// Whether every result was read, and read right.
    pub(crate) fn is_complete(&self) -> bool {
        self.summary == Some(Counts::of(self.results.iter().map(|(_, verdict)| *verdict)))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) ok: usize,
    pub(crate) failed: usize,
    pub(crate) ignored: usize,
}

impl Counts {
    pub(crate) fn of(verdicts: impl IntoIterator<Item = Verdict>) -> Self {
        let mut counts = Self::default();
        for verdict in verdicts {
            match verdict {
                Verdict::Ok => counts.ok += 1,
                Verdict::Failed => counts.failed += 1,
                Verdict::Ignored => counts.ignored += 1,
            }
        }
        counts
    }
}

/// Feed it every line, then take what it read.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    origin: Option<Origin>,
    runs: Vec<Run>,
    place: Place,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Outside,
    Results,
    /// The name stands, its verdict was pushed to a later line by what the test printed.
    AfterName(String),
    /// Captured output follows, which may look like anything; the last summary in it is libtest's.
    Failures,
}

impl Parser {
    pub(crate) fn feed(&mut self, line: &str) {
        let line = line.trim_end_matches(['\n', '\r']);
        match (Line::read(line), &mut self.place) {
            (Line::Summary(counts), _) => {
                if let Some(run) = self.runs.last_mut() {
                    run.summary = Some(counts);
                }
                self.place = Place::Outside;
            }
            (_, Place::Failures) => {}
            (Line::From(origin), _) => (self.origin, self.place) = (Some(origin), Place::Outside),
            (Line::Running(announced), Place::Outside) => {
                self.runs.push(Run {
                    origin: self.origin.clone(),
                    announced,
                    results: Vec::new(),
                    summary: None,
                });
                self.place = Place::Results;
            }
            (Line::Failures, Place::Results) => self.place = Place::Failures,
            (Line::Result { name, verdict }, Place::Results | Place::AfterName(_)) => match verdict {
                Some(verdict) => self.push(name.to_owned(), verdict),
                None => self.place = Place::AfterName(name.to_owned()),
            },
            (Line::Other, Place::AfterName(name)) => {
                if let Some(verdict) = line::verdict(line) {
                    let name = std::mem::take(name);
                    self.push(name, verdict);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn finish(self) -> Vec<Run> {
        self.runs
    }

    fn push(&mut self, name: String, verdict: Verdict) {
        if let Some(run) = self.runs.last_mut() {
            run.results.push((name, verdict));
        }
        self.place = Place::Results;
    }
}
