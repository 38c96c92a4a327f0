//! What stays in the file, and who may open it.

#![allow(missing_docs)]

mod folder;

use std::fs;
use std::time::{Duration, SystemTime};

use bartizan_webhook::inbox::{Claim, Event, FailedHandler, Inbox, Progress, Put, Settlement};
use bartizan_webhook_redb::RedbInbox;
use folder::Folder;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn event(id: &str) -> Event {
    Event::new("billing", "invoice.paid", at(0), "{}").with_id(id, true)
}

fn claim(seconds: u64) -> Claim {
    Claim { now: at(seconds), lease: Duration::from_secs(30), most: 10 }
}

#[tokio::test]
async fn all_is_there_when_it_is_opened_again() {
    let folder = Folder::new();
    let inbox = RedbInbox::open(folder.file()).expect("the folder is empty");
    inbox.put(event("leased")).await.expect("the disk works");
    let lease = inbox.claim(claim(0)).await.expect("the disk works").claimed[0].lease;
    let failed = FailedHandler { name: "mail".into(), error: "refused".into(), is_permanent: false };
    let progress = Progress { done: vec!["ledger".into()], failed: vec![failed] };
    inbox.progress(lease, progress.clone()).await.expect("it is leased");
    inbox.put(event("waiting").with_order_key("key")).await.expect("the disk works");
    let before = inbox.stats(at(1)).await.expect("the disk works");
    inbox.close().await;

    let inbox = RedbInbox::open(folder.file()).expect("it was closed");
    assert_eq!(inbox.stats(at(1)).await.expect("the disk works"), before);
    assert_eq!(inbox.put(event("leased")).await.expect("the disk works"), Put::Duplicate);
    let claims = inbox.claim(claim(30)).await.expect("the disk works");
    let [waiting, leased] = &claims.claimed[..] else { panic!("both are due: {claims:?}") };
    assert_eq!(waiting.event, event("waiting").with_order_key("key"));
    assert_eq!((leased.lease.id, leased.attempt, &leased.progress), (lease.id, 2, &progress));
    assert!(leased.lease.token > lease.token, "a token from before is not given out again");
    assert!(inbox.settle(lease, Settlement::Done).await.expect_err("it was taken over").is_lease_lost());
}

#[tokio::test]
async fn a_file_that_is_open_cannot_be_opened() {
    let folder = Folder::new();
    let inbox = RedbInbox::open(folder.file()).expect("the folder is empty");
    let error = RedbInbox::open(folder.file()).expect_err("it is open");
    assert!(error.is_locked());
    let path = folder.file();
    assert_eq!(
        error.to_string(),
        format!("the inbox {} cannot be opened: it is open elsewhere", path.display())
    );
    inbox.put(event("evt_1")).await.expect("the first one goes on");
}

#[tokio::test]
async fn a_file_that_is_no_database_stays_as_it_is() {
    let folder = Folder::new();
    for content in ["a text\n".to_owned(), "a text\n".repeat(10_000)] {
        fs::write(folder.file(), &content).expect("the folder is there");
        let error = RedbInbox::open(folder.file()).expect_err("it is no database");
        assert!(error.to_string().contains(&folder.file().display().to_string()), "{error}");
        assert_eq!(fs::read_to_string(folder.file()).expect("it is there"), content);
    }
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_said_to_be_missing() {
    let folder = Folder::new();
    let path = folder.file().join("missing").join("inbox.redb");
    let error = RedbInbox::open(&path).expect_err("there is no such folder");
    assert_eq!(error.path(), path);
    assert!(!error.is_locked());
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn once_it_is_closed_every_clone_refuses() {
    let folder = Folder::new();
    let inbox = RedbInbox::open(folder.file()).expect("the folder is empty");
    let clone = inbox.clone();
    inbox.close().await;
    let put = clone.put(event("evt_1")).await.expect_err("it is closed");
    let stats = clone.stats(at(0)).await.expect_err("it is closed");
    for error in [put, stats] {
        let source = std::error::Error::source(&error).expect("it says why").to_string();
        assert_eq!(source, format!("the inbox {} is closed", folder.file().display()));
    }
    clone.close().await;
    RedbInbox::open(folder.file()).expect("it is closed");
}

#[tokio::test]
async fn what_was_asked_for_before_it_is_closed_is_done() {
    let folder = Folder::new();
    let inbox = RedbInbox::open(folder.file()).expect("the folder is empty");
    let clone = inbox.clone();
    let puts = async {
        for n in 0..20 {
            if !matches!(clone.put(event(&n.to_string())).await, Ok(Put::New(_))) {
                return n;
            }
        }
        20
    };
    let (acknowledged, ()) = tokio::join!(puts, inbox.close());
    let inbox = RedbInbox::open(folder.file()).expect("it was closed");
    let stats = inbox.stats(at(0)).await.expect("the disk works");
    assert_eq!(stats.ready, acknowledged);
    assert!(acknowledged > 0, "the first one was asked for before");
}

#[tokio::test]
async fn the_last_clone_closes_it() {
    let folder = Folder::new();
    let inbox = RedbInbox::open(folder.file()).expect("the folder is empty");
    inbox.put(event("evt_1")).await.expect("the disk works");
    drop(inbox);
    // It is closed by its own thread.
    let opened = loop {
        match RedbInbox::open(folder.file()) {
            Err(error) if error.is_locked() => tokio::task::yield_now().await,
            opened => break opened,
        }
    };
    assert_eq!(
        opened.expect("it is closed").put(event("evt_1")).await.expect("the disk works"),
        Put::Duplicate
    );
}

#[tokio::test]
async fn who_gives_up_waiting_takes_nobody_along() {
    let folder = Folder::new();
    let inbox = RedbInbox::open(folder.file()).expect("the folder is empty");
    for n in 0..20 {
        let mut given_up = inbox.put(event(&format!("given up {n}")));
        let mut claim_given_up = inbox.claim(claim(0));
        let stays = inbox.put(event(&n.to_string()));
        tokio::select! {
            biased;
            _ = &mut given_up => {}
            _ = &mut claim_given_up => {}
            () = std::future::ready(()) => {}
        }
        drop((given_up, claim_given_up));
        assert!(matches!(stays.await, Ok(Put::New(_))));
    }
}
