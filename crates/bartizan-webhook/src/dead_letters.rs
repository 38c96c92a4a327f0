//! Dead letters: events that were given up, until somebody drives them again or drops them.
//!
//! ```
//! use std::num::NonZeroU32;
//! use bartizan_webhook::dead_letters::{DeadLetters, Filter};
//! use bartizan_webhook::inbox::VolatileInbox;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let letters = DeadLetters::new(VolatileInbox::new());
//! let ledger = Filter::all().event_type("invoice.*".parse()?).reason_contains("book");
//! for letter in letters.list(&ledger, None, 20).await? {
//!     println!("{}: {}", letter.id, letter.reason);
//! }
//! // Once the ledger is open again, ten a second.
//! let redriven = letters.redrive_all(ledger).rate(NonZeroU32::new(10).expect("it is not zero")).run().await?;
//! println!("{} of {}", redriven.redriven(), redriven.ids().len());
//! # Ok(())
//! # }
//! ```
//!
//! A letter that is driven again has all its attempts anew, and runs those handlers that were not done.

mod export;
mod filter;
mod redrive;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;

use bartizan_core::WallClock;

use crate::inbox::{DeadLetter, EntryId, Inbox, InboxError, Stats};

pub use self::export::ExportFailed;
pub use self::filter::Filter;
pub use self::redrive::{Redrive, RedriveFailed, Redriven};

/// The dead letters of an inbox.
#[derive(Clone)]
pub struct DeadLetters<I> {
    inbox: I,
    wall_clock: WallClock,
}

/// How many letters are read at once: with bodies of 1 MiB, the limit by default, 64 MiB.
const PAGE: usize = 64;

impl<I: Inbox> DeadLetters<I> {
    /// Those of that inbox.
    pub fn new(inbox: I) -> Self {
        Self { inbox, wall_clock: WallClock::system() }
    }

    /// Where the date comes from. The system's clock by default.
    #[must_use]
    pub fn wall_clock(mut self, clock: WallClock) -> Self {
        self.wall_clock = clock;
        self
    }

    /// Those that the filter lets through, in the order of their numbers, from the one after `after` on, and `most` of them at most.
    ///
    /// # Errors
    /// When the inbox fails.
    pub async fn list(
        &self,
        filter: &Filter,
        after: Option<EntryId>,
        most: usize,
    ) -> Result<Vec<DeadLetter>, InboxError> {
        let mut pages = Pages { inbox: &self.inbox, after };
        let mut letters = Vec::new();
        while letters.len() < most
            && let Some(page) = pages.next().await?
        {
            letters.extend(page.into_iter().filter(|letter| filter.matches(letter)));
        }
        letters.truncate(most);
        Ok(letters)
    }

    /// That one, if it is a dead letter.
    ///
    /// # Errors
    /// When the inbox fails.
    pub async fn show(&self, id: EntryId) -> Result<Option<DeadLetter>, InboxError> {
        self.inbox.dead_letter(id).await
    }

    /// Drives that one again. Returns whether it was a dead letter.
    ///
    /// # Errors
    /// When the inbox fails.
    pub async fn redrive(&self, id: EntryId) -> Result<bool, InboxError> {
        Ok(self.inbox.redrive(vec![id], self.wall_clock.now()).await? > 0)
    }

    /// Drives those again that the filter lets through, once [`run`](Redrive::run) is called.
    pub fn redrive_all(&self, filter: Filter) -> Redrive<'_, I> {
        Redrive::new(&self.inbox, &self.wall_clock, filter)
    }

    /// Drops letters for good. Returns how many of them were dead.
    ///
    /// # Errors
    /// When the inbox fails.
    pub async fn drop(&self, ids: impl IntoIterator<Item = EntryId>) -> Result<usize, InboxError> {
        self.inbox.drop_dead(ids.into_iter().collect()).await
    }

    /// Writes those that the filter lets through, one JSON object a line, in the order of their numbers. Returns how many.
    ///
    /// | name | value |
    /// |---|---|
    /// | `id` | the inbox's number |
    /// | `source`, `type`, `order_key` | of the event; no `order_key` is `null` |
    /// | `event_id` | the sender's, or `null` |
    /// | `received`, `died` | dates as RFC 3339 has them |
    /// | `reason`, `attempts`, `redriven` | of the letter |
    /// | `handlers` | `{"done":["name"],"failed":[{"name":"..","error":"..","permanent":true}]}` |
    /// | `body`, or `body_base64` if it is not UTF-8 | the raw body |
    ///
    /// Header fields are not written. The writer is written to on the thread that polls this; a slow one belongs behind a channel.
    ///
    /// # Errors
    /// When the inbox or the writer fails.
    pub async fn export(&self, filter: &Filter, mut writer: impl io::Write) -> Result<u64, ExportFailed> {
        let mut pages = Pages { inbox: &self.inbox, after: None };
        let mut written = 0;
        loop {
            let page = pages.next().await.map_err(|error| ExportFailed::new(written, error))?;
            let Some(page) = page else { break };
            for letter in page.iter().filter(|letter| filter.matches(letter)) {
                let line = export::line(letter);
                writer.write_all(line.as_bytes()).map_err(|error| ExportFailed::new(written, error))?;
                written += 1;
            }
        }
        writer.flush().map_err(|error| ExportFailed::new(written, error))?;
        Ok(written)
    }

    /// How many events the inbox has, dead and not.
    ///
    /// # Errors
    /// When the inbox fails.
    pub async fn stats(&self) -> Result<Stats, InboxError> {
        self.inbox.stats(self.wall_clock.now()).await
    }
}

impl<I> fmt::Debug for DeadLetters<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetters").finish_non_exhaustive()
    }
}

/// All dead letters, a page at a time.
struct Pages<'a, I> {
    inbox: &'a I,
    after: Option<EntryId>,
}

impl<I: Inbox> Pages<'_, I> {
    async fn next(&mut self) -> Result<Option<Vec<DeadLetter>>, InboxError> {
        let page = self.inbox.dead(self.after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.after = Some(last.id);
        Ok(Some(page))
    }
}
