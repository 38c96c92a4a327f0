//! Acknowledgements that survive the process: how many a second, with one commit for many and with one for each.
//!
//! Not a [`Row`](crate::Row): it waits for a disk and turns a runtime, and of neither callgrind knows anything.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bartizan_core::WallClock;
use bartizan_webhook::inbox::{Event, Inbox};
use bartizan_webhook_redb::RedbInbox;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const CALLERS: u64 = 128;

const BODY: &str = r#"{"type":"invoice.paid","data":{"id":"in_1","amount":1250,"currency":"eur"}}"#;

/// Of one of both ways.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) a_second: f64,
    /// Acknowledgements by commit.
    pub(crate) a_commit: f64,
}

/// For each round, those of many to a commit and of one to a commit. So many are acknowledged to each caller in each.
///
/// # Errors
///
/// If there is no disk to write to, or it fails.
pub(crate) fn rounds(rounds: u64, each: u64) -> Result<Vec<[Figures; 2]>, String> {
    let folder = Folder::beside_the_program()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let default = RedbInbox::builder();
    let one = default.clone().group_size(NonZeroUsize::MIN);
    let mut all = Vec::new();
    for round in 0..rounds {
        let mut figures = Vec::new();
        for (name, builder) in [("many", &default), ("one", &one)] {
            let inbox = builder.open(folder.0.join(format!("{name}-{round}.redb")));
            figures.push(acknowledge(&runtime, inbox.map_err(|error| error.to_string())?, each)?);
        }
        all.push([figures[0], figures[1]]);
    }
    Ok(all)
}

fn acknowledge(runtime: &Runtime, inbox: RedbInbox, each: u64) -> Result<Figures, String> {
    runtime.block_on(async {
        let before = inbox.commits();
        let started = now();
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            callers.spawn(call(inbox.clone(), caller, each));
        }
        while let Some(caller) = callers.join_next().await {
            caller.map_err(|error| error.to_string())??;
        }
        let took = now() - started;
        let acknowledged = (CALLERS * each) as f64;
        let commits = (inbox.commits() - before) as f64;
        inbox.close().await;
        Ok(Figures {
            a_second: acknowledged / took.max(Duration::from_nanos(1)).as_secs_f64(),
            a_commit: acknowledged / commits,
        })
    })
}

/// The next one once the last one is durable, as the requests of one connection come.
async fn call(inbox: RedbInbox, caller: u64, each: u64) -> Result<(), String> {
    let clock = WallClock::default();
    for n in 0..each {
        let event = Event::new("billing", "invoice.paid", clock.now(), BODY);
        inbox
            .put(event.with_id(format!("evt_{caller}_{n}"), true))
            .await
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "it measures real time")]
fn now() -> Instant {
    Instant::now()
}

/// On the disk that the program is on, not in a temporary folder, which may be memory.
struct Folder(PathBuf);

impl Folder {
    fn beside_the_program() -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let folder =
            program.parent().unwrap_or(Path::new(".")).join(format!("durable-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_callers_share_commits_and_with_groups_of_one_none_does() {
        let rounds = rounds(1, 2).expect("there is a disk");
        let [[many, one]] = rounds[..] else { panic!("one round") };
        assert!(many.a_commit > 8.0, "{many:?}");
        assert!((one.a_commit - 1.0).abs() < 1e-9, "{one:?}");
    }
}
