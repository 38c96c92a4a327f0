//! What a processor writes through `tracing`: one event for each thing that becomes of an event, without its content.

#![cfg(all(feature = "tracing", feature = "inbox"))]
#![allow(missing_docs)]

use std::time::{Duration, SystemTime};

use bartizan_core::{Chance, WallClock};
use bartizan_test::trace::{Level, captured_while};
use bartizan_webhook::inbox::{Event, Inbox, VolatileInbox};
use bartizan_webhook::processor::{Failure, Processor, Schedule};
use tokio::time::{Instant, sleep};

fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
}

#[test]
fn what_becomes_of_an_event_is_one_line_each_without_its_content() {
    let second = Duration::from_secs(1);
    let lines = captured_while(Level::Trace, async {
        let inbox = VolatileInbox::new();
        for (event_type, id) in [("a", "evt\n1"), ("b", "evt_2"), ("c", "evt_3")] {
            let event = Event::new("billing", event_type, start(), "s3cret").with_id(id, true);
            inbox.put(event).await.unwrap();
        }
        let began = Instant::now();
        let processor = Processor::builder()
            .wall_clock(WallClock::from_fn(move || start() + began.elapsed()))
            .schedule(Schedule::new([second]).unwrap().jitter(0.0).unwrap().chance(Chance::from_seed(1)))
            .concurrency(1.try_into().unwrap())
            .on("a", |_| async {
                let error: Box<dyn std::error::Error + Send + Sync> =
                    "no answer from https://me:pw@a.example/?token=s3cret".into();
                Err(Failure::Retry(error))
            })
            .on("b", |_| async { Ok(()) });
        processor.build().unwrap().run(inbox, sleep(5 * second)).await;
    })
    .events();
    let expected = [
        "WARN bartizan_webhook: this inbox is volatile: what it acknowledges is lost when the process ends",
        r#"TRACE bartizan_webhook: event claimed entry=1 source="billing" type="a" event="evt\n1" attempt=1"#,
        r#"WARN bartizan_webhook: handler failed entry=1 source="billing" type="a" event="evt\n1" handler="a" permanent=false error=no answer from https://a.example/?token=.."#,
        r#"INFO bartizan_webhook: event will be tried again entry=1 source="billing" type="a" event="evt\n1" attempt=1 at=1994-11-06T08:49:38Z"#,
        r#"TRACE bartizan_webhook: event claimed entry=2 source="billing" type="b" event="evt_2" attempt=1"#,
        r#"DEBUG bartizan_webhook: event processed entry=2 source="billing" type="b" event="evt_2" attempt=1"#,
        r#"TRACE bartizan_webhook: event claimed entry=3 source="billing" type="c" event="evt_3" attempt=1"#,
        r#"INFO bartizan_webhook: event has no handler entry=3 source="billing" type="c" event="evt_3""#,
        r#"TRACE bartizan_webhook: event claimed entry=1 source="billing" type="a" event="evt\n1" attempt=2"#,
        r#"WARN bartizan_webhook: handler failed entry=1 source="billing" type="a" event="evt\n1" handler="a" permanent=false error=no answer from https://a.example/?token=.."#,
        r#"ERROR bartizan_webhook: event is a dead letter entry=1 source="billing" type="a" event="evt\n1" attempt=2 reason="failed in the last of 2 attempts: a""#,
    ];
    assert_eq!(lines, expected);
}
