use std::future::pending;
use std::io;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::{WallClock, find_source};
use tokio::time::{Instant, timeout};

use super::*;
use crate::inbox::{Claim, Event, FailedHandler, Progress, Put, Settlement, VolatileInbox};
use crate::processor::tests::support::{Fault, SECOND, Scripted, start};
use crate::processor::{Failure, Processor};

/// `count` dead letters, which died one second after the other.
async fn dead(inbox: &VolatileInbox, count: u32) -> Vec<EntryId> {
    let mut ids = Vec::new();
    for nth in 0..count {
        let event_type = if nth % 2 == 0 { "invoice.paid" } else { "user.left" };
        ids.push(bury(inbox, Event::new("billing", event_type, start(), "{}"), nth * SECOND, "why").await);
    }
    ids
}

async fn bury(inbox: &VolatileInbox, event: Event, after: Duration, reason: &str) -> EntryId {
    assert!(matches!(inbox.put(event).await.unwrap(), Put::New(_)));
    let claim = Claim { now: start(), lease: 60 * SECOND, most: 1 };
    let claimed = inbox.claim(claim).await.unwrap().claimed.remove(0);
    let failed = FailedHandler { name: "book".into(), error: "closed: \"no\"".into(), is_permanent: true };
    let progress = Progress { done: vec!["mail".into()], failed: vec![failed] };
    inbox.settle(claimed.lease, Settlement::dead(start() + after, reason, progress)).await.unwrap();
    claimed.lease.id
}

fn letters(inbox: &VolatileInbox) -> DeadLetters<VolatileInbox> {
    DeadLetters::new(inbox.clone()).wall_clock(WallClock::fixed(start() + 3600 * SECOND))
}

fn per_second(rate: u32) -> NonZeroU32 {
    NonZeroU32::new(rate).unwrap()
}

async fn ids(letters: &DeadLetters<VolatileInbox>, filter: Filter) -> Vec<u64> {
    letters.list(&filter, None, 1000).await.unwrap().iter().map(|letter| letter.id.get()).collect()
}

#[tokio::test]
async fn a_filter_lets_through_what_all_its_conditions_hold_for() {
    let inbox = VolatileInbox::new();
    dead(&inbox, 4).await;
    bury(&inbox, Event::new("shop", "invoice.paid", start(), ""), 9 * SECOND, "failed for good: book").await;
    let letters = letters(&inbox);
    for (filter, expected) in [
        (Filter::all(), &[1, 2, 3, 4, 5][..]),
        (Filter::all().source("shop"), &[5]),
        (Filter::all().event_type("invoice.*".parse().unwrap()), &[1, 3, 5]),
        (Filter::all().died_since(start() + 2 * SECOND), &[3, 4, 5]),
        (Filter::all().died_before(start() + 2 * SECOND), &[1, 2]),
        (Filter::all().reason_contains("book"), &[5]),
        (Filter::all().source("billing").event_type("user.left".parse().unwrap()), &[2, 4]),
    ] {
        assert_eq!(ids(&letters, filter.clone()).await, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_list_goes_on_after_a_letter_and_has_no_more_than_it_may() {
    let inbox = VolatileInbox::new();
    let all = dead(&inbox, 200).await;
    let letters = letters(&inbox);
    let users = Filter::all().event_type("user.*".parse().unwrap());
    let listed = letters.list(&users, Some(all[99]), 40).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|letter| letter.id.get()).collect();
    assert_eq!(listed, (0..40).map(|nth| 102 + 2 * nth).collect::<Vec<_>>());
    assert_eq!(letters.list(&Filter::all(), None, 0).await.unwrap(), []);
    assert_eq!(ids(&letters, Filter::all()).await.len(), 200);
}

#[tokio::test]
async fn a_list_reads_no_further_than_it_has_to() {
    let inbox = Scripted::default();
    dead(&inbox.inner, 200).await;
    let letters = DeadLetters::new(inbox.clone());
    assert_eq!(letters.list(&Filter::all(), None, 64).await.unwrap().len(), 64);
    assert_eq!(inbox.calls("dead"), 1);
}

#[tokio::test]
async fn one_is_shown_driven_again_and_dropped() {
    let inbox = VolatileInbox::new();
    let all = dead(&inbox, 3).await;
    let letters = letters(&inbox);
    assert_eq!(letters.show(all[0]).await.unwrap().unwrap().reason, "why");
    assert!(letters.redrive(all[0]).await.unwrap());
    assert!(!letters.redrive(all[0]).await.unwrap());
    assert_eq!(letters.show(all[0]).await.unwrap(), None);
    assert_eq!(letters.drop([all[0], all[1]]).await.unwrap(), 1);
    let stats = letters.stats().await.unwrap();
    assert_eq!((stats.dead, stats.ready), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_tells_what_would_be_driven_and_drives_nothing() {
    let inbox = VolatileInbox::new();
    let all = dead(&inbox, 3).await;
    let users = Filter::all().event_type("user.*".parse().unwrap());
    let report = letters(&inbox).redrive_all(users.clone()).dry_run().run().await.unwrap();
    assert_eq!((report.ids(), report.redriven()), (&all[1..2], 0));
    assert_eq!(ids(&letters(&inbox), Filter::all()).await.len(), 3);
    let report = letters(&inbox).redrive_all(users).run().await.unwrap();
    assert_eq!((report.ids(), report.redriven()), (&all[1..2], 1));
    assert_eq!(ids(&letters(&inbox), Filter::all()).await, [1, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_redrive_is_no_faster_than_its_rate() {
    for (rate, count, millis) in [(Some(1), 3, 2000), (Some(3), 4, 999), (Some(25), 50, 1920), (None, 200, 0)]
    {
        let inbox = VolatileInbox::new();
        dead(&inbox, count).await;
        let letters = letters(&inbox);
        let mut redrive = letters.redrive_all(Filter::all());
        if let Some(rate) = rate {
            redrive = redrive.rate(per_second(rate));
        }
        let began = Instant::now();
        assert_eq!(redrive.run().await.unwrap().redriven(), count as usize);
        let took = began.elapsed().as_millis();
        assert!((millis..=millis + 30).contains(&took), "{rate:?}: {took} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn what_dies_again_meanwhile_is_not_driven_again_by_the_same_run() {
    let inbox = VolatileInbox::new();
    dead(&inbox, 5).await;
    let clock = {
        let began = Instant::now();
        WallClock::from_fn(move || start() + 60 * SECOND + began.elapsed())
    };
    let processor = Processor::builder()
        .wall_clock(clock.clone())
        .on("*", |_| async { Err(Failure::permanent("still closed")) });
    let run = tokio::spawn(processor.build().unwrap().run(inbox.clone(), pending()));
    let letters = DeadLetters::new(inbox.clone()).wall_clock(clock);
    let redrive = letters.redrive_all(Filter::all()).rate(per_second(1)).run();
    let report = timeout(60 * SECOND, redrive).await.expect("it ends").unwrap();
    tokio::time::sleep(SECOND).await;
    run.abort();
    assert_eq!(report.redriven(), 5);
    let redriven: Vec<_> = inbox.dead(None, 10).await.unwrap().iter().map(|letter| letter.redriven).collect();
    assert_eq!(redriven, [1; 5]);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_dropped_meanwhile_is_not_counted() {
    let inbox = VolatileInbox::new();
    let all = dead(&inbox, 3).await;
    let letters = letters(&inbox);
    let (report, dropped) =
        tokio::join!(letters.redrive_all(Filter::all()).rate(per_second(1)).run(), async {
            tokio::time::sleep(SECOND / 2).await;
            letters.drop([all[2]]).await.unwrap()
        });
    let report = report.unwrap();
    assert_eq!((report.ids().len(), report.redriven(), dropped), (3, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_redrive_that_breaks_off_tells_what_it_did() {
    let inbox = Scripted::default();
    dead(&inbox.inner, 3).await;
    let letters = DeadLetters::new(inbox.clone()).wall_clock(WallClock::fixed(start()));
    inbox.fault("redrive", []);
    let redrive = letters.redrive_all(Filter::all()).rate(per_second(1));
    let (redriven, ()) = tokio::join!(redrive.run(), async {
        tokio::time::sleep(SECOND / 2).await;
        inbox.fault("redrive", [Fault::Fails]);
    });
    let error = redriven.unwrap_err();
    assert_eq!((error.report().ids().len(), error.report().redriven()), (3, 1));
    assert_eq!(error.to_string(), "the redrive broke off after 1 dead letters");
    assert!(find_source::<InboxError>(&error).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_redrive_that_is_dropped_stops_where_it_is() {
    let inbox = VolatileInbox::new();
    dead(&inbox, 5).await;
    let letters = letters(&inbox);
    let redrive = letters.redrive_all(Filter::all()).rate(per_second(1)).run();
    timeout(SECOND + SECOND / 2, redrive).await.unwrap_err();
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(ids(&letters, Filter::all()).await, [3, 4, 5]);
}

#[tokio::test]
async fn an_export_has_one_json_object_a_line() {
    let inbox = VolatileInbox::new();
    let event = Event::new("billing", "a\nb", start(), "{\"n\":1,\n\"x\":2}")
        .with_id("evt_1", true)
        .with_order_key("k");
    bury(&inbox, event, SECOND, "why").await;
    bury(&inbox, Event::new("shop", "", start(), vec![0xff, 0]), SECOND, "why").await;
    let mut written = Vec::new();
    assert_eq!(letters(&inbox).export(&Filter::all(), &mut written).await.unwrap(), 2);
    let expected = concat!(
        r#"{"id":1,"source":"billing","type":"a\nb","event_id":"evt_1","order_key":"k","#,
        r#""received":"2023-11-14T22:13:20Z","died":"2023-11-14T22:13:21Z","reason":"why","attempts":1,"redriven":0,"#,
        r#""handlers":{"done":["mail"],"failed":[{"error":"closed: \"no\"","name":"book","permanent":true}]},"#,
        r#""body":"{\"n\":1,\n\"x\":2}"}"#,
        "\n",
        r#"{"id":2,"source":"shop","type":"","event_id":null,"order_key":null,"#,
        r#""received":"2023-11-14T22:13:20Z","died":"2023-11-14T22:13:21Z","reason":"why","attempts":1,"redriven":0,"#,
        r#""handlers":{"done":["mail"],"failed":[{"error":"closed: \"no\"","name":"book","permanent":true}]},"#,
        r#""body_base64":"/wA="}"#,
        "\n",
    );
    assert_eq!(String::from_utf8(written).unwrap(), expected);
}

#[tokio::test]
async fn an_export_has_what_the_filter_lets_through_and_reads_pages() {
    let inbox = Scripted::default();
    dead(&inbox.inner, 200).await;
    let letters = DeadLetters::new(inbox.clone());
    let mut written = Vec::new();
    let users = Filter::all().event_type("user.*".parse().unwrap());
    assert_eq!(letters.export(&users, &mut written).await.unwrap(), 100);
    assert_eq!(written.iter().filter(|&&byte| byte == b'\n').count(), 100);
    assert_eq!(inbox.calls("dead"), 5);
}

#[tokio::test]
async fn an_export_that_breaks_off_tells_how_far_it_came() {
    /// Takes two writes, and keeps what is flushed.
    struct Full(Arc<Mutex<usize>>);
    impl io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut left = self.0.lock().unwrap();
            *left = left.checked_sub(1).ok_or_else(|| io::Error::other("the disk is full"))?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let inbox = Scripted::default();
    dead(&inbox.inner, 4).await;
    let letters = DeadLetters::new(inbox.clone());
    let error = letters.export(&Filter::all(), Full(Arc::new(Mutex::new(2)))).await.unwrap_err();
    assert_eq!(error.to_string(), "the export of dead letters broke off after 2");
    assert!(find_source::<io::Error>(&error).is_some());
    let error = letters.export(&Filter::all(), Full(Arc::new(Mutex::new(9)))).await.unwrap_err();
    assert_eq!(error.written(), 4);
    inbox.fault("dead", [Fault::Fails]);
    let error = letters.export(&Filter::all(), io::sink()).await.unwrap_err();
    assert!(find_source::<InboxError>(&error).is_some());
}
