//! Dead letters, and how many there are of what.

use super::given::{
    LEASE, at, claim_all, claim_one, event, ids, of_key, put, put_dead, put_new, settle, some_progress,
};
use crate::inbox::{DeadLetter, EntryId, Inbox, Progress, Put, Settlement, Stats};

pub async fn dead_letters_are_paged_by_their_numbers(inbox: impl Inbox) {
    let mut dead = Vec::new();
    for n in 0..5 {
        dead.push(put_dead(&inbox, event(&format!("evt_{n}"), n), n).await);
    }
    put_new(&inbox, event("alive", 5)).await;
    let page = async |after, most| {
        let letters = inbox.dead(after, most).await.expect("the inbox is there");
        letters.into_iter().map(|letter| letter.id).collect::<Vec<_>>()
    };
    assert_eq!(page(None, usize::MAX).await, dead);
    assert_eq!(page(None, 2).await, dead[..2]);
    assert_eq!(page(Some(dead[1]), 2).await, dead[2..4]);
    assert_eq!(page(Some(dead[3]), 2).await, dead[4..]);
    assert_eq!(page(Some(dead[4]), 2).await, []);
    assert_eq!(page(Some(EntryId::new(u64::MAX)), 2).await, []);
    assert_eq!(page(None, 0).await, []);
}

pub async fn a_dead_letter_is_shown_with_what_its_handlers_did(inbox: impl Inbox) {
    let event = of_key("key", "evt_1", 3);
    let id = put_new(&inbox, event.clone()).await;
    let first = claim_one(&inbox, 5).await;
    assert_eq!(inbox.dead_letter(id).await.expect("the inbox is there"), None, "it is alive");
    settle(&inbox, &first, Settlement::retry(at(6), Progress::default())).await;
    let second = claim_one(&inbox, 6).await;
    settle(&inbox, &second, Settlement::dead(at(7), "öfter geht es nicht", some_progress())).await;
    let letter = DeadLetter {
        id,
        event,
        died: at(7),
        reason: "öfter geht es nicht".to_owned(),
        attempts: 2,
        redriven: 0,
        progress: some_progress(),
    };
    assert_eq!(inbox.dead_letter(id).await.expect("the inbox is there"), Some(letter.clone()));
    assert_eq!(inbox.dead(None, 10).await.expect("the inbox is there"), [letter]);
}

pub async fn a_letter_that_is_driven_again_begins_anew(inbox: impl Inbox) {
    let id = put_dead(&inbox, event("evt_1", 0), 0).await;
    assert_eq!(inbox.redrive(vec![id, id], at(50)).await.expect("the inbox is there"), 1);
    assert_eq!(inbox.dead_letter(id).await.expect("the inbox is there"), None);
    assert!(claim_all(&inbox, 49).await.is_empty());
    let again = claim_one(&inbox, 50).await;
    assert_eq!((again.lease.id, again.attempt), (id, 1));
    let done = Progress { failed: Vec::new(), ..some_progress() };
    assert_eq!(again.progress, done, "what is done stays done, failures are forgotten");
    settle(&inbox, &again, Settlement::dead(at(51), "again", Progress::default())).await;
    let letter = inbox.dead_letter(id).await.expect("the inbox is there").expect("it is dead");
    assert_eq!((letter.attempts, letter.redriven), (1, 1));
}

pub async fn only_dead_letters_are_driven_again_or_dropped(inbox: impl Inbox) {
    let leased = put_new(&inbox, event("leased", 0)).await;
    claim_one(&inbox, 0).await;
    let gone = put_new(&inbox, event("gone", 0)).await;
    settle(&inbox, &claim_one(&inbox, 0).await, Settlement::Done).await;
    let waiting = put_new(&inbox, event("waiting", 60)).await;
    let ids = vec![leased, gone, waiting, EntryId::new(u64::MAX)];
    assert_eq!(inbox.redrive(ids.clone(), at(0)).await.expect("the inbox is there"), 0);
    assert_eq!(inbox.drop_dead(ids).await.expect("the inbox is there"), 0);
    assert!(claim_all(&inbox, 1).await.is_empty());
    assert_eq!(claim_all(&inbox, 60).await.len(), 2);
}

pub async fn what_is_dropped_is_gone_and_still_a_duplicate(inbox: impl Inbox) {
    let dropped = put_dead(&inbox, of_key("key", "dropped", 0), 0).await;
    let kept = put_dead(&inbox, of_key("key", "kept", 0), 0).await;
    assert_eq!(inbox.drop_dead(vec![dropped, dropped]).await.expect("the inbox is there"), 1);
    assert_eq!(inbox.dead_letter(dropped).await.expect("the inbox is there"), None);
    let letters = inbox.dead(None, 10).await.expect("the inbox is there");
    assert_eq!(letters.iter().map(|letter| letter.id).collect::<Vec<_>>(), [kept]);
    assert_eq!(inbox.redrive(vec![dropped], at(0)).await.expect("the inbox is there"), 0);
    assert_eq!(put(&inbox, of_key("key", "dropped", 1)).await, Put::Duplicate);
}

pub async fn events_are_counted_by_their_states(inbox: impl Inbox) {
    let stats = async |seconds| inbox.stats(at(seconds)).await.expect("the inbox is there");
    assert_eq!(stats(0).await, Stats::default());
    put_dead(&inbox, event("dead", 0), 0).await;
    put_new(&inbox, event("gone", 0)).await;
    settle(&inbox, &claim_one(&inbox, 0).await, Settlement::Done).await;
    put_new(&inbox, event("leased", 1)).await;
    assert_eq!(ids(&claim_all(&inbox, 1).await), ["leased"]);
    put_new(&inbox, of_key("key", "ready", 2)).await;
    put_new(&inbox, of_key("key", "behind it", 3)).await;
    put_new(&inbox, event("waiting", 100)).await;
    put_new(&inbox, event("waiting too", 100)).await;
    let now = stats(3).await;
    let counts = (now.ready, now.waiting, now.leased, now.dead, now.remembered, now.oldest);
    assert_eq!(counts, (2, 2, 1, 1, 7, Some(at(1))));
    let then = stats(1 + LEASE.as_secs()).await;
    assert_eq!((then.ready, then.leased), (3, 0), "the lease has ended");
}
