//! What is kept, once, and as it was put.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::given::{at, claim_all, claim_one, event, ids, of_key, put, put_dead, put_new, settle};
use crate::inbox::{Claim, Event, Inbox, Progress, Put, REMEMBERED, Settlement, later};

pub async fn of_a_hundred_equal_events_at_once_one_is_kept(inbox: impl Inbox) {
    let inbox = Arc::new(inbox);
    let puts: Vec<_> = (0..100)
        .map(|_| {
            let inbox = inbox.clone();
            tokio::spawn(async move { put(&inbox, event("evt_1", 0)).await })
        })
        .collect();
    let mut new = 0;
    for put in puts {
        new += usize::from(matches!(put.await.expect("no put panics"), Put::New(_)));
    }
    assert_eq!(new, 1);
    assert_eq!(ids(&claim_all(&inbox, 0).await), ["evt_1"]);
}

pub async fn an_event_without_an_id_is_never_a_duplicate(inbox: impl Inbox) {
    for _ in 0..2 {
        put_new(&inbox, Event::new("billing", "invoice.paid", at(0), "{}")).await;
    }
    assert_eq!(claim_all(&inbox, 0).await.len(), 2);
}

pub async fn one_id_of_two_sources_is_two_events(inbox: impl Inbox) {
    put_new(&inbox, Event::new("billing", "invoice.paid", at(0), "{}").with_id("evt_1", true)).await;
    put_new(&inbox, Event::new("shop", "invoice.paid", at(0), "{}").with_id("evt_1", true)).await;
}

pub async fn a_signed_id_is_one_event_whatever_its_body(inbox: impl Inbox) {
    put_new(&inbox, Event::new("billing", "invoice.paid", at(0), "{}").with_id("evt_1", true)).await;
    let other_body = Event::new("billing", "invoice.paid", at(1), "[]").with_id("evt_1", true);
    assert_eq!(put(&inbox, other_body).await, Put::Duplicate);
    assert_eq!(claim_one(&inbox, 1).await.event.body(), "{}", "the first one is kept");
}

pub async fn an_id_that_is_not_signed_is_one_event_with_its_body(inbox: impl Inbox) {
    let of = |body: &'static str| Event::new("billing", "invoice.paid", at(0), body).with_id("evt_1", false);
    put_new(&inbox, of("{}")).await;
    put_new(&inbox, of("[]")).await;
    assert_eq!(put(&inbox, of("{}")).await, Put::Duplicate);
    let signed = Event::new("billing", "invoice.paid", at(0), "{}").with_id("evt_1", true);
    put_new(&inbox, signed).await;
}

pub async fn what_is_dead_or_gone_is_still_a_duplicate(inbox: impl Inbox) {
    put_new(&inbox, event("leased", 0)).await;
    claim_one(&inbox, 0).await;
    put_new(&inbox, event("gone", 1)).await;
    settle(&inbox, &claim_one(&inbox, 1).await, Settlement::Done).await;
    put_dead(&inbox, event("dead", 2), 2).await;
    for id in ["leased", "gone", "dead"] {
        assert_eq!(put(&inbox, event(id, 3)).await, Put::Duplicate, "{id}");
    }
}

pub async fn what_was_put_is_remembered_for_seven_days_and_no_longer(inbox: impl Inbox) {
    put_new(&inbox, event("evt_1", 0)).await;
    settle(&inbox, &claim_one(&inbox, 0).await, Settlement::Done).await;
    let days = REMEMBERED.as_secs();
    assert_eq!(put(&inbox, event("evt_1", days - 1)).await, Put::Duplicate);
    let again = put_new(&inbox, event("evt_1", days)).await;
    assert_eq!(claim_one(&inbox, days).await.lease.id, again);
    assert_eq!(put(&inbox, event("evt_1", 2 * days - 1)).await, Put::Duplicate, "it is remembered anew");
}

pub async fn what_is_still_there_is_remembered_for_longer(inbox: impl Inbox) {
    put_dead(&inbox, event("dead", 0), 0).await;
    put_new(&inbox, event("waiting", 0)).await;
    let long_after = 5 * REMEMBERED.as_secs();
    for id in ["dead", "waiting"] {
        assert_eq!(put(&inbox, event(id, long_after)).await, Put::Duplicate, "{id}");
        assert_eq!(put(&inbox, event(id, 2 * long_after)).await, Put::Duplicate, "{id}");
    }
}

pub async fn numbers_grow_and_none_is_used_twice(inbox: impl Inbox) {
    let mut last = put_new(&inbox, event("evt_0", 0)).await;
    for n in 1..5 {
        settle(&inbox, &claim_one(&inbox, n).await, Settlement::Done).await;
        let id = put_new(&inbox, event(&format!("evt_{n}"), n)).await;
        assert!(id > last, "{id} follows {last}");
        last = id;
    }
}

pub async fn an_event_comes_back_as_it_was_put(inbox: impl Inbox) {
    let mut headers = HeaderMap::new();
    headers.append("content-type", HeaderValue::from_static("application/json"));
    headers.append("x-trace", HeaderValue::from_static("1"));
    headers.append("x-trace", HeaderValue::from_static(""));
    headers.append("x-name", HeaderValue::from_bytes(b"M\xfcller").expect("a value"));
    let precise = at(0) + Duration::from_nanos(123_456_700);
    let events = [
        Event::new("", "", at(0), Bytes::new()),
        Event::new("billing", "invoice.paid", at(0), vec![b'x'; 1024 * 1024]).with_id("evt_1", true),
        Event::new("zahlung-öst", "rechnung.bezählt", precise, &b"\xff\x00\xfe"[..])
            .with_id("", false)
            .with_order_key("")
            .with_headers(headers),
        Event::new("billing", "invoice.paid", at(0), "{}").with_order_key("customer 7"),
    ];
    let mut kept = Vec::new();
    for event in &events {
        kept.push((put_new(&inbox, event.clone()).await, event.clone()));
    }
    let mut claimed = claim_all(&inbox, 1).await;
    claimed.sort_by_key(|claimed| claimed.lease.id);
    let claimed: Vec<_> = claimed.into_iter().map(|claimed| (claimed.lease.id, claimed.event)).collect();
    assert!(claimed == kept, "{claimed:?}");
}

pub async fn dates_that_are_far_away_do_no_harm(inbox: impl Inbox) {
    let last = later(SystemTime::UNIX_EPOCH, Duration::MAX);
    let first = (0..64).fold(SystemTime::UNIX_EPOCH, |date, shift| {
        date.checked_sub(Duration::from_secs(u64::MAX >> shift)).unwrap_or(date)
    });
    let claim = |now| Claim { now, lease: Duration::MAX, most: 1 };
    for (id, now) in [("last", last), ("first", first), ("now", at(0))] {
        let of = |id: &str| Event::new("billing", "invoice.paid", now, "{}").with_id(id, true);
        put_new(&inbox, of(id).with_order_key(id)).await;
        let claims = inbox.claim(claim(now)).await.expect("the inbox is there");
        let [claimed] = &claims.claimed[..] else { panic!("one is due: {claims:?}") };
        assert_eq!(claimed.event.received(), now);
        inbox.extend(claimed.lease, now, Duration::MAX).await.expect("the lease holds");
        settle(&inbox, claimed, Settlement::retry(last, Progress::default())).await;
        let claims = inbox.claim(claim(last)).await.expect("the inbox is there");
        settle(&inbox, &claims.claimed[0], Settlement::dead(first, "", Progress::default())).await;
        let id = claims.claimed[0].lease.id;
        assert_eq!(inbox.dead_letter(id).await.expect("the inbox is there").expect("it is dead").died, first);
        inbox.redrive(vec![id], first).await.expect("the inbox is there");
        let claims = inbox.claim(claim(first)).await.expect("the inbox is there");
        settle(&inbox, &claims.claimed[0], Settlement::Done).await;
        inbox.stats(now).await.expect("the inbox is there");
    }
    for id in ["a", "b"] {
        put_new(&inbox, Event::new("billing", "invoice.paid", last, "{}").with_id(id, true)).await;
    }
}

pub async fn a_put_that_is_given_up_leaves_nothing_half_done(inbox: impl Inbox) {
    for polled in [false, true] {
        let id = format!("evt_{polled}");
        let mut given_up = inbox.put(of_key(&id, &id, 0));
        if polled {
            let _ = poll_fn(|cx| Poll::Ready(given_up.as_mut().poll(cx))).await;
        }
        drop(given_up);
        // The sender tries again, since it was not answered.
        put(&inbox, of_key(&id, &id, 1)).await;
        assert_eq!(put(&inbox, of_key(&id, &id, 2)).await, Put::Duplicate);
        assert_eq!(ids(&claim_all(&inbox, 2).await), [id]);
    }
}
