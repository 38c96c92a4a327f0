//! Whose an event is, for how long, and what becomes of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::given::{LEASE, at, claim_all, claim_one, event, ids, put_new, settle, some_progress};
use crate::inbox::{Claim, Inbox, Lease, Progress, Settlement};

/// Whether the inbox refuses a lease in each of the ways in which it can be used.
async fn is_refused(inbox: &impl Inbox, lease: Lease) -> [bool; 6] {
    let settlements = [
        Settlement::Done,
        Settlement::retry(at(0), Progress::default()),
        Settlement::release(Progress::default()),
        Settlement::dead(at(0), "it was tried often enough", Progress::default()),
    ];
    let mut refused = [false; 6];
    refused[0] = inbox.extend(lease, at(0), LEASE).await.is_err_and(|error| error.is_lease_lost());
    refused[1] = inbox.progress(lease, some_progress()).await.is_err_and(|error| error.is_lease_lost());
    for (refused, settlement) in refused[2..].iter_mut().zip(settlements) {
        *refused = inbox.settle(lease, settlement).await.is_err_and(|error| error.is_lease_lost());
    }
    refused
}

pub async fn what_is_leased_is_nobody_elses_until_the_lease_ends(inbox: impl Inbox) {
    put_new(&inbox, event("evt_1", 0)).await;
    let first = claim_one(&inbox, 0).await;
    assert!(claim_all(&inbox, LEASE.as_secs() - 1).await.is_empty());
    let second = claim_one(&inbox, LEASE.as_secs()).await;
    assert_eq!(second.lease.id, first.lease.id);
    assert!(second.lease.token > first.lease.token, "the fencing token grows");
}

pub async fn of_many_who_claim_at_once_each_gets_others(inbox: impl Inbox) {
    for n in 0..40 {
        put_new(&inbox, event(&format!("evt_{n}"), 0)).await;
    }
    let inbox = Arc::new(inbox);
    let claims: Vec<_> = (0..20)
        .map(|_| {
            let inbox = inbox.clone();
            let claim = Claim { now: at(0), lease: LEASE, most: 3 };
            tokio::spawn(async move { inbox.claim(claim).await.expect("the inbox is there").claimed })
        })
        .collect();
    let mut all = Vec::new();
    for claim in claims {
        all.extend(claim.await.expect("no claim panics").iter().map(|claimed| claimed.lease.id));
    }
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (40, 40));
}

pub async fn attempts_are_counted_when_an_event_is_claimed(inbox: impl Inbox) {
    put_new(&inbox, event("evt_1", 0)).await;
    assert_eq!(claim_one(&inbox, 0).await.attempt, 1);
    // The process was killed.
    let second = claim_one(&inbox, 100).await;
    assert_eq!(second.attempt, 2);
    settle(&inbox, &second, Settlement::retry(at(200), Progress::default())).await;
    assert_eq!(claim_one(&inbox, 200).await.attempt, 3);
}

pub async fn a_lease_that_was_taken_over_is_refused_whatever_it_asks(inbox: impl Inbox) {
    put_new(&inbox, event("evt_1", 0)).await;
    let first = claim_one(&inbox, 0).await;
    let second = claim_one(&inbox, 100).await;
    assert_eq!(is_refused(&inbox, first.lease).await, [true; 6]);
    assert!(claim_all(&inbox, 100).await.is_empty(), "it is still leased");
    settle(&inbox, &second, Settlement::release(Progress::default())).await;
    assert_eq!(
        claim_one(&inbox, 100).await.progress,
        Progress::default(),
        "nothing came of what was refused"
    );
}

pub async fn a_lease_that_was_settled_is_refused_from_then_on(inbox: impl Inbox) {
    put_new(&inbox, event("evt_1", 0)).await;
    for settlement in [
        Settlement::retry(at(0), Progress::default()),
        Settlement::release(Progress::default()),
        Settlement::dead(at(0), "it was tried often enough", Progress::default()),
        Settlement::Done,
    ] {
        let claimed = claim_one(&inbox, 0).await;
        settle(&inbox, &claimed, settlement.clone()).await;
        assert_eq!(is_refused(&inbox, claimed.lease).await, [true; 6], "{settlement:?}");
        if matches!(settlement, Settlement::Dead { .. }) {
            inbox.redrive(vec![claimed.lease.id], at(0)).await.expect("the inbox is there");
        }
    }
}

pub async fn a_lease_that_has_ended_may_go_on_unless_somebody_has_claimed(inbox: impl Inbox) {
    put_new(&inbox, event("evt_1", 0)).await;
    let claimed = claim_one(&inbox, 0).await;
    inbox.progress(claimed.lease, some_progress()).await.expect("nobody has claimed it");
    inbox.extend(claimed.lease, at(100), LEASE).await.expect("nobody has claimed it");
    assert!(claim_all(&inbox, 101).await.is_empty());
    settle(&inbox, &claimed, Settlement::Done).await;
    assert!(claim_all(&inbox, 1000).await.is_empty());
}

pub async fn an_extended_lease_ends_so_much_after_now(inbox: impl Inbox) {
    put_new(&inbox, event("evt_1", 0)).await;
    let claimed = claim_one(&inbox, 0).await;
    inbox.extend(claimed.lease, at(10), LEASE).await.expect("the lease holds");
    assert!(claim_all(&inbox, 9 + LEASE.as_secs()).await.is_empty());
    assert_eq!(claim_one(&inbox, 10 + LEASE.as_secs()).await.attempt, 2);
}

pub async fn progress_is_kept_and_the_lease_goes_on(inbox: impl Inbox) {
    put_new(&inbox, event("evt_1", 0)).await;
    let first = claim_one(&inbox, 0).await;
    assert_eq!(first.progress, Progress::default());
    inbox.progress(first.lease, some_progress()).await.expect("the lease holds");
    assert!(claim_all(&inbox, 1).await.is_empty(), "it is still leased");
    let second = claim_one(&inbox, 100).await;
    assert_eq!(second.progress, some_progress());
    let nothing = Progress::default();
    inbox.progress(second.lease, nothing.clone()).await.expect("the lease holds");
    assert_eq!(claim_one(&inbox, 200).await.progress, nothing, "the last one counts");
}

pub async fn what_is_settled_done_is_gone(inbox: impl Inbox) {
    let id = put_new(&inbox, event("evt_1", 0)).await;
    settle(&inbox, &claim_one(&inbox, 0).await, Settlement::Done).await;
    assert!(claim_all(&inbox, 1_000_000).await.is_empty());
    assert_eq!(inbox.dead_letter(id).await.expect("the inbox is there"), None);
}

pub async fn what_is_to_be_tried_again_waits_for_its_date(inbox: impl Inbox) {
    put_new(&inbox, event("evt_1", 0)).await;
    settle(&inbox, &claim_one(&inbox, 0).await, Settlement::retry(at(7), some_progress())).await;
    assert!(claim_all(&inbox, 6).await.is_empty());
    assert_eq!(claim_one(&inbox, 7).await.progress, some_progress());
}

pub async fn what_is_released_is_due_at_once_and_not_counted(inbox: impl Inbox) {
    put_new(&inbox, event("evt_1", 0)).await;
    let claimed = claim_one(&inbox, 5).await;
    put_new(&inbox, event("evt_2", 1)).await;
    settle(&inbox, &claimed, Settlement::release(some_progress())).await;
    let again = claim_all(&inbox, 5).await;
    assert_eq!(ids(&again), ["evt_1", "evt_2"], "it comes before what came later");
    assert_eq!((again[0].attempt, &again[0].progress), (1, &some_progress()));
}
