//! The inbox fails: at each call the processor goes on, and asks again after a pause.

use std::future::pending;

use tokio::time::sleep;

use crate::inbox::{Claim, Inbox};

use super::support::Fault::{DoesAndFails, DoesAndHangs, Fails, Hangs, IsLate, IsSlow};
use super::support::{Record, SECOND, Scripted, block_for, builder, event, run_for, start};

#[tokio::test(start_paused = true)]
async fn an_inbox_that_gives_no_events_is_asked_again_after_longer_and_longer_pauses() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.fault("claim", [Fails; 1000]);
    let processor = builder().hook(record.hook()).build().unwrap();
    run_for(&processor, &inbox, 600 * SECOND).await;
    let calls = inbox.calls("claim");
    // 1, 2, 4, 8, 16 and then 30 s, each shorter by up to a half.
    assert!((23..=45).contains(&calls), "{calls}");
    assert_eq!(record.take().len(), calls);
}

#[tokio::test(start_paused = true)]
async fn an_inbox_that_is_back_is_asked_as_often_as_ever_and_soon_after_its_next_failure() {
    let inbox = Scripted::default();
    inbox.fault("claim", [Fails; 4]);
    let run = tokio::spawn(builder().build().unwrap().run(inbox.clone(), pending()));
    sleep(30 * SECOND).await;
    let before = inbox.calls("claim");
    assert!(before > 15, "{before}");
    inbox.fault("claim", [Fails]);
    sleep(2 * SECOND + SECOND / 2).await;
    run.abort();
    let calls = inbox.calls("claim") - before;
    assert!(calls >= 2, "{calls}");
}

#[tokio::test(start_paused = true)]
async fn what_runs_goes_on_while_the_inbox_gives_no_events() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    let processor = builder().on("a", |_| async {
        sleep(5 * SECOND).await;
        Ok(())
    });
    let processor = processor.hook(record.hook()).build().unwrap();
    let run = tokio::spawn(processor.run(inbox.clone(), pending()));
    sleep(SECOND / 2).await;
    inbox.fault("claim", [Hangs]);
    sleep(10 * SECOND).await;
    run.abort();
    assert!(record.take().contains(&"5 done 1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_settlement_that_fails_is_tried_again_while_the_lease_lasts() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    inbox.fault("settle", [Fails, Fails, IsSlow]);
    let processor = builder().on("a", |_| async { Ok(()) }).hook(record.hook()).build().unwrap();
    run_for(&processor, &inbox, 30 * SECOND).await;
    let lines = record.take();
    assert_eq!(lines[1], "0 inbox failed: settle again");
    assert!(lines.last().unwrap().ends_with("done 1"), "{lines:?}");
    assert_eq!(inbox.stats().await.oldest, None);
}

#[tokio::test(start_paused = true)]
async fn a_settlement_that_fails_for_as_long_as_the_lease_is_given_up() {
    for fault in [Fails, Hangs] {
        let (inbox, record) = (Scripted::default(), Record::new());
        inbox.put(event("a")).await;
        inbox.fault("settle", [fault; 100]);
        let processor = builder().on("a", |_| async { Ok(()) }).hook(record.hook()).build().unwrap();
        run_for(&processor, &inbox, 59 * SECOND).await;
        let lost = record.take().iter().any(|line| line.ends_with("lost 1"));
        // The last answer tells at once that there is no time for another try.
        assert_eq!(lost, matches!(fault, Fails));
        let tries = inbox.calls("settle");
        assert!(tries <= 9, "{tries}");
        run_for(&processor, &inbox, 3 * SECOND).await;
        let lines = record.take();
        assert!(lines.iter().any(|line| line.ends_with("claimed 1 attempt 2")), "{lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_settled_though_the_answer_was_lost_is_not_run_again() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    inbox.fault("settle", [DoesAndFails]);
    let processor = builder().on("a", |_| async { Ok(()) }).hook(record.hook()).build().unwrap();
    run_for(&processor, &inbox, 200 * SECOND).await;
    let lines = record.take();
    assert_eq!(lines.iter().filter(|line| line.contains("claimed")).count(), 1, "{lines:?}");
    assert!(lines.last().unwrap().ends_with("lost 1"), "{lines:?}");
    assert_eq!(inbox.calls("settle"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_blocks_for_longer_than_its_lease_is_settled_if_nobody_took_the_event() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    inbox.fault("settle", [IsLate]);
    let processor = builder().on("a", |_| async {
        block_for(90 * SECOND).await;
        Ok(())
    });
    let processor =
        processor.lease(SECOND).hook(record.hook()).concurrency(1.try_into().unwrap()).build().unwrap();
    run_for(&processor, &inbox, 100 * SECOND).await;
    assert_eq!(record.take(), ["0 claimed 1 attempt 1", "90.5 done 1"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_handler_that_blocked_for_longer_than_its_lease_the_next_begins_only_if_nobody_took_the_event()
 {
    for is_taken in [false, true] {
        let (inbox, record) = (Scripted::default(), Record::new());
        inbox.put(event("a")).await;
        inbox.fault("extend", [IsLate]);
        let (other, seen) = (inbox.inner.clone(), record.clone());
        let processor = builder()
            .on_named("a", "blocks", move |_| {
                let other = other.clone();
                async move {
                    block_for(90 * SECOND).await;
                    if is_taken {
                        let claim = Claim { now: start() + 90 * SECOND, lease: 600 * SECOND, most: 1 };
                        assert_eq!(other.claim(claim).await.unwrap().claimed.len(), 1);
                    }
                    // Without a note of its progress, which would tell as well.
                    Err("busy".into())
                }
            })
            .on_named("a", "next", move |_| {
                seen.note("next begins");
                async { Ok(()) }
            });
        // With its one slot in use it does not take the event itself.
        let processor = processor.concurrency(1.try_into().unwrap()).hook(record.hook()).build().unwrap();
        run_for(&processor, &inbox, 91 * SECOND).await;
        let lines = record.take();
        assert_eq!(lines.contains(&"90.5 next begins".to_owned()), !is_taken, "{lines:?}");
        assert_eq!(lines.contains(&"90.5 lost 1".to_owned()), is_taken, "{lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_while_the_inbox_is_asked_loses_nothing() {
    for method in ["claim", "extend", "progress", "settle"] {
        for fault in [Hangs, DoesAndHangs, IsSlow] {
            let (inbox, record) = (Scripted::default(), Record::new());
            inbox.put(event("a")).await;
            inbox.fault(method, [fault]);
            let work = |_| async {
                sleep(25 * SECOND).await;
                Ok(())
            };
            let processor = builder().on_named("a", "one", work).on_named("a", "two", work);
            let processor = processor.wall_clock(record.clock()).hook(record.hook()).build().unwrap();
            let asked_at = match method {
                "claim" => 0,
                "extend" => 20,
                "progress" => 25,
                _ => 50,
            };
            run_for(&processor, &inbox, (asked_at + 1) * SECOND).await;
            record.take();
            run_for(&processor, &inbox, 300 * SECOND).await;
            let lines = record.take();
            assert_eq!(inbox.stats().await.oldest, None, "{method} {fault:?}: {lines:?}");
            assert!(inbox.letters().await.is_empty(), "{method} {fault:?}: {lines:?}");
            let was_settled = method == "settle" && matches!(fault, DoesAndHangs);
            assert_eq!(lines.is_empty(), was_settled, "{method} {fault:?}: {lines:?}");
        }
    }
}
