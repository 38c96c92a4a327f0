//! An inbox for webhooks in one file. What it has acknowledged survives the process.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use bartizan_webhook::inbox::{Claim, Event, Inbox, Put, Settlement};
//! use bartizan_webhook_redb::RedbInbox;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = std::env::temp_dir().join(format!("inbox-of-the-docs-{}.redb", std::process::id()));
//! let inbox = RedbInbox::open(&path)?;
//!
//! let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
//! let event = Event::new("billing", "invoice.paid", now, r#"{"type":"invoice.paid"}"#).with_id("evt_1", true);
//! assert!(matches!(inbox.put(event.clone()).await?, Put::New(_)));
//! // Here it may be acknowledged. The sender did not hear of it, and tries again:
//! assert_eq!(inbox.put(event).await?, Put::Duplicate);
//!
//! let claims = inbox.claim(Claim { now, lease: Duration::from_secs(60), most: 10 }).await?;
//! for claimed in claims.claimed {
//!     assert_eq!(claimed.event.event_type(), "invoice.paid");
//!     inbox.settle(claimed.lease, Settlement::Done).await?;
//! }
//! inbox.close().await;
//! # std::fs::remove_file(&path)?;
//! # Ok(()) }
//! ```
//!
//! # One file, one process
//!
//! The file belongs to [redb](https://docs.rs/redb), a database in Rust alone. One process has it open, and as many clones and tasks of it as are
//! wanted; another process gets an [`OpenError`] that says so. Put it on a local disk that tells the truth about fsync.
//!
//! # Many events, one commit
//!
//! One thread changes the file. It takes what waits, 128 puts, claims and settlements at most, makes one transaction of it, and answers each once that is
//! on the disk: two syncs for all of them. While it writes the next ones gather. If the last group was larger than what is there it waits for 2 ms for the rest,
//! since those who were answered together come back together; one who is alone never waits. What changes nothing (a duplicate, a claim without anything due, a
//! lease that was lost) is no commit.
//!
//! It is a thread, no task, since a commit blocks, and so that what was taken is committed whatever becomes of the runtime. Up to 1024 may
//! wait for it; the next ones wait for a place, in their order, rather than being refused: it is free within milliseconds, and who
//! bounds the requests of a server bounds them too.
//!
//! # Defaults
//!
//! | | default | set with | why |
//! |---|---|---|---|
//! | remembered | 7 days, and as long as an event is there | [`Builder::remembered`] | senders try for three days and somewhat more |
//! | memory | 16 MiB of the file | [`Builder::cache_bytes`] | an inbox is short, or has a problem that memory does not mend |
//! | group | 128 | [`Builder::group_size`] | above that a commit takes longer, and little is won |
//! | its wait | 2 ms | [`Builder::group_wait`] | about what a commit takes |
//! | commit | fsync in two phases, and what is needed to open the file at once after a kill | | a header that was half written never decides what is there |
//!
//! # Failures
//!
//! | when | what happens |
//! |---|---|
//! | the process is killed | all that was answered is there; what was not may be, and is a duplicate when it comes again |
//! | the disk is full or fails | all that wait for that commit get [`unavailable`](bartizan_webhook::inbox::InboxError::unavailable), of which the database's error is a source; the file is opened anew for the next ones, and they go on once it works |
//! | an event's record cannot be read | the claim that meets it makes a dead letter of it, with its bytes as body, and goes on |
//! | the file is damaged | what meets the damage fails as `unavailable`; opening it may fail with an [`OpenError`] |
//! | the caller leaves | what was not begun is not done; what was is committed with the others |
//! | the last clone is dropped | what was asked for is committed, and the file is closed, soon after; [`RedbInbox::close`] waits for that |
//!
//! Where the database panics over what is damaged, that is caught and becomes `unavailable`, if panics unwind.
//!
//! # Cost
//!
//! A put costs its share of a commit. A claim reads the events that it gives out and no other. [`stats`](bartizan_webhook::inbox::Inbox::stats) goes through the entries of
//! all events that are there, without their bodies. These and the dead letters are read beside the committer, on threads of the runtime that may block: they need
//! tokio's. What need not be remembered any more is forgotten by later puts, 16 at a time. A file does not become shorter; it uses its room again.

mod builder;
mod committer;
mod date;
mod error;
mod file;
mod inbox;
mod record;
mod tables;

pub use builder::Builder;
pub use error::OpenError;
pub use inbox::RedbInbox;

#[cfg(test)]
mod tests;
