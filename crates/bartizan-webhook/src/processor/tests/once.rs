//! Handlers of one event, without an inbox.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bartizan_core::find_source;
use tokio::time::Instant;

use crate::processor::{Failure, HandlerPanicked, HandlerTimedOut};

use super::support::{Record, SECOND, builder, event};

#[tokio::test(start_paused = true)]
async fn an_error_or_a_panic_of_one_handler_does_not_stop_the_others() {
    let record = Record::new();
    let processor = builder()
        .on_named("a", "fails", |_| async { Err("no".into()) })
        .on_named("a", "panics", |_| async { panic!("boom {}", 1) })
        .on_named("a", "panics at once", |_| -> std::future::Ready<_> { panic!("bang") })
        .on_named("a", "works", |_| async { Ok(()) })
        .hook(record.hook())
        .build()
        .unwrap();
    let processed = processor.process(&event("a")).await;
    let message = |name| {
        let Some(Err(Failure::Retry(error))) = processed.of(name) else { panic!("{name}") };
        find_source::<HandlerPanicked>(&**error).unwrap().message().to_owned()
    };
    assert_eq!([message("panics"), message("panics at once")], ["boom 1", "bang"]);
    assert!(processed.of("works").unwrap().is_ok());
    assert!(!processed.is_done());
    let told = [
        "0 fails failed: no",
        "0 panics failed: the handler panicked: boom 1",
        "0 panics at once failed: the handler panicked: bang",
    ];
    assert_eq!(record.take(), told);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_runs_for_too_long_is_dropped() {
    struct Guard(Arc<AtomicUsize>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&dropped);
    let processor = builder()
        .on("a", move |_| {
            let guard = Guard(Arc::clone(&seen));
            async move {
                let _guard = guard;
                pending().await
            }
        })
        .handler_timeout(7 * SECOND)
        .build()
        .unwrap();
    let began = Instant::now();
    let processed = processor.process(&event("a")).await;
    assert_eq!(began.elapsed().as_secs(), 7);
    let Some(Err(Failure::Retry(error))) = processed.of("a") else { panic!("{processed:?}") };
    assert_eq!(find_source::<HandlerTimedOut>(&**error).unwrap().limit(), 7 * SECOND);
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_handler_has_five_minutes_by_default() {
    let processor = builder().on("a", |_| pending()).build().unwrap();
    let began = Instant::now();
    processor.process(&event("a")).await;
    assert_eq!(began.elapsed().as_secs(), 300);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_drop_of_a_handler_harms_nobody() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let processor = builder()
        .on_named("a", "first", |_| async {
            let _bomb = Bomb;
            pending().await
        })
        .on_named("a", "second", |_| async { Ok(()) })
        .build()
        .unwrap();
    let processed = processor.process(&event("a")).await;
    assert!(processed.of("second").unwrap().is_ok());
}

#[tokio::test]
async fn skip_is_done_and_nobody_is_told() {
    let record = Record::new();
    let processor = builder().on("a", |_| async { Err(Failure::Skip) }).hook(record.hook()).build().unwrap();
    let processed = processor.process(&event("a")).await;
    assert!(processed.is_done());
    assert!(processed.ran()[0].is_done());
    assert_eq!(record.take(), [""; 0]);
}

#[tokio::test]
async fn any_error_is_worth_another_attempt() {
    let processor = builder()
        .on("a", |event| async move {
            let _: u64 = std::str::from_utf8(event.body())?.parse()?;
            Ok(())
        })
        .build()
        .unwrap();
    let processed = processor.process(&event("a")).await;
    assert!(matches!(processed.of("a"), Some(Err(Failure::Retry(_)))), "{processed:?}");
}

#[tokio::test]
async fn an_event_without_handlers_is_done() {
    let processed = builder().on("b", |_| async { Ok(()) }).build().unwrap().process(&event("a")).await;
    assert!(processed.is_done() && processed.ran().is_empty());
}
