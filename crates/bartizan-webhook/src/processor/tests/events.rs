//! What becomes of events in an inbox.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use crate::inbox::{Claim, Event, Inbox};
use crate::processor::{Failure, LONGEST_WAIT, Processor, ProcessorBuilder, Schedule};

use super::support::{Record, SECOND, Scripted, builder, event, run_for, schedule, settle, start};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A handler that notes each run, and does what `results` says at its nth.
fn on(
    builder: ProcessorBuilder,
    record: &Record,
    name: &'static str,
    results: impl Fn(usize) -> Result<(), Failure> + Send + Sync + 'static,
) -> ProcessorBuilder {
    let (record, runs) = (record.clone(), AtomicUsize::new(0));
    builder.on_named("a", name, move |_| {
        record.note(format!("{name} runs"));
        let result = results(runs.fetch_add(1, Ordering::Relaxed));
        async move { result }
    })
}

async fn told(inbox: &Scripted, record: &Record, processor: Processor, duration: Duration) -> Vec<String> {
    run_for(&processor, inbox, duration).await;
    record.take()
}

#[tokio::test(start_paused = true)]
async fn an_event_is_done_once_its_handlers_are() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    let processor = on(on(builder(), &record, "one", |_| Ok(())), &record, "two", |_| Err(Failure::Skip));
    let processor = processor.hook(record.hook()).build().unwrap();
    let told = told(&inbox, &record, processor, 100 * SECOND).await;
    assert_eq!(told, ["0 claimed 1 attempt 1", "0 one runs", "0 two runs", "0 done 1"]);
    assert_eq!(inbox.stats().await.oldest, None);
}

#[tokio::test(start_paused = true)]
async fn a_retry_runs_only_the_handlers_that_failed_and_not_for_good() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    let processor = on(builder(), &record, "works", |_| Ok(()));
    let processor = on(processor, &record, "never", |_| Err(Failure::permanent("gone")));
    let processor = on(processor, &record, "later", |nth| if nth == 0 { Err("busy".into()) } else { Ok(()) });
    let processor = processor.hook(record.hook()).build().unwrap();
    let told = told(&inbox, &record, processor, 100 * SECOND).await;
    let expected = [
        "0 claimed 1 attempt 1",
        "0 works runs",
        "0 never runs",
        "0 never failed: gone",
        "0 later runs",
        "0 later failed: busy",
        "0 retried 1 at 5",
        "5 claimed 1 attempt 2",
        "5 later runs",
        "5 dead 1: failed for good: never",
    ];
    assert_eq!(told, expected);
    let letter = &inbox.letters().await[0];
    assert_eq!(letter.progress.done, ["works", "later"]);
    assert_eq!(letter.progress.failed[0].error, "gone");
    assert!(letter.progress.failed[0].is_permanent);
}

#[tokio::test(start_paused = true)]
async fn what_failed_for_good_is_a_dead_letter_at_once_if_nothing_else_is_left() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    let processor = on(builder(), &record, "never", |_| Err(Failure::permanent("gone"))).build().unwrap();
    run_for(&processor, &inbox, SECOND).await;
    assert_eq!(inbox.letters().await[0].attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn ten_attempts_are_made_by_the_schedule_and_then_it_is_a_dead_letter() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    let processor = on(builder(), &record, "never", |_| Err("busy".into()));
    let processor = on(processor, &record, "nor", |_| Err("full".into())).poll_interval(DAY).build().unwrap();
    let told = told(&inbox, &record, processor, 3 * DAY).await;
    let dates: Vec<_> = told.iter().filter_map(|line| line.strip_suffix(" never runs")).collect();
    assert_eq!(dates, ["0", "5", "35", "155", "755", "2555", "9755", "31355", "74555", "160955"]);
    let letter = &inbox.letters().await[0];
    assert_eq!(letter.reason, "failed in the last of 10 attempts: never, nor");
    assert_eq!(letter.died, start() + Duration::from_secs(160_955));
    assert_eq!((letter.attempts, letter.progress.failed.len()), (10, 2));
}

#[tokio::test(start_paused = true)]
async fn the_longest_wait_that_a_handler_asks_for_counts() {
    let wait = |asked: [u64; 2]| async move {
        let (inbox, record) = (Scripted::default(), Record::new());
        inbox.put(event("a")).await;
        let failure = |seconds| move |_| Err(Failure::retry_after(Duration::from_secs(seconds), "busy"));
        let processor = on(builder(), &record, "one", failure(asked[0]));
        let processor = on(processor, &record, "two", failure(asked[1])).build().unwrap();
        run_for(&processor, &inbox, SECOND).await;
        let claim = Claim { now: start(), lease: SECOND, most: 1 };
        inbox.claim(claim).await.unwrap().next.unwrap().duration_since(start()).unwrap().as_secs()
    };
    assert_eq!(wait([60, 20]).await, 60);
    assert_eq!(wait([20, 60]).await, 60);
    assert_eq!(wait([1, 2]).await, 5);
    assert_eq!(wait([u64::MAX, 2]).await, LONGEST_WAIT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_ended_the_process_each_time_is_a_dead_letter_and_not_run() {
    let (inbox, record) = (Scripted::default(), Record::new());
    let id = inbox.put(event("a")).await;
    for _ in 0..2 {
        let now = start();
        inbox.claim(Claim { now, lease: Duration::ZERO, most: 1 }).await.unwrap();
    }
    let schedule = Schedule::new([SECOND]).unwrap();
    let processor = on(builder(), &record, "one", |_| Ok(())).schedule(schedule).build().unwrap();
    assert_eq!(told(&inbox, &record, processor, SECOND).await, [""; 0]);
    let letter = inbox.dead_letter(id).await.unwrap().unwrap();
    assert_eq!(
        letter.reason,
        "none of 2 attempts came to its end: it may end the process, or outlast its lease"
    );
    assert_eq!(letter.attempts, 3);
}

#[tokio::test(start_paused = true)]
async fn the_last_attempt_is_run() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    inbox.claim(Claim { now: start(), lease: Duration::ZERO, most: 1 }).await.unwrap();
    let schedule = Schedule::new([SECOND]).unwrap();
    let processor = on(builder(), &record, "one", |_| Ok(())).schedule(schedule).build().unwrap();
    assert_eq!(told(&inbox, &record, processor, SECOND).await, ["0 one runs"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_of_a_type_without_handlers_is_done_and_told() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("b")).await;
    let processor = on(builder(), &record, "one", |_| Ok(())).hook(record.hook()).build().unwrap();
    let told = told(&inbox, &record, processor, 100 * SECOND).await;
    assert_eq!(told, ["0 claimed 1 attempt 1", "0 unhandled 1"]);
    assert_eq!(inbox.stats().await.oldest, None);
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_not_done_because_its_handler_is_gone() {
    let (inbox, record) = (Scripted::default(), Record::new());
    inbox.put(event("a")).await;
    let schedule = schedule();
    let old = on(builder().schedule(schedule), &record, "old", |_| Err("busy".into())).build().unwrap();
    run_for(&old, &inbox, SECOND).await;
    let other = Schedule::new([SECOND]).unwrap();
    let new = on(builder(), &record, "new", |_| Ok(())).schedule(other).build().unwrap();
    run_for(&new, &inbox, 100 * SECOND).await;
    assert_eq!(inbox.letters().await[0].reason, "failed in the last of 2 attempts: old");
}

#[tokio::test(start_paused = true)]
async fn as_many_events_as_may_be_are_in_work_and_no_more() {
    let (inbox, record) = (Scripted::default(), Record::new());
    for _ in 0..40 {
        inbox.put(event("a")).await;
    }
    let most = |concurrency: Option<usize>| {
        let (inbox, clock) = (inbox.clone(), record.clock());
        async move {
            let running = Arc::new(AtomicUsize::new(0));
            let most = Arc::new(AtomicUsize::new(0));
            let (now, seen) = (Arc::clone(&running), Arc::clone(&most));
            let mut builder = builder().wall_clock(clock).on("a", move |_| {
                seen.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                let now = Arc::clone(&now);
                async move {
                    sleep(SECOND).await;
                    now.fetch_sub(1, Ordering::Relaxed);
                    Err("again".into())
                }
            });
            if let Some(concurrency) = concurrency {
                builder = builder.concurrency(concurrency.try_into().unwrap());
            }
            run_for(&builder.build().unwrap(), &inbox, 4 * SECOND).await;
            most.load(Ordering::Relaxed)
        }
    };
    assert_eq!(most(None).await, 16);
    sleep(30 * SECOND).await;
    assert_eq!(most(Some(3)).await, 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_put_meanwhile_is_taken_at_once() {
    let (inbox, record) = (Scripted::default(), Record::new());
    let processor = on(builder(), &record, "one", |_| Ok(())).poll_interval(DAY).build().unwrap();
    let run = tokio::spawn(processor.run(inbox.clone(), pending()));
    sleep(10 * SECOND).await;
    inbox.put(event("a")).await;
    settle().await;
    assert_eq!(record.take(), ["10 one runs"]);
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn an_inbox_that_had_as_many_as_were_asked_for_is_asked_again_at_once() {
    let inbox = Scripted::silent();
    for _ in 0..40 {
        inbox.put(event("a")).await;
    }
    run_for(&builder().build().unwrap(), &inbox, Duration::from_millis(5)).await;
    assert_eq!(inbox.stats().await.oldest, None);
}

#[tokio::test(start_paused = true)]
async fn an_inbox_that_others_write_to_is_asked_each_second() {
    let inbox = Scripted::default();
    run_for(&builder().build().unwrap(), &inbox, 9 * SECOND + SECOND / 2).await;
    assert_eq!(inbox.calls("claim"), 10);
}

#[tokio::test(start_paused = true)]
async fn an_inbox_whose_clock_is_behind_is_not_asked_without_a_pause() {
    let inbox = Scripted::default();
    inbox.put(Event::new("billing", "a", start(), "{}")).await;
    // To the processor the event is due; to the inbox, which is asked with that date, it is not.
    let ahead = bartizan_core::WallClock::from_fn({
        let reads = AtomicUsize::new(0);
        move || match reads.fetch_add(1, Ordering::Relaxed) % 2 {
            0 => start() - SECOND,
            _ => start() + SECOND,
        }
    });
    let processor = builder().wall_clock(ahead).build().unwrap();
    run_for(&processor, &inbox, SECOND).await;
    let calls = inbox.calls("claim");
    assert!((50..=101).contains(&calls), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn events_of_one_order_key_are_processed_one_after_the_other_and_in_order() {
    let (inbox, record) = (Scripted::default(), Record::new());
    for body in ["1", "2", "3"] {
        inbox.put(Event::new("billing", "a", start(), body).with_order_key("key")).await;
    }
    let (seen, runs) = (record.clone(), AtomicUsize::new(0));
    let processor = builder().on("a", move |event| {
        let body = String::from_utf8(event.body().to_vec()).unwrap();
        let (record, nth) = (seen.clone(), runs.fetch_add(1, Ordering::Relaxed));
        async move {
            record.note(format!("{body} begins"));
            sleep(SECOND).await;
            record.note(format!("{body} ends"));
            if nth == 0 { Err("again".into()) } else { Ok(()) }
        }
    });
    run_for(&processor.build().unwrap(), &inbox, 100 * SECOND).await;
    let expected = [
        "0 1 begins",
        "1 1 ends",
        "6 1 begins",
        "7 1 ends",
        "7 2 begins",
        "8 2 ends",
        "8 3 begins",
        "9 3 ends",
    ];
    assert_eq!(record.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_redriven_event_runs_what_is_not_done_with_all_attempts_anew() {
    let (inbox, record) = (Scripted::default(), Record::new());
    let id = inbox.put(event("a")).await;
    let processor = on(builder(), &record, "works", |_| Ok(()));
    let fixed = |nth| if nth == 0 { Err(Failure::permanent("bug")) } else { Ok(()) };
    let processor = on(processor, &record, "fixed", fixed).build().unwrap();
    run_for(&processor, &inbox, SECOND).await;
    record.take();
    inbox.redrive(vec![id], start() + SECOND).await.unwrap();
    run_for(&processor, &inbox, SECOND).await;
    assert_eq!(record.take(), ["1 fixed runs"]);
    assert_eq!(inbox.stats().await.dead, 0);
}
