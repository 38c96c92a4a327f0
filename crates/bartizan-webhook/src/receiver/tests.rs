use std::time::{Duration, SystemTime};

use bartizan_core::{Rejection, WallClock};
use bartizan_test::bodies::{Body, Step};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;

use super::*;
use crate::inbox::{Claim, Event, Health, Inbox, VolatileInbox};
use crate::{EventId, Proof, Verified};

const SECOND: Duration = Duration::from_secs(1);

fn clock() -> WallClock {
    WallClock::fixed(SystemTime::UNIX_EPOCH + 100 * SECOND)
}

fn request(body: &'static str, id: Option<EventId>) -> Request<Full<Bytes>> {
    let mut request =
        Request::post("/").header(CONTENT_TYPE, "application/json").body(Full::from(body)).unwrap();
    let proof = Proof { event_id: id, ..Proof::default() };
    request.extensions_mut().insert(Verified::new("test", proof, Bytes::from(body)));
    request
}

async fn put<B>(receiver: &Receiver, request: Request<B>) -> StatusCode
where
    B: http_body::Body,
    B::Error: Into<bartizan_core::BoxError>,
{
    receiver.clone().oneshot(request).await.unwrap().status()
}

async fn kept(inbox: &VolatileInbox) -> Vec<Event> {
    let claim = Claim { now: clock().now(), lease: SECOND, most: 100 };
    inbox.claim(claim).await.unwrap().claimed.into_iter().map(|claimed| claimed.event).collect()
}

#[tokio::test]
async fn what_is_acknowledged_is_kept_with_all_that_is_known_of_it() {
    let inbox = VolatileInbox::new();
    let receiver = Receiver::new("billing", inbox.clone()).wall_clock(clock());
    let answer =
        receiver.clone().oneshot(request(r#"{"type":"a.b"}"#, Some(EventId::new("e", true)))).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "");
    let expected = Event::new("billing", "a.b", clock().now(), r#"{"type":"a.b"}"#)
        .with_id("e", true)
        .with_headers([(CONTENT_TYPE, "application/json".parse().unwrap())].into_iter().collect());
    assert_eq!(kept(&inbox).await, [expected]);
}

#[tokio::test]
async fn a_duplicate_is_acknowledged_and_not_kept() {
    let inbox = VolatileInbox::new();
    let receiver = Receiver::new("s", inbox.clone()).wall_clock(clock());
    let unsigned = || Some(EventId::new("e", false));
    for (request, count) in [
        (request("1", Some(EventId::new("e", true))), 1),
        (request("2", Some(EventId::new("e", true))), 1),
        (request("1", unsigned()), 2),
        (request("1", unsigned()), 2),
        // Somebody gave an old id to another body, or an old body another id: it is another event.
        (request("2", unsigned()), 3),
        (request("1", Some(EventId::new("f", false))), 4),
        // Nobody knows that these are the same.
        (request("1", None), 5),
        (request("1", None), 6),
    ] {
        assert_eq!(put(&receiver, request).await, 200);
        assert_eq!(inbox.stats(clock().now()).await.unwrap().ready, count);
    }
}

#[tokio::test]
async fn type_order_and_fields_are_found_where_they_stand() {
    let inbox = VolatileInbox::new();
    let base = Receiver::new("s", inbox.clone()).wall_clock(clock());
    let body = r#"{"type":"a","event":{"type":"b"},"customer":7}"#;
    let of_field = base.clone().event_type(Part::field(HeaderName::from_static("x-event")));
    for receiver in [
        base.clone().event_type(Part::pointer("/event/type")).order_by(Part::pointer("/customer")),
        of_field.clone(),
        of_field.keep_fields([HeaderName::from_static("x-event")]),
        base.clone().event_type(Part::by(|headers, body| Some(format!("{} {}", headers.len(), body.len())))),
        base.clone().event_type(Part::pointer("/none")).order_by(Part::pointer("/none")),
    ] {
        let mut request = request(body, None);
        request.headers_mut().insert("x-event", "push".parse().unwrap());
        assert_eq!(put(&receiver, request).await, 200);
    }
    let kept = kept(&inbox).await;
    let types: Vec<&str> = kept.iter().map(Event::event_type).collect();
    assert_eq!(types, ["b", "push", "push", "2 46", ""]);
    let keys: Vec<Option<&str>> = kept.iter().map(Event::order_key).collect();
    assert_eq!(keys, [Some("7"), None, None, None, None]);
    assert!(kept[1].headers().contains_key(CONTENT_TYPE) && !kept[1].headers().contains_key("x-event"));
    assert!(!kept[2].headers().contains_key(CONTENT_TYPE) && kept[2].headers().contains_key("x-event"));
}

#[tokio::test]
async fn nobody_puts_what_was_not_verified_unless_that_is_meant() {
    let inbox = VolatileInbox::new();
    let receiver = Receiver::new("s", inbox.clone()).wall_clock(clock());
    assert_eq!(put(&receiver, Request::new(Full::<Bytes>::from("{}"))).await, 500);
    assert!(kept(&inbox).await.is_empty());
    let open = receiver.take_unverified().body_limit(2);
    assert_eq!(put(&open, Request::new(Full::<Bytes>::from("{}"))).await, 200);
    assert_eq!(put(&open, Request::new(Full::<Bytes>::from("{ }"))).await, 413);
    assert_eq!(put(&open, Request::new(Body::frames([Step::Error]))).await, 400);
    assert_eq!(kept(&inbox).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_inbox_that_fails_or_hangs_is_a_503_and_the_sender_comes_again() {
    let inbox = VolatileInbox::new();
    for (health, hangs) in [(Health::Fails, false), (Health::Hangs, true)] {
        inbox.set_health(health);
        let receiver = Receiver::new("s", inbox.clone());
        for (receiver, waits, retry_after) in [
            (receiver.clone(), 10, "10"),
            (receiver.put_timeout(2 * SECOND).retry_after(60 * SECOND), 2, "60"),
        ] {
            let started = tokio::time::Instant::now();
            let answer = receiver.oneshot(request("{}", None)).await.unwrap();
            assert_eq!(answer.status(), 503);
            assert_eq!(answer.headers()[RETRY_AFTER], retry_after);
            assert!(answer.extensions().get::<Rejection>().is_some());
            assert_eq!(started.elapsed(), if hangs { waits * SECOND } else { Duration::ZERO });
            let text = answer.into_body().collect().await.unwrap().to_bytes();
            assert!(!String::from_utf8_lossy(&text).contains("volatile"), "strangers are told nothing of it");
        }
    }
}
