//! A receiver of webhooks is killed again and again, between any two instructions, and nothing that it has acknowledged is lost.
//!
//! The sender of each connection writes down every 2xx, with fsync, before it sends the next event. The process that is killed is this program once more:
//! the layer that verifies, the receiver, an inbox in a file, and a processor whose handlers write down what they have done. `WEBHOOK_KILLS=200` asks for more rounds than the ordinary run has.

#![cfg(unix)]
#![allow(missing_docs)]

mod child;
mod folder;
mod sender;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Chance, WallClock};
use bartizan_webhook::inbox::{Inbox, Stats};
use bartizan_webhook_redb::RedbInbox;
use tokio::sync::oneshot;

use child::{Child, HANDLERS};
use folder::Folder;
use sender::Sender;

/// So many in an ordinary run.
const KILLS: usize = 20;

const CONNECTIONS: usize = 8;

/// What the kills did.
#[derive(Debug, Default)]
struct Tally {
    kills: usize,
    /// Kills while at least one event was between the beginning of its put and the answer.
    between_put_and_answer: usize,
    /// Events that were kept and not acknowledged when the process was killed, and were sent again.
    kept_and_not_answered: usize,
    /// Events that the process had claimed and not settled when it was killed.
    leased: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 10)]
async fn nothing_that_was_acknowledged_is_lost_when_the_process_is_killed() {
    let kills = std::env::var("WEBHOOK_KILLS").map_or(KILLS, |number| number.parse().expect("a number"));
    let folder = Folder::new();
    let chance = Chance::from_seed(kills as u64);
    let mut senders: Vec<_> = (0..CONNECTIONS).map(|number| Sender::new(number, &folder)).collect();
    let mut tally = Tally::default();
    for _ in 0..kills {
        senders = round(&folder, senders, &chance, &mut tally).await;
    }

    drain(&folder).await;
    let mut handled = BTreeMap::<String, usize>::new();
    for line in folder.lines("handled") {
        *handled.entry(line).or_default() += 1;
    }
    let acknowledged = folder.lines("acknowledged");
    let by_each = |id: &&String| HANDLERS.iter().all(|name| handled.contains_key(&format!("{name} {id}")));
    let lost: Vec<_> = acknowledged.iter().filter(|id| !by_each(id)).collect();
    let twice: usize = handled.values().map(|times| times - 1).sum();
    println!(
        "{} acknowledged, {} lost, {twice} handled once more, {tally:?}",
        acknowledged.len(),
        lost.len()
    );
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(acknowledged.iter().collect::<BTreeSet<_>>().len(), acknowledged.len(), "each once");
    assert!(twice <= tally.leased, "{twice} were handled once more, and {} were leased", tally.leased);
    assert!(acknowledged.len() >= kills, "it did acknowledge");
    assert!(tally.between_put_and_answer * 4 >= kills, "the kills hit where it matters: {tally:?}");
}

/// The process is started, gets events, and is killed.
async fn round(folder: &Folder, senders: Vec<Sender>, chance: &Chance, tally: &mut Tally) -> Vec<Sender> {
    let mut child = Child::start(folder).await;
    let sending: Vec<_> =
        senders.into_iter().map(|sender| tokio::spawn(sender.send(child.socket()))).collect();
    tokio::time::sleep(Duration::from_millis(chance.next_u64() % 250)).await;
    if chance.next_u64().is_multiple_of(2) {
        child.is_between_put_and_answer().await;
    }
    child.kill();
    let mut senders = Vec::new();
    for sender in sending {
        senders.push(sender.await.expect("a sender ends with its connection"));
    }

    let acknowledged: BTreeSet<_> = folder.lines("acknowledged").into_iter().collect();
    let is_unanswered = folder.marked(child::PUT).iter().any(|id| !acknowledged.contains(id));
    tally.kills += 1;
    tally.between_put_and_answer += usize::from(is_unanswered);
    tally.kept_and_not_answered += folder.marked(child::KNOWN).len();
    tally.leased += folder.marked(child::CLAIMED).len() - folder.marked(child::SETTLED).len();
    folder.remove("marks");
    senders
}

/// Handles what is left, without a process that is killed.
async fn drain(folder: &Folder) {
    let inbox = RedbInbox::open(folder.inbox()).expect("a kill leaves no damage");
    // When all leases have ended.
    let late = || WallClock::system().now() + Duration::from_secs(3600);
    let processor = child::processor(
        Arc::new(folder.log("handled")),
        Arc::new(folder.log("marks")),
        WallClock::from_fn(late),
    );
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(processor.run(inbox.clone(), async { drop(stopped.await) }));
    let left = loop {
        let Stats { ready, waiting, leased, dead, .. } =
            inbox.stats(late()).await.expect("the inbox is there");
        if ready + waiting + leased == 0 {
            break dead;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(left, 0, "none is dead");
    let _ = stop.send(());
    running.await.expect("it ends");
    inbox.close().await;
}
