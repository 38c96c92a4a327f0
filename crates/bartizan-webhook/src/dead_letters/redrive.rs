use std::error::Error;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use bartizan_core::WallClock;
use tokio::time::sleep;

use crate::inbox::{EntryId, Inbox, InboxError};

use super::{Filter, PAGE, Pages};

/// Drives the dead letters of a filter again. Nothing happens before [`run`](Self::run).
#[derive(Debug)]
#[must_use = "nothing is driven before `run`"]
pub struct Redrive<'a, I> {
    inbox: &'a I,
    wall_clock: &'a WallClock,
    filter: Filter,
    rate: Option<NonZeroU32>,
    is_dry: bool,
}

impl<'a, I: Inbox> Redrive<'a, I> {
    pub(super) fn new(inbox: &'a I, wall_clock: &'a WallClock, filter: Filter) -> Self {
        Self { inbox, wall_clock, filter, rate: None, is_dry: false }
    }

    /// At most so many a second, for who has to process them. As fast as the inbox takes them by default.
    pub fn rate(mut self, per_second: NonZeroU32) -> Self {
        self.rate = Some(per_second);
        self
    }

    /// Only looks which ones are meant. They are driven by default.
    pub fn dry_run(mut self) -> Self {
        self.is_dry = true;
        self
    }

    /// Drives those that are dead letters when it begins, each once: what dies again meanwhile stays dead. Dropped, it stops where it is.
    ///
    /// # Errors
    /// When the inbox fails; the error tells what was done before.
    pub async fn run(self) -> Result<Redriven, RedriveFailed> {
        let mut report = Redriven::default();
        match self.drive(&mut report).await {
            Ok(()) => Ok(report),
            Err(source) => Err(RedriveFailed { report, source }),
        }
    }

    async fn drive(&self, report: &mut Redriven) -> Result<(), InboxError> {
        let mut pages = Pages { inbox: self.inbox, after: None };
        while let Some(page) = pages.next().await? {
            let meant = page.iter().filter(|letter| self.filter.matches(letter));
            report.ids.extend(meant.map(|letter| letter.id));
        }
        if self.is_dry {
            return Ok(());
        }
        let (most, pause) = pace(self.rate);
        for (nth, ids) in report.ids.chunks(most).enumerate() {
            if nth > 0 && !pause.is_zero() {
                sleep(pause).await;
            }
            report.redriven += self.inbox.redrive(ids.to_vec(), self.wall_clock.now()).await?;
        }
        Ok(())
    }
}

/// How many at once, and how far apart: a tenth of a second's, so that a low rate is even and a high one needs few commits.
fn pace(rate: Option<NonZeroU32>) -> (usize, Duration) {
    let Some(rate) = rate else { return (PAGE, Duration::ZERO) };
    let most = rate.get().div_ceil(10);
    (most as usize, Duration::from_secs(1) * most / rate.get())
}

/// What a redrive did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redriven {
    ids: Vec<EntryId>,
    redriven: usize,
}

impl Redriven {
    /// Those that were meant, in their order.
    pub fn ids(&self) -> &[EntryId] {
        &self.ids
    }

    /// How many of them were driven again: none in a dry run, and not those that somebody else drove or dropped meanwhile.
    pub fn redriven(&self) -> usize {
        self.redriven
    }
}

/// A redrive broke off.
#[derive(Debug)]
pub struct RedriveFailed {
    report: Redriven,
    source: InboxError,
}

impl RedriveFailed {
    /// What was done before.
    pub fn report(&self) -> &Redriven {
        &self.report
    }
}

impl fmt::Display for RedriveFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the redrive broke off after {} dead letters", self.report.redriven)
    }
}

impl Error for RedriveFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_of_a_rate() {
        let second = Duration::from_secs(1);
        for (rate, most, pause) in [
            (1, 1, second),
            (10, 1, second / 10),
            (25, 3, 3 * second / 25),
            (1000, 100, second / 10),
            (u32::MAX, 429_496_730, second / 10),
        ] {
            let (paced, paused) = pace(NonZeroU32::new(rate));
            assert_eq!(paced, most, "{rate}");
            assert!(
                paused >= pause - Duration::from_millis(1) && paused <= pause + Duration::from_millis(1),
                "{rate}"
            );
        }
    }
}
