//! Events and dates that the tests are made of.

use std::time::{Duration, SystemTime};

use crate::inbox::{Claim, Claimed, EntryId, Event, FailedHandler, Inbox, Progress, Put, Settlement};

/// For how long the tests claim.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// So many seconds after the date at which the tests begin.
pub(super) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

/// One with that id, which is signed, received at that date.
pub(super) fn event(id: &str, seconds: u64) -> Event {
    Event::new("billing", "invoice.paid", at(seconds), format!("{{\"id\":\"{id}\"}}")).with_id(id, true)
}

pub(super) fn of_key(key: &str, id: &str, seconds: u64) -> Event {
    event(id, seconds).with_order_key(key)
}

pub(super) async fn put(inbox: &impl Inbox, event: Event) -> Put {
    inbox.put(event).await.expect("the inbox is there")
}

pub(super) async fn put_new(inbox: &impl Inbox, event: Event) -> EntryId {
    match put(inbox, event).await {
        Put::New(id) => id,
        Put::Duplicate => panic!("it was not put before"),
    }
}

/// All that are due at that date.
pub(super) async fn claim_all(inbox: &impl Inbox, seconds: u64) -> Vec<Claimed> {
    let claim = Claim { now: at(seconds), lease: LEASE, most: 1000 };
    inbox.claim(claim).await.expect("the inbox is there").claimed
}

/// The one that is due at that date.
pub(super) async fn claim_one(inbox: &impl Inbox, seconds: u64) -> Claimed {
    let mut claimed = claim_all(inbox, seconds).await;
    assert_eq!(ids(&claimed).len(), 1, "one is due");
    claimed.remove(0)
}

/// The sender's names of what was claimed.
pub(super) fn ids(claimed: &[Claimed]) -> Vec<&str> {
    claimed.iter().map(|claimed| claimed.event.id().expect("it has one").as_str()).collect()
}

pub(super) async fn settle(inbox: &impl Inbox, claimed: &Claimed, settlement: Settlement) {
    inbox.settle(claimed.lease, settlement).await.expect("the lease holds");
}

/// Puts one and makes a dead letter of it.
pub(super) async fn put_dead(inbox: &impl Inbox, event: Event, seconds: u64) -> EntryId {
    let id = put_new(inbox, event).await;
    let claimed = claim_one(inbox, seconds).await;
    settle(inbox, &claimed, Settlement::dead(at(seconds), "it was tried often enough", some_progress()))
        .await;
    id
}

pub(super) fn some_progress() -> Progress {
    Progress {
        done: vec!["ledger".to_owned(), "mail".to_owned()],
        failed: vec![FailedHandler {
            name: "search".to_owned(),
            error: "not reached: no route to host".to_owned(),
            is_permanent: true,
        }],
    }
}
