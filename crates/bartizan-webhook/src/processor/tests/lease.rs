//! Leases while handlers run.

use std::future::pending;
use std::time::Duration;

use tokio::time::sleep;

use crate::inbox::{Claim, Inbox};
use crate::processor::{Processor, ProcessorBuilder};

use super::support::Fault::{DoesAndFails, Fails, Hangs, IsSlow, LeaseLost};
use super::support::{Record, SECOND, Scripted, builder, event, run_for, start};

/// A handler that takes `seconds`, and notes its begin, its end, and that it was dropped before.
fn slow(builder: ProcessorBuilder, record: &Record, name: &'static str, seconds: u32) -> ProcessorBuilder {
    struct Dropped(Record, &'static str, bool);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.note(format!("{} {}", self.1, if self.2 { "ends" } else { "is dropped" }));
        }
    }
    let record = record.clone();
    builder.on_named("a", name, move |_| {
        let record = record.clone();
        async move {
            record.note(format!("{name} begins"));
            let mut dropped = Dropped(record, name, false);
            sleep(seconds * SECOND).await;
            dropped.2 = true;
            Ok(())
        }
    })
}

fn processor(record: &Record, seconds: u32) -> Processor {
    slow(builder(), record, "one", seconds).wall_clock(record.clock()).hook(record.hook()).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_extended_each_time_a_third_of_it_is_over() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    // Somebody else, who would take it if he could.
    let other = tokio::spawn({
        let inbox = inbox.inner.clone();
        async move {
            for second in 1..250 {
                sleep(SECOND).await;
                let now = start() + second * SECOND;
                let claims = inbox.claim(Claim { now, lease: SECOND, most: 1 }).await.unwrap();
                assert!(claims.claimed.is_empty(), "at {second} s");
            }
        }
    });
    run_for(&processor(&record, 250), &inbox, 260 * SECOND).await;
    other.await.unwrap();
    assert_eq!(record.take(), ["0 claimed 1 attempt 1", "0 one begins", "250 one ends", "250 done 1"]);
    assert_eq!(inbox.calls("extend"), 12);
}

#[tokio::test(start_paused = true)]
async fn handlers_are_dropped_when_the_lease_is_lost_and_nothing_is_settled() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    inbox.fault("extend", [LeaseLost]);
    run_for(&processor(&record, 250), &inbox, 59 * SECOND).await;
    let expected = ["0 claimed 1 attempt 1", "0 one begins", "20 one is dropped", "20 lost 1"];
    assert_eq!(record.take(), expected);
    assert_eq!(inbox.calls("settle"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_extension_that_fails_is_tried_again_while_the_lease_lasts() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    inbox.fault("extend", [Fails, DoesAndFails, IsSlow, Fails]);
    run_for(&processor(&record, 100), &inbox, 110 * SECOND).await;
    let lines = record.take();
    assert_eq!(lines.last().unwrap(), "100 done 1");
    assert_eq!(lines.iter().filter(|line| line.ends_with("inbox failed: extend again")).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn handlers_are_dropped_when_the_time_of_the_lease_is_over_without_word_from_the_inbox() {
    for fault in [Fails, Hangs] {
        let (inbox, record) = (Scripted::default(), Record::new());
        inbox.put(event("a")).await;
        inbox.fault("extend", [fault; 100]);
        run_for(&processor(&record, 250), &inbox, 60 * SECOND + SECOND / 2).await;
        let lines = record.take();
        assert!(lines.contains(&"60 one is dropped".to_owned()), "{lines:?}");
        assert!(lines.contains(&"60 lost 1".to_owned()), "{lines:?}");
        assert_eq!(inbox.calls("settle"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_lease_counts_from_before_the_inbox_was_asked() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    inbox.fault("claim", [IsSlow]);
    inbox.fault("extend", [Hangs]);
    run_for(&processor(&record, 250), &inbox, 60 * SECOND + SECOND / 2).await;
    assert!(record.take().contains(&"60 one is dropped".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_time_of_an_extension_counts_from_before_the_inbox_was_asked() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    inbox.fault("extend", [IsSlow, Hangs]);
    run_for(&processor(&record, 250), &inbox, 80 * SECOND + SECOND / 2).await;
    assert!(record.take().contains(&"80 one is dropped".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_is_done_is_kept_before_the_next_handler_and_not_after_the_last() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    let two = |seconds| {
        let first = slow(builder(), &record, "one", 1);
        slow(first, &record, "two", seconds).wall_clock(record.clock()).build().unwrap()
    };
    // The process ends in the second handler.
    run_for(&two(30), &inbox, 10 * SECOND).await;
    assert_eq!(record.take(), ["0 one begins", "1 one ends", "1 two begins", "10 two is dropped"]);
    run_for(&two(1), &inbox, 100 * SECOND).await;
    assert_eq!(record.take(), ["60 two begins", "61 two ends"]);
    assert_eq!(inbox.calls("progress"), 1);
    assert_eq!(inbox.stats().await.oldest, None);
}

#[tokio::test(start_paused = true)]
async fn that_a_handler_failed_is_not_kept_before_the_event_is_settled() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    let processor = builder().on_named("a", "fails", |_| async { Err("busy".into()) });
    run_for(&slow(processor, &record, "two", 1).build().unwrap(), &inbox, 2 * SECOND).await;
    assert_eq!(inbox.calls("progress"), 0);
}

#[tokio::test(start_paused = true)]
async fn handlers_go_on_when_progress_cannot_be_kept() {
    for (fault, at) in [(Fails, 1), (Hangs, 21)] {
        let (inbox, record) = (Scripted::default(), Record::new());
        inbox.put(event("a")).await;
        inbox.fault("progress", [fault]);
        let processor = slow(slow(builder(), &record, "one", 1), &record, "two", 1);
        let processor = processor.hook(record.hook()).build().unwrap();
        run_for(&processor, &inbox, 50 * SECOND).await;
        let expected = [
            "0 claimed 1 attempt 1".to_owned(),
            "0 one begins".to_owned(),
            "1 one ends".to_owned(),
            format!("{at} inbox failed: progress given up"),
            format!("{at} two begins"),
            format!("{} two ends", at + 1),
            format!("{} done 1", at + 1),
        ];
        assert_eq!(record.take(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_lost_when_progress_is_kept_ends_the_attempt() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    inbox.fault("progress", [LeaseLost]);
    let processor = slow(slow(builder(), &record, "one", 1), &record, "two", 1);
    run_for(&processor.hook(record.hook()).build().unwrap(), &inbox, 50 * SECOND).await;
    let expected = ["0 claimed 1 attempt 1", "0 one begins", "1 one ends", "1 lost 1"];
    assert_eq!(record.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn when_run_is_dropped_nothing_runs_on_and_the_lease_ends_by_time() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    run_for(&processor(&record, 30), &inbox, 10 * SECOND).await;
    assert_eq!(record.take(), ["0 claimed 1 attempt 1", "0 one begins", "10 one is dropped"]);
    run_for(&processor(&record, 1), &inbox, 100 * SECOND).await;
    assert_eq!(record.take(), ["60 claimed 1 attempt 2", "60 one begins", "61 one ends", "61 done 1"]);
}

#[tokio::test(start_paused = true)]
async fn two_processors_share_an_inbox() {
    let (inbox, record) = (Scripted::default(), Record::new());
    for _ in 0..8 {
        inbox.put(event("a")).await;
    }
    let processor = slow(builder(), &record, "one", 1).concurrency(2.try_into().unwrap()).build().unwrap();
    let other = tokio::spawn(processor.clone().run(inbox.clone(), pending()));
    run_for(&processor, &inbox, Duration::from_millis(2500)).await;
    other.abort();
    let ends: Vec<_> = record.take().into_iter().filter(|line| line.ends_with("ends")).collect();
    assert_eq!(ends, [["1 one ends"; 4], ["2 one ends"; 4]].concat());
}
