//! Events of one key, in their order.

use super::given::{at, claim_all, claim_one, event, ids, of_key, put_dead, put_new, settle};
use crate::inbox::{Event, Inbox, Progress, Settlement};

pub async fn events_of_one_key_go_one_after_the_other(inbox: impl Inbox) {
    // In the order in which they were put, whatever their dates say.
    for (id, received) in [("a", 3), ("b", 1), ("c", 2)] {
        put_new(&inbox, of_key("key", id, received)).await;
    }
    for id in ["a", "b", "c"] {
        let claimed = claim_one(&inbox, 3).await;
        assert_eq!(ids(std::slice::from_ref(&claimed)), [id]);
        settle(&inbox, &claimed, Settlement::Done).await;
    }
    assert!(claim_all(&inbox, 100).await.is_empty());
}

pub async fn keys_and_sources_do_not_wait_for_each_other(inbox: impl Inbox) {
    put_new(&inbox, of_key("key", "a", 0)).await;
    put_new(&inbox, of_key("key 2", "b", 0)).await;
    put_new(&inbox, of_key("", "c", 0)).await;
    put_new(&inbox, event("d", 0)).await;
    put_new(&inbox, event("e", 0)).await;
    let shop = Event::new("shop", "order.paid", at(0), "{}").with_id("f", true).with_order_key("key");
    put_new(&inbox, shop).await;
    assert_eq!(ids(&claim_all(&inbox, 0).await), ["a", "b", "c", "d", "e", "f"]);
}

pub async fn a_head_that_waits_holds_up_those_behind_it(inbox: impl Inbox) {
    put_new(&inbox, of_key("key", "head", 0)).await;
    put_new(&inbox, of_key("key", "behind", 0)).await;
    let head = claim_one(&inbox, 0).await;
    settle(&inbox, &head, Settlement::retry(at(50), Progress::default())).await;
    assert!(claim_all(&inbox, 49).await.is_empty());
    assert_eq!(ids(&claim_all(&inbox, 50).await), ["head"]);
}

pub async fn a_dead_head_lets_the_next_one_pass(inbox: impl Inbox) {
    put_dead(&inbox, of_key("key", "head", 0), 0).await;
    put_new(&inbox, of_key("key", "behind", 0)).await;
    assert_eq!(ids(&claim_all(&inbox, 0).await), ["behind"]);
}

pub async fn a_head_that_was_driven_again_waits_for_the_one_that_is_leased(inbox: impl Inbox) {
    let head = put_dead(&inbox, of_key("key", "head", 0), 0).await;
    put_new(&inbox, of_key("key", "behind", 0)).await;
    let behind = claim_one(&inbox, 0).await;
    inbox.redrive(vec![head], at(0)).await.expect("the inbox is there");
    assert!(claim_all(&inbox, 1).await.is_empty(), "none while another one is leased");
    settle(&inbox, &behind, Settlement::retry(at(1), Progress::default())).await;
    let again = claim_all(&inbox, 1).await;
    assert_eq!(ids(&again), ["head"], "its place is that of its number");
    settle(&inbox, &again[0], Settlement::Done).await;
    assert_eq!(ids(&claim_all(&inbox, 1).await), ["behind"]);
}

pub async fn where_a_lease_has_ended_nobody_overtakes(inbox: impl Inbox) {
    let head = put_dead(&inbox, of_key("key", "head", 0), 0).await;
    put_new(&inbox, of_key("key", "behind", 0)).await;
    claim_one(&inbox, 0).await;
    inbox.redrive(vec![head], at(0)).await.expect("the inbox is there");
    let again = claim_all(&inbox, 100).await;
    assert_eq!(ids(&again), ["behind"]);
    settle(&inbox, &again[0], Settlement::Done).await;
    assert_eq!(ids(&claim_all(&inbox, 100).await), ["head"]);
}
