//! What takes a file that can be made to fail.

mod disk;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bartizan_webhook::conformance;
use bartizan_webhook::inbox::{Claim, Claims, Event, Inbox, Progress, Put, Settlement};
use redb::backends::InMemoryBackend;
use tokio::task::JoinSet;

use self::disk::Disk;
use crate::tables::Tables;
use crate::{Builder, OpenError, RedbInbox};

fn open(disk: &Disk, builder: &Builder) -> Result<RedbInbox, OpenError> {
    builder.start(std::path::Path::new("in memory").into(), disk.opener())
}

fn on(disk: &Disk) -> RedbInbox {
    open(disk, &Builder::default()).expect("the disk works")
}

fn event(id: impl ToString) -> Event {
    Event::new("billing", "invoice.paid", SystemTime::UNIX_EPOCH, "{}").with_id(id.to_string(), true)
}

async fn claim(inbox: &RedbInbox, most: usize) -> Claims {
    let claim = Claim { now: SystemTime::UNIX_EPOCH, lease: Duration::from_secs(30), most };
    inbox.claim(claim).await.expect("the disk works")
}

/// As the process finds it when it is started again: what was written and not synced is lost.
async fn ids_after_a_crash(disk: &Disk) -> Vec<String> {
    let inbox = on(&disk.after_a_crash());
    let claims = claim(&inbox, 1000).await;
    claims.claimed.iter().map(|claimed| claimed.event.id().expect("it has one").as_str().to_owned()).collect()
}

/// Changes what is in a closed file.
fn by_hand(disk: &Disk, change: impl FnOnce(&mut Tables<'_>)) {
    let database = disk.opener()().expect("the disk works");
    let transaction = database.begin_write().expect("the disk works");
    change(&mut Tables::open(&transaction).expect("it is an inbox"));
    transaction.commit().expect("the disk works");
}

#[tokio::test]
async fn histories_go_as_the_model_says() {
    conformance::histories(50, async || {
        let opener = || redb::Builder::new().create_with_backend(InMemoryBackend::new());
        Builder::default()
            .start(std::path::Path::new("in memory").into(), Box::new(opener))
            .expect("it works")
    })
    .await;
}

async fn put_at_once(inbox: &RedbInbox, count: u64) {
    let mut puts = JoinSet::new();
    for n in 0..count {
        let inbox = inbox.clone();
        puts.spawn(async move { inbox.put(event(n)).await });
    }
    for put in puts.join_all().await {
        assert!(matches!(put, Ok(Put::New(_))));
    }
}

#[tokio::test]
async fn many_who_put_at_once_are_few_commits() {
    let inbox = on(&Disk::default());
    put_at_once(&inbox, 512).await;
    // Four groups of 128, and the first of all, who did not wait; twice as many where threads are slow.
    assert!(inbox.commits() <= 10, "{} commits", inbox.commits());
}

#[tokio::test]
async fn groups_of_one_are_a_commit_each() {
    let inbox =
        open(&Disk::default(), &RedbInbox::builder().group_size(NonZeroUsize::MIN)).expect("it works");
    put_at_once(&inbox, 50).await;
    assert_eq!(inbox.commits(), 50);
}

#[tokio::test]
async fn what_changes_nothing_is_not_committed() {
    let disk = Disk::default();
    let inbox = on(&disk);
    inbox.put(event(1)).await.expect("the disk works");
    let lease = claim(&inbox, 1).await.claimed[0].lease;
    inbox.settle(lease, Settlement::Done).await.expect("it is leased");
    let before = inbox.commits();
    // Whatever is written fails.
    disk.fail_after(0);
    assert_eq!(inbox.put(event(1)).await.expect("the disk works"), Put::Duplicate);
    assert!(claim(&inbox, 1).await.claimed.is_empty());
    assert!(inbox.settle(lease, Settlement::Done).await.expect_err("it was settled").is_lease_lost());
    assert_eq!(inbox.redrive(vec![lease.id], SystemTime::UNIX_EPOCH).await.expect("the disk works"), 0);
    assert_eq!(inbox.drop_dead(vec![lease.id]).await.expect("the disk works"), 0);
    assert_eq!(inbox.commits(), before);
}

#[tokio::test]
async fn a_lease_that_was_lost_fails_none_of_those_who_wait_for_the_same_commit() {
    let inbox = on(&Disk::default());
    inbox.put(event("old")).await.expect("the disk works");
    let lease = claim(&inbox, 1).await.claimed[0].lease;
    inbox.settle(lease, Settlement::Done).await.expect("it is leased");
    let before = inbox.commits();
    let (a, lost, b) =
        tokio::join!(inbox.put(event("a")), inbox.settle(lease, Settlement::Done), inbox.put(event("b")),);
    assert!(lost.expect_err("it was settled").is_lease_lost());
    assert!(matches!((a, b), (Ok(Put::New(_)), Ok(Put::New(_)))));
    assert!(inbox.commits() > before);
}

/// The disk fails at the `n`th write or sync from some point on, for each `n` until nothing fails any more.
#[tokio::test]
async fn wherever_the_disk_fails_nothing_is_lost_that_was_acknowledged() {
    let failures = Arc::new(AtomicU64::new(0));
    for working in 0..200 {
        let disk = Disk::default();
        let inbox = on(&disk);
        disk.fail_after(working);
        let mut acknowledged = Vec::new();
        for n in 0..6 {
            match inbox.put(event(n)).await {
                Ok(_) => acknowledged.push(n.to_string()),
                Err(error) => {
                    failures.fetch_add(1, Ordering::Relaxed);
                    assert!(!error.is_lease_lost());
                }
            }
        }
        let kept = ids_after_a_crash(&disk).await;
        let lost: Vec<_> = acknowledged.iter().filter(|id| !kept.contains(id)).collect();
        assert!(lost.is_empty(), "after {working}: {lost:?} of {acknowledged:?}");
        if acknowledged.len() == 6 {
            break;
        }
    }
    assert!(failures.load(Ordering::Relaxed) > 50, "the disk did fail");
}

#[tokio::test]
async fn all_who_wait_for_a_commit_that_fails_hear_of_it_and_nothing_is_shown_of_what_they_asked() {
    let disk = Disk::default();
    let inbox = on(&disk);
    disk.fail_after(0);
    let (a, b) = tokio::join!(inbox.put(event("a")), inbox.put(event("b")));
    for put in [a, b] {
        let error = put.expect_err("nothing is written");
        // Of the commit, or, for one who came after it, of opening the file anew.
        assert!(!error.is_lease_lost() && std::error::Error::source(&error).is_some());
    }
    disk.mend();
    assert!(claim(&inbox, 10).await.claimed.is_empty(), "memory is not ahead of the file");
}

#[tokio::test]
async fn an_inbox_whose_disk_works_again_is_back() {
    let disk = Disk::default();
    let inbox = on(&disk);
    inbox.put(event("before")).await.expect("the disk works");
    disk.fail_after(1);
    for _ in 0..3 {
        inbox.put(event("meanwhile")).await.expect_err("nothing is synced");
    }
    disk.mend();
    assert_eq!(inbox.put(event("before")).await.expect("the disk works"), Put::Duplicate);
    assert!(matches!(inbox.put(event("after")).await, Ok(Put::New(_))));
}

#[tokio::test]
async fn what_cannot_be_read_becomes_a_dead_letter_and_stands_in_nobodys_way() {
    let disk = Disk::default();
    let inbox = on(&disk);
    let mut ids = Vec::new();
    for (n, key) in [None, Some("key"), Some("other"), None].into_iter().enumerate() {
        let event = match key {
            Some(key) => event(n).with_order_key(key),
            None => event(n),
        };
        let Ok(Put::New(id)) = inbox.put(event).await else { panic!("the disk works") };
        ids.push(id);
    }
    inbox.put(event("behind").with_order_key("key")).await.expect("the disk works");
    inbox.close().await;
    by_hand(&disk, |tables| {
        tables.spoil(ids[0], true, false);
        tables.spoil(ids[1], true, true);
        tables.spoil(ids[2], false, true);
    });

    let inbox = on(&disk);
    assert_eq!(inbox.stats(SystemTime::UNIX_EPOCH).await.expect("the disk works").ready, 5);
    let claims = claim(&inbox, 10).await;
    let claimed: Vec<_> =
        claims.claimed.iter().map(|claimed| claimed.event.id().expect("it has one").as_str()).collect();
    assert_eq!(claimed, ["3", "behind"]);
    let letters = inbox.dead(None, 10).await.expect("the disk works");
    assert_eq!(letters.iter().map(|letter| letter.id).collect::<Vec<_>>(), ids[..3]);
    for letter in &letters {
        assert!(letter.reason.contains("cannot be read"), "{}", letter.reason);
        assert_eq!(inbox.dead_letter(letter.id).await.expect("the disk works").as_ref(), Some(letter));
    }
    assert_eq!(letters[0].event.body(), "{}", "what can be read is shown");
    assert_eq!(&letters[1].event.body()[..], b"\xff\xff", "what cannot is shown as it is");
    assert_eq!(letters[2].event.source(), "billing");
    assert_eq!(inbox.drop_dead(ids[..3].to_vec()).await.expect("the disk works"), 3);
}

#[tokio::test]
async fn a_dead_letter_that_cannot_be_read_can_be_seen_and_dropped_and_is_not_driven_again() {
    let disk = Disk::default();
    let inbox = on(&disk);
    let Ok(Put::New(id)) = inbox.put(event(1)).await else { panic!("the disk works") };
    let lease = claim(&inbox, 1).await.claimed[0].lease;
    let dead = Settlement::dead(SystemTime::UNIX_EPOCH, "it was tried often enough", Progress::default());
    inbox.settle(lease, dead).await.expect("it is leased");
    inbox.close().await;
    by_hand(&disk, |tables| tables.spoil(id, true, true));

    let inbox = on(&disk);
    assert!(inbox.dead_letter(id).await.expect("the disk works").is_some());
    assert_eq!(inbox.redrive(vec![id], SystemTime::UNIX_EPOCH).await.expect("the disk works"), 0);
    assert_eq!(inbox.drop_dead(vec![id]).await.expect("the disk works"), 1);
    assert!(inbox.dead(None, 10).await.expect("the disk works").is_empty());
}

#[tokio::test]
async fn a_newer_format_is_not_touched() {
    let disk = Disk::default();
    on(&disk).close().await;
    by_hand(&disk, |tables| tables.set_format(2));
    let error = open(&disk, &Builder::default()).expect_err("it is of format 2");
    assert_eq!(
        error.to_string(),
        "the inbox in memory cannot be opened: it is of format 2, which this version does not know"
    );
}

#[tokio::test]
async fn a_database_of_something_else_is_not_touched() {
    let disk = Disk::default();
    let database = disk.opener()().expect("the disk works");
    let transaction = database.begin_write().expect("the disk works");
    transaction.open_table(redb::TableDefinition::<u64, u64>::new("accounts")).expect("it is new");
    transaction.commit().expect("the disk works");
    drop(database);
    let error = open(&disk, &Builder::default()).expect_err("it is no inbox");
    assert_eq!(error.to_string(), "the inbox in memory cannot be opened: it is a database of something else");
}

/// Whatever comes of it, it is an error, not a panic of whoever asks.
#[tokio::test]
async fn a_damaged_file_panics_in_nobodys_face() {
    let disk = Disk::default();
    let inbox = on(&disk);
    for n in 0..40 {
        inbox.put(event(n).with_order_key((n % 3).to_string())).await.expect("the disk works");
    }
    inbox.close().await;
    let chance = bartizan_core::Chance::from_seed(1);
    let (mut not_opened, mut failed) = (0, 0);
    for _ in 0..40 {
        let damaged = disk.after_a_crash();
        damaged.damage(&chance);
        let Ok(inbox) = open(&damaged, &Builder::default()) else {
            not_opened += 1;
            continue;
        };
        let request = Claim { now: SystemTime::UNIX_EPOCH, lease: Duration::from_secs(30), most: 100 };
        failed += usize::from(inbox.claim(request).await.is_err());
        failed += usize::from(inbox.put(event("new")).await.is_err());
        failed += usize::from(inbox.dead(None, 10).await.is_err());
        failed += usize::from(inbox.stats(SystemTime::UNIX_EPOCH).await.is_err());
        inbox.close().await;
    }
    println!("{not_opened} were not opened, {failed} calls failed");
    assert!(not_opened > 0 && failed > 0, "the damage is seen");
}

#[tokio::test]
async fn what_need_not_be_remembered_is_forgotten_a_few_at_a_time() {
    let inbox =
        open(&Disk::default(), &RedbInbox::builder().remembered(Duration::from_secs(10))).expect("it works");
    for n in 0..40 {
        inbox.put(event(n)).await.expect("the disk works");
    }
    for claimed in claim(&inbox, 100).await.claimed {
        inbox.settle(claimed.lease, Settlement::Done).await.expect("it is leased");
    }
    let later = SystemTime::UNIX_EPOCH + Duration::from_secs(10);
    let at = |id: &str| Event::new("billing", "invoice.paid", later, "{}").with_id(id, true);
    // The one whose turn to be forgotten comes last.
    let last = (0..40).max_by_key(|n| event(n).dedupe_key()).expect("there are some").to_string();
    inbox.put(at("new")).await.expect("the disk works");
    assert_eq!(inbox.stats(later).await.expect("the disk works").remembered, 40 - 16 + 1);
    assert!(
        matches!(inbox.put(at(&last)).await, Ok(Put::New(_))),
        "its time is over, though it is still known"
    );
    for claimed in inbox
        .claim(Claim { now: later, lease: Duration::from_secs(30), most: 9 })
        .await
        .expect("it works")
        .claimed
    {
        inbox.settle(claimed.lease, Settlement::Done).await.expect("it is leased");
    }
    for n in 0..3 {
        inbox.put(at(&format!("newer {n}"))).await.expect("the disk works");
    }
    assert_eq!(inbox.put(at(&last)).await.expect("the disk works"), Put::Duplicate, "it is remembered anew");
}

#[tokio::test]
async fn an_event_that_is_too_long_for_the_file_fails_alone() {
    let inbox = on(&Disk::default());
    let too_long = Event::new("billing", "invoice.paid", SystemTime::UNIX_EPOCH, vec![0; (1 << 30) + 1]);
    let error = inbox.put(too_long).await.expect_err("it is longer than a GiB");
    let source = std::error::Error::source(&error).expect("it says why").to_string();
    assert_eq!(source, "the inbox in memory takes no event of 1073741825 bytes");
}

/// Polls it once, which asks the committer.
async fn begin(future: impl Future + Unpin) {
    tokio::select! { biased; _ = future => {}, () = std::future::ready(()) => {} }
}

#[tokio::test]
async fn a_claim_that_nobody_waits_for_any_more_leases_nothing() {
    let disk = Disk::default();
    let inbox = on(&disk);
    inbox.put(event(1)).await.expect("the disk works");
    disk.hold();
    let mut put = inbox.put(event(2));
    begin(&mut put).await;
    disk.is_held_up().await;
    let request = Claim { now: SystemTime::UNIX_EPOCH, lease: Duration::from_secs(30), most: 10 };
    let mut given_up = inbox.claim(request);
    begin(&mut given_up).await;
    drop(given_up);
    disk.release();
    put.await.expect("the disk works");
    assert_eq!(claim(&inbox, 10).await.claimed.len(), 2);
}

#[tokio::test]
async fn who_finds_no_place_waits_for_one() {
    let disk = Disk::default();
    let inbox = on(&disk);
    disk.hold();
    let mut puts = Vec::new();
    for n in 0..1100 {
        let mut put = inbox.put(event(n));
        begin(&mut put).await;
        puts.push(put);
    }
    assert_eq!(inbox.0.places.available_permits(), 0);
    // One who waits for a place and one who has one leave.
    drop((puts.pop(), puts.remove(500)));
    disk.release();
    for put in puts {
        assert!(matches!(put.await, Ok(Put::New(_))));
    }
    // The last place is given back right after its answer.
    while inbox.0.places.available_permits() < 1024 {
        tokio::task::yield_now().await;
    }
}
