use std::error::Error;
use std::time::Duration;

use crate::processor::{InvalidProcessor, Processor, ProcessorBuilder};

use super::support::event;

fn with(patterns: &[(&str, Option<&str>)]) -> ProcessorBuilder {
    patterns.iter().fold(Processor::builder(), |builder, (pattern, name)| match name {
        None => builder.on(*pattern, |_| async { Ok(()) }),
        Some(name) => builder.on_named(*pattern, *name, |_| async { Ok(()) }),
    })
}

async fn names(builder: ProcessorBuilder, event_type: &str) -> Vec<String> {
    let processed = builder.build().unwrap().process(&event(event_type)).await;
    processed.ran().iter().map(|ran| ran.name().to_owned()).collect()
}

fn refused(builder: ProcessorBuilder) -> InvalidProcessor {
    builder.build().unwrap_err()
}

#[tokio::test]
async fn a_handler_is_named_for_its_pattern_and_its_number_among_those_with_it() {
    let processor = with(&[("a", None), ("b", None), ("a", None), ("a", Some("mine")), ("a", None)]);
    assert_eq!(names(processor, "a").await, ["a", "a#2", "mine", "a#4"]);
}

#[tokio::test]
async fn handlers_run_in_the_order_in_which_they_were_registered_wildcards_too() {
    let processor = with(&[("*", None), ("a.b", None), ("c", None), ("a.*", None), ("a.b", Some("last"))]);
    assert_eq!(names(processor, "a.b").await, ["*", "a.b", "a.*", "last"]);
}

#[test]
fn two_handlers_of_one_name_are_refused() {
    let error = refused(with(&[("a", None), ("b", Some("a"))]));
    assert_eq!(error.to_string(), "two handlers have the name `a`; give one of them another by `on_named`");
}

#[test]
fn a_pattern_that_is_none_is_refused_and_named() {
    let error = refused(with(&[("a*", None)]));
    assert!(error.source().unwrap().to_string().starts_with("`a*` is no pattern"));
}

#[test]
fn a_lease_below_a_second_or_above_a_day_is_refused() {
    let lease = |millis| Processor::builder().lease(Duration::from_millis(millis)).build();
    let error = lease(999).unwrap_err().to_string();
    assert_eq!(error, "a lease of 999ms is too short or too long; use one second to one day");
    assert!(lease(86_400_001).is_err());
    assert!(lease(1000).is_ok() && lease(86_400_000).is_ok());
}

#[test]
fn a_poll_interval_of_zero_is_refused() {
    let error = refused(Processor::builder().poll_interval(Duration::ZERO));
    assert_eq!(error.to_string(), "a poll interval of zero asks without a pause; use 1ms at least");
}

#[test]
fn debug_shows_the_handlers() {
    let builder = with(&[("a", None), ("b.*", Some("book"))]);
    assert_eq!(format!("{builder:?}"), r#"ProcessorBuilder { handlers: ["a", "b.*"], .. }"#);
    let processor = format!("{:?}", builder.build().unwrap());
    assert!(processor.contains(r#""book": Pattern"#), "{processor}");
}
