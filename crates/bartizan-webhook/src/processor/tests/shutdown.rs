//! A shutdown at each point of a run.

use std::future::{pending, ready};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::inbox::{Claim, Inbox};
use crate::processor::Processor;

use super::support::Fault::{Fails, Hangs, IsSlow};
use super::support::{Record, SECOND, Scripted, builder, event, start};

fn takes(record: &Record, seconds: u32) -> Processor {
    let record_in = record.clone();
    let work = move |name: &'static str| {
        let record = record_in.clone();
        move |_| {
            let record = record.clone();
            async move {
                record.note(format!("{name} begins"));
                sleep(seconds * SECOND).await;
                Ok(())
            }
        }
    };
    let processor = builder().on_named("a", "one", work("one")).on_named("a", "two", work("two"));
    processor.hook(record.hook()).build().unwrap()
}

/// How long it took from the shutdown on.
async fn shut_down_after(processor: Processor, inbox: &Scripted, after: Duration) -> u64 {
    let began = Instant::now();
    timeout(300 * SECOND, processor.run(inbox.clone(), sleep(after))).await.expect("it ends");
    (began.elapsed() - after).as_secs()
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_what_runs_and_claims_nothing_more() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    let processor = takes(&record, 10);
    let run = tokio::spawn({
        let inbox = inbox.clone();
        async move { shut_down_after(processor, &inbox, 2 * SECOND).await }
    });
    sleep(3 * SECOND).await;
    inbox.put(event("a")).await;
    assert_eq!(run.await.unwrap(), 18);
    let expected = ["0 claimed 1 attempt 1", "0 one begins", "10 two begins", "20 done 1"];
    assert_eq!(record.take(), expected);
    assert_eq!(inbox.stats().await.ready, 1);
}

#[tokio::test(start_paused = true)]
async fn after_the_grace_what_runs_is_dropped_and_given_back_uncounted_with_what_is_done() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    assert_eq!(shut_down_after(takes(&record, 20), &inbox, 2 * SECOND).await, 30);
    let expected = ["0 claimed 1 attempt 1", "0 one begins", "20 two begins", "32 released 1"];
    assert_eq!(record.take(), expected);
    let claim = Claim { now: start() + 32 * SECOND, lease: SECOND, most: 1 };
    let claimed = inbox.claim(claim).await.unwrap().claimed.remove(0);
    assert_eq!((claimed.attempt, claimed.progress.done), (1, vec!["one".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn no_handler_begins_after_the_grace() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    // Its progress is being kept when the grace ends.
    inbox.fault("progress", [Hangs]);
    assert_eq!(shut_down_after(takes(&record, 25), &inbox, 2 * SECOND).await, 30);
    let expected = ["0 claimed 1 attempt 1", "0 one begins", "32 released 1"];
    assert_eq!(record.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_with_nothing_in_work_ends_at_once() {
    let inbox = Scripted::default();
    assert_eq!(shut_down_after(takes(&Record::new(), 1), &inbox, 2 * SECOND).await, 0);
    inbox.fault("claim", [Fails; 100]);
    assert_eq!(shut_down_after(takes(&Record::new(), 1), &inbox, 100 * SECOND).await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_being_claimed_at_the_shutdown_is_given_back_and_not_run() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    inbox.fault("claim", [IsSlow]);
    assert_eq!(shut_down_after(takes(&record, 1), &inbox, 2 * SECOND).await, 8);
    assert_eq!(record.take(), ["10 claimed 1 attempt 1", "10 released 1"]);
    assert_eq!(inbox.stats().await.ready, 1);
}

#[tokio::test(start_paused = true)]
async fn an_inbox_that_hangs_holds_up_no_shutdown() {
    let inbox = Scripted::default();
    inbox.fault("claim", [Hangs]);
    assert_eq!(shut_down_after(takes(&Record::new(), 1), &inbox, 2 * SECOND).await, 30);
    inbox.put(event("a")).await;
    inbox.fault("settle", [Hangs]);
    assert_eq!(shut_down_after(takes(&Record::new(), 100), &inbox, 2 * SECOND).await, 35);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_with_every_slot_in_use_is_seen() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    let processor = builder().on("a", |_| pending()).concurrency(1.try_into().unwrap());
    let processor = processor.hook(record.hook()).grace(3 * SECOND).build().unwrap();
    assert_eq!(shut_down_after(processor, &inbox, 2 * SECOND).await, 3);
    assert_eq!(record.take().last().unwrap(), "5 released 1");
}

#[tokio::test(start_paused = true)]
async fn a_grace_without_end_waits_for_what_runs() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    let processor = builder().on("a", |_| async {
        sleep(100 * SECOND).await;
        Ok(())
    });
    let processor = processor.hook(record.hook()).grace(Duration::MAX).build().unwrap();
    assert_eq!(shut_down_after(processor, &inbox, 2 * SECOND).await, 98);
    assert_eq!(record.take().last().unwrap(), "100 done 1");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_before_the_start_claims_nothing() {
    let inbox = Scripted::default();
    inbox.put(event("a")).await;
    takes(&Record::new(), 1).run(inbox.clone(), ready(())).await;
    assert!(inbox.calls("claim") <= 1);
    assert_eq!(inbox.stats().await.ready, 1);
}
