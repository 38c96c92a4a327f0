use std::fmt::Write;
use std::time::Duration;

use bartizan_core::error_line;

use crate::inbox::{FailedHandler, Progress};

use super::processed::is_done;
use super::{Failure, Schedule};

/// What is to become of an event after an attempt.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    Done,
    Retry { wait: Duration },
    Dead { reason: String },
}

/// What the handlers of an event did so far, in this attempt and before.
#[derive(Debug)]
pub(super) struct Tally {
    progress: Progress,
    /// The longest wait that a handler of this attempt asked for.
    asked: Option<Duration>,
}

impl Tally {
    pub(super) fn new(progress: Progress) -> Self {
        Self { progress, asked: None }
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    pub(super) fn into_progress(self) -> Progress {
        self.progress
    }

    /// A handler ran.
    pub(super) fn note(&mut self, name: &str, result: &Result<(), Failure>) {
        self.progress.failed.retain(|failed| failed.name != name);
        match result {
            Err(failure) if !is_done(result) => {
                self.asked = self.asked.max(failure.asked_wait());
                self.progress.failed.push(FailedHandler {
                    name: name.to_owned(),
                    error: failure.error().map(|error| error_line(error)).unwrap_or_default(),
                    is_permanent: failure.is_permanent(),
                });
            }
            _ => self.progress.done.push(name.to_owned()),
        }
    }

    /// What failed before and did not run in this attempt, since no handler has that name now, counts as it did.
    pub(super) fn verdict(&self, attempt: u32, schedule: &Schedule) -> Verdict {
        let failed = &self.progress.failed;
        if failed.is_empty() {
            return Verdict::Done;
        }
        if failed.iter().all(|failed| failed.is_permanent) {
            return Verdict::Dead { reason: named("failed for good", failed) };
        }
        match schedule.wait(attempt, self.asked) {
            Some(wait) => Verdict::Retry { wait },
            None => {
                Verdict::Dead { reason: named(&format!("failed in the last of {attempt} attempts"), failed) }
            }
        }
    }
}

/// Of an event that was claimed more often than there are attempts.
pub(super) fn unfinished(attempt: u32, schedule: &Schedule) -> Option<Verdict> {
    let attempts = schedule.attempts();
    (attempt > attempts).then(|| Verdict::Dead {
        reason: format!(
            "none of {attempts} attempts came to its end: it may end the process, or outlast its lease"
        ),
    })
}

fn named(what: &str, failed: &[FailedHandler]) -> String {
    let mut reason = format!("{what}: ");
    for (nth, handler) in failed.iter().enumerate() {
        let comma = if nth == 0 { "" } else { ", " };
        let _ = write!(reason, "{comma}{}", handler.name.escape_debug());
    }
    reason
}
