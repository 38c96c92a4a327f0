//! Who is claimed, and when.

use std::time::Duration;

use super::given::{LEASE, at, claim_all, claim_one, event, ids, of_key, put_dead, put_new, settle};
use crate::inbox::{Claim, Inbox, Progress, Settlement};

/// No more than it takes to tell that somebody waits in vain.
const LONG: Duration = Duration::from_secs(30);

pub async fn what_is_due_later_is_not_claimed(inbox: impl Inbox) {
    put_new(&inbox, event("evt_1", 10)).await;
    assert!(claim_all(&inbox, 9).await.is_empty());
    assert_eq!(claim_all(&inbox, 10).await.len(), 1, "it is due at that very date");
}

pub async fn what_became_due_first_is_claimed_first(inbox: impl Inbox) {
    for (id, received) in [("c", 3), ("a", 1), ("b1", 2), ("b2", 2)] {
        put_new(&inbox, event(id, received)).await;
    }
    let claimed = claim_all(&inbox, 3).await;
    assert_eq!(ids(&claimed), ["a", "b1", "b2", "c"]);
    for (claimed, date) in claimed.iter().zip([7, 6, 5]) {
        settle(&inbox, claimed, Settlement::retry(at(date), Progress::default())).await;
    }
    // The lease of the last one ends at 33.
    assert_eq!(ids(&claim_all(&inbox, 40).await), ["b2", "b1", "a", "c"]);
}

pub async fn as_many_are_claimed_as_are_asked_for(inbox: impl Inbox) {
    for n in 0..5 {
        put_new(&inbox, event(&format!("evt_{n}"), n)).await;
    }
    let mut claimed = Vec::new();
    for most in [0, 2, 2, 2] {
        let claim = Claim { now: at(5), lease: LEASE, most };
        let claims = inbox.claim(claim).await.expect("the inbox is there");
        claimed.push(ids(&claims.claimed).join(" "));
    }
    assert_eq!(claimed, ["", "evt_0 evt_1", "evt_2 evt_3", "evt_4"]);
}

pub async fn a_lease_of_no_time_is_given_out_once_a_claim(inbox: impl Inbox) {
    put_new(&inbox, event("evt_1", 0)).await;
    let claim = Claim { now: at(0), lease: Duration::ZERO, most: 10 };
    for attempt in 1..3 {
        let claims = inbox.claim(claim).await.expect("the inbox is there");
        assert_eq!(claims.claimed.iter().map(|claimed| claimed.attempt).collect::<Vec<_>>(), [attempt]);
    }
}

pub async fn the_next_date_is_that_of_the_first_that_waits_or_is_leased(inbox: impl Inbox) {
    let next = async |seconds, most| {
        let claim = Claim { now: at(seconds), lease: LEASE, most };
        inbox.claim(claim).await.expect("the inbox is there").next
    };
    assert_eq!(next(0, 10).await, None);
    put_new(&inbox, event("later", 100)).await;
    assert_eq!(next(0, 10).await, Some(at(100)));
    put_new(&inbox, of_key("key", "head", 1)).await;
    put_new(&inbox, of_key("key", "behind", 2)).await;
    assert_eq!(next(5, 0).await, Some(at(1)), "nobody has taken it");
    assert_eq!(next(5, 10).await, Some(at(5) + LEASE), "the one behind it waits for that too");
}

pub async fn who_waits_for_a_change_hears_of_a_put(inbox: impl Inbox) {
    let changed = inbox.changed();
    put_new(&inbox, event("evt_1", 0)).await;
    tokio::time::timeout(LONG, changed).await.expect("it was put after `changed` was called");
}

pub async fn who_waits_for_a_change_hears_of_a_settlement(inbox: impl Inbox) {
    put_new(&inbox, of_key("key", "head", 0)).await;
    put_new(&inbox, of_key("key", "behind", 0)).await;
    let settlements = [
        Settlement::release(Progress::default()),
        Settlement::retry(at(0), Progress::default()),
        Settlement::Done,
        Settlement::dead(at(0), "it was tried often enough", Progress::default()),
    ];
    for settlement in settlements {
        let claimed = claim_one(&inbox, 0).await;
        let changed = inbox.changed();
        settle(&inbox, &claimed, settlement).await;
        tokio::time::timeout(LONG, changed).await.expect("it was settled after `changed` was called");
    }
}

pub async fn who_waits_for_a_change_hears_of_a_letter_that_is_driven_again(inbox: impl Inbox) {
    let id = put_dead(&inbox, event("evt_1", 0), 0).await;
    let changed = inbox.changed();
    inbox.redrive(vec![id], at(0)).await.expect("the inbox is there");
    tokio::time::timeout(LONG, changed).await.expect("it was driven again after `changed` was called");
}
