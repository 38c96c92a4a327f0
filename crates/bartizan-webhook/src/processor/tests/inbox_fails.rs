//! The inbox fails: at each call the processor goes on, and asks again after a pause.

use std::future::pending;

use tokio::time::{Instant, sleep};

use super::support::Fault::{DoesAndFails, DoesAndHangs, Fails, Hangs, IsSlow};
use super::support::{Record, SECOND, Scripted, builder, event, run_for};

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
async fn an_inbox_that_is_back_is_asked_as_often_as_ever() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.fault("claim", [Fails; 4]);
    inbox.put(event("a")).await;
    let seen = record.clone();
    let processor = builder().on("a", move |_| {
        seen.note("runs");
        async { Ok(()) }
    });
    let processor = processor.hook(record.hook()).build().unwrap();
    run_for(&processor, &inbox, 30 * SECOND).await;
    assert_eq!(record.take().iter().filter(|line| line.ends_with("runs")).count(), 1);
    inbox.fault("claim", [Fails]);
    let began = Instant::now();
    run_for(&processor, &inbox, 3 * SECOND).await;
    assert_eq!(began.elapsed().as_secs(), 3);
    assert!(inbox.calls("claim") > 4);
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
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_blocks_for_longer_than_its_lease_is_settled_if_nobody_took_the_event() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    let processor = builder().on("a", |_| async {
        // What blocks the thread is not polled meanwhile; advancing the clock from within does the same to the lease.
        tokio::time::advance(90 * SECOND).await;
        Ok(())
    });
    let processor =
        processor.lease(SECOND).hook(record.hook()).concurrency(1.try_into().unwrap()).build().unwrap();
    run_for(&processor, &inbox, 100 * SECOND).await;
    assert!(record.take().iter().any(|line| line.ends_with("done 1")));
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
