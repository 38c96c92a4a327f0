//! The engine and the layer as a whole, over a scripted upstream and paused time. What a circuit decides is tested beside
//! it.

use std::collections::VecDeque;
use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bartizan_core::{BoxError, Head, Key, KeyBy, Origin, Outcome, Rejection, Subject, find_source};
use bartizan_test::bodies::{self, Step};
use bartizan_test::readiness;
use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, advance};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::*;

mod layer;

const SECOND: Duration = Duration::from_secs(1);

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

/// Opens at so many failures in a row for between 5 and 10 s, and closes after one success.
fn after(failures: u32) -> Settings {
    Settings::new()
        .trip(Trip::consecutive(number(failures)))
        .open_for(10 * SECOND)
        .probes(NonZeroU32::MIN)
        .without_ramp()
}

async fn fail(breaker: &CircuitBreaker<impl OnTransition>) {
    breaker.call(async { Err::<(), _>(()) }).await.unwrap().unwrap_err();
}

async fn succeed(breaker: &CircuitBreaker<impl OnTransition>) {
    breaker.call(async { Ok::<_, ()>(()) }).await.unwrap().unwrap();
}

/// The next change, which there is by now.
async fn told_next(watch: &mut Watch) -> Option<State> {
    tokio::time::timeout(SECOND, watch.changed()).await.expect("it was told")
}

#[tokio::test(start_paused = true)]
async fn the_engine_opens_probes_and_closes() {
    let breaker = CircuitBreaker::new(after(2));
    fail(&breaker).await;
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker).await;
    assert_eq!(breaker.state(), State::Open);
    let mut polled = false;
    let refused = breaker
        .call(async {
            polled = true;
            Ok::<_, ()>(())
        })
        .await
        .unwrap_err();
    assert!(!polled, "what is refused is not polled");
    let wait = refused.retry_in().unwrap();
    assert!(wait >= 5 * SECOND && wait <= 10 * SECOND, "{wait:?}");
    advance(wait - Duration::from_millis(1)).await;
    assert!(breaker.admit().is_err(), "not due");
    advance(Duration::from_millis(1)).await;
    succeed(&breaker).await;
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_is_dropped_says_nothing_before_the_slow_threshold_and_failure_after_it() {
    let breaker = CircuitBreaker::new(after(1).slow_after(2 * SECOND));
    let early = breaker.admit().unwrap();
    advance(2 * SECOND - Duration::from_millis(1)).await;
    drop(early);
    assert_eq!((breaker.state(), breaker.snapshot().calls), (State::Closed, 0));
    let late = breaker.admit().unwrap();
    advance(2 * SECOND).await;
    drop(late);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_permit_tells_how_long_its_call_took() {
    let trip = Trip::default().or_slow(1.0).unwrap();
    let breaker = CircuitBreaker::new(Settings::new().trip(trip));
    let permit = breaker.admit().unwrap();
    advance(5 * SECOND).await;
    permit.end(Outcome::Success);
    assert_eq!((breaker.snapshot().slow, breaker.snapshot().calls), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_tells_the_share_of_failures() {
    let breaker = CircuitBreaker::new(Settings::new());
    fail(&breaker).await;
    for _ in 0..3 {
        succeed(&breaker).await;
    }
    assert_eq!(breaker.snapshot().failure_rate(), Some(0.25));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_that_an_outer_time_out_cancels_open_it() {
    let breaker = CircuitBreaker::new(Settings::new());
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let breaker = breaker.clone();
        calls.spawn(async move {
            let hung = breaker.call(std::future::pending::<Result<(), ()>>());
            tokio::time::timeout(6 * SECOND, hung).await.is_err()
        });
    }
    let cancelled = calls.join_all().await.into_iter().filter(|cancelled| *cancelled).count();
    assert_eq!((cancelled, breaker.state()), (1_000, State::Open));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_panics_or_hangs_leaves_the_circuit_to_the_next() {
    let open = || async {
        let breaker = CircuitBreaker::new(after(1));
        fail(&breaker).await;
        advance(10 * SECOND).await;
        breaker
    };
    let breaker = open().await;
    drop(breaker.call(std::future::ready(Ok::<_, ()>(()))));
    let probe = breaker.admit().unwrap();
    assert_eq!(breaker.admit().unwrap_err().state(), State::HalfOpen, "one at a time");
    drop(probe);
    succeed(&breaker).await;
    assert_eq!(breaker.state(), State::Closed);

    let breaker = open().await;
    let panicking = {
        let breaker = breaker.clone();
        tokio::spawn(
            async move { breaker.call(async { panic!("in a probe") as Result<(), ()> }).await.is_ok() },
        )
    };
    assert!(panicking.await.unwrap_err().is_panic());
    succeed(&breaker).await;

    let breaker = open().await;
    let hung = breaker.admit().unwrap();
    advance(10 * SECOND - Duration::from_millis(1)).await;
    assert_eq!(breaker.admit().unwrap_err().retry_in(), Some(Duration::from_millis(1)));
    advance(Duration::from_millis(1)).await;
    succeed(&breaker).await;
    assert_eq!(breaker.state(), State::Closed);
    hung.end(Outcome::Failure);
    assert_eq!(breaker.state(), State::Closed, "its result comes too late");
}

#[tokio::test(start_paused = true)]
async fn a_handle_forces_disables_and_resets() {
    let breaker = CircuitBreaker::new(after(1));
    let old = breaker.admit().unwrap();
    breaker.force_open();
    let refused = breaker.admit().unwrap_err();
    assert_eq!((refused.state(), refused.retry_in()), (State::ForcedOpen, None));
    advance(3600 * SECOND).await;
    assert!(breaker.admit().is_err(), "until it is told otherwise");
    breaker.disable();
    fail(&breaker).await;
    assert_eq!((breaker.state(), breaker.snapshot().calls), (State::Disabled, 0));
    breaker.force_close();
    old.end(Outcome::Failure);
    assert_eq!(breaker.state(), State::Closed, "what was admitted before says nothing");
    fail(&breaker).await;
    breaker.reset();
    assert_eq!((breaker.state(), breaker.snapshot().failures), (State::Closed, 0));
    succeed(&breaker).await;
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.calls, snapshot.failure_rate()), (1, Some(0.0)));
    breaker.reset();
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().failure_rate()), (0, None));
}

#[tokio::test(start_paused = true)]
async fn each_change_is_told_once_and_outside_of_any_lock() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    let breaker = Arc::new(std::sync::OnceLock::<CircuitBreaker<_>>::new());
    let itself = breaker.clone();
    let hook = move |subject: &Subject, transition: &Transition| {
        // It may ask the circuit that it is told of.
        let snapshot = itself
            .get()
            .map(|breaker: &CircuitBreaker<Arc<dyn OnTransition + Send + Sync>>| breaker.snapshot());
        log.lock().unwrap().push((
            !subject.is_all(),
            transition.from,
            transition.to,
            snapshot.map(|s| s.state),
        ));
    };
    let hook: Arc<dyn OnTransition + Send + Sync> = Arc::new(hook);
    breaker.set(CircuitBreaker::with_hook(after(1), hook)).unwrap();
    let breaker = breaker.get().unwrap();
    let mut watch = breaker.watch();
    fail(breaker).await;
    assert_eq!(told_next(&mut watch).await, Some(State::Open));
    advance(10 * SECOND).await;
    succeed(breaker).await;
    breaker.force_close();
    assert_eq!((told_next(&mut watch).await, watch.state()), (Some(State::Closed), State::Closed));
    let changes = [State::Closed, State::Open, State::HalfOpen, State::Closed];
    let expected = [(changes[0], changes[1]), (changes[1], changes[2]), (changes[2], changes[3])];
    assert_eq!(*told.lock().unwrap(), expected.map(|(from, to)| (false, from, to, Some(to))));
}

#[tokio::test(start_paused = true)]
async fn metrics_only_refuses_nothing_and_changes_all_the_same() {
    let breaker = CircuitBreaker::new(after(1).metrics_only());
    fail(&breaker).await;
    assert_eq!(breaker.state(), State::Open);
    assert!(breaker.look().is_ok());
    fail(&breaker).await;
    advance(10 * SECOND).await;
    let probe = breaker.admit().unwrap();
    fail(&breaker).await;
    assert_eq!(breaker.state(), State::HalfOpen, "only the probe counts");
    probe.end(Outcome::Success);
    assert_eq!(breaker.state(), State::Closed);
    breaker.force_open();
    succeed(&breaker).await;
}

#[tokio::test(start_paused = true)]
async fn classic_opens_at_five_in_a_row_for_a_minute() {
    let breaker = CircuitBreaker::new(Settings::classic());
    for _ in 0..4 {
        fail(&breaker).await;
    }
    succeed(&breaker).await;
    for failures in [5, 1, 1] {
        for _ in 0..failures {
            fail(&breaker).await;
        }
        let wait = breaker.admit().unwrap_err().retry_in().unwrap();
        assert!(wait >= 30 * SECOND && wait <= 60 * SECOND, "never doubled: {wait:?}");
        advance(wait).await;
    }
    for _ in 0..3 {
        assert_ne!(breaker.state(), State::Closed);
        succeed(&breaker).await;
    }
    assert_eq!(breaker.state(), State::Closed, "at once, without a ramp");
}

#[test]
fn an_open_circuit_says_whose_it_is_why_and_until_when() {
    let uri = "https://api.example.com/a".parse().unwrap();
    let open = |key: Key<'_>, state, retry_in| CircuitOpen {
        subject: Subject::of(&key, &uri),
        state,
        rejection: Rejection::new(retry_in),
    };
    for (error, text) in [
        (
            open(Key::ORIGIN, State::Open, Some(SECOND)),
            "circuit of https://api.example.com is open, nothing was sent; may be tried again in 1s",
        ),
        (
            open(Key::NONE, State::HalfOpen, None),
            "circuit is half-open and lets others try first, nothing was sent",
        ),
        (
            open(Key::named("search").of_origin(), State::ForcedOpen, None),
            "circuit of `search` of https://api.example.com was opened by hand, nothing was sent",
        ),
    ] {
        assert_eq!(error.to_string(), text);
        assert_eq!(Rejection::of(&error).unwrap().retry_in(), error.retry_in());
    }
    let of_origin = open(Key::ORIGIN, State::Open, None);
    assert_eq!(of_origin.origin(), Origin::of(&uri).ok().as_ref());
    assert_eq!(of_origin.subject().name(), None);
}
