//! The scripted inner service does what it is told, and counts right.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use bartizan_test::contract::{Answer, CallFailed, Inner, Misuse, NotReady, Readiness};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use tower::BoxError;
use tower_service::Service;

type Req = Request<Full<Bytes>>;

fn ready(inner: &mut Inner) -> Poll<Result<(), BoxError>> {
    Service::<Req>::poll_ready(inner, &mut Context::from_waker(Waker::noop()))
}

fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_permit_is_held_from_readiness_to_the_drop_of_the_future() {
    let (mut inner, probe) = Inner::with_permits(1);
    assert!(ready(&mut inner).is_ready());
    assert_eq!(probe.permits_held(), 1);

    let mut clone = inner.clone();
    assert!(ready(&mut clone).is_pending());
    drop(clone);

    let future = inner.call(Req::default());
    assert_eq!((probe.permits_held(), probe.live_futures(), probe.clones()), (1, 1, 1));
    drop(future);
    assert_eq!((probe.permits_held(), probe.live_futures()), (0, 0));
}

#[test]
fn readiness_comes_after_so_many_releases() {
    let (mut inner, probe) = Inner::new();
    probe.script_readiness([Readiness::After(2), Readiness::Never], Readiness::Now);
    assert!(!probe.release(), "nobody waits yet");
    for _ in 0..2 {
        assert!(ready(&mut inner).is_pending());
        assert!(ready(&mut inner).is_pending(), "polls alone do not help");
        assert!(probe.release());
    }
    assert!(matches!(ready(&mut inner), Poll::Ready(Ok(()))));

    let mut never = inner.clone();
    assert!(ready(&mut never).is_pending());
    assert!(!probe.release());
    assert!(ready(&mut inner.clone()).is_ready());
}

#[test]
fn failure_is_final() {
    let (mut inner, probe) = Inner::new();
    probe.script_readiness([Readiness::Fails], Readiness::Now);
    for _ in 0..2 {
        assert!(matches!(ready(&mut inner), Poll::Ready(Err(error)) if error.is::<NotReady>()));
    }
    assert_eq!(probe.failed_polls(), 2);
    assert!(matches!(poll(inner.call(Req::default())), Poll::Ready(Err(_))));
    assert_eq!((probe.misuses(), probe.calls()), (vec![Misuse::Failed], 0));
}

#[test]
fn misuse_is_recorded_and_answered() {
    let (mut inner, probe) = Inner::with_permits(1);
    assert!(matches!(poll(inner.call(Req::default())), Poll::Ready(Ok(_))));
    assert!(ready(&mut inner).is_ready());
    assert!(matches!(poll(inner.call(Req::default())), Poll::Ready(Ok(_))));
    assert!(matches!(poll(inner.call(Req::default())), Poll::Ready(Ok(_))));
    probe.script_readiness([], Readiness::After(1));
    assert!(ready(&mut inner).is_pending());
    assert!(matches!(poll(inner.call(Req::default())), Poll::Ready(Ok(_))));
    assert_eq!(probe.misuses(), [Misuse::Unpolled, Misuse::Unpolled, Misuse::Pending]);
    assert_eq!((probe.permits_held(), probe.calls()), (0, 4));
}

#[test]
fn answers_follow_the_script() {
    let (mut inner, probe) = Inner::new();
    probe.script_answers(
        [Answer::Now(StatusCode::CREATED), Answer::Fails(0), Answer::Never],
        Answer::After(1, StatusCode::OK),
    );
    let mut call = || {
        assert!(ready(&mut inner).is_ready());
        Box::pin(inner.call(Req::default()))
    };
    assert!(matches!(poll(call()), Poll::Ready(Ok(response)) if response.status() == StatusCode::CREATED));
    assert!(matches!(poll(call()), Poll::Ready(Err(error)) if error.is::<CallFailed>()));
    let mut never = call();
    assert!(poll(never.as_mut()).is_pending());
    assert!(!probe.release());
    let mut later = call();
    assert!(poll(later.as_mut()).is_pending());
    assert!(probe.release());
    assert!(matches!(poll(later.as_mut()), Poll::Ready(Ok(response)) if response.status() == StatusCode::OK));
}

#[test]
fn head_and_body_of_a_response_are_counted() {
    let (mut inner, probe) = Inner::new();
    assert!(ready(&mut inner).is_ready());
    let Poll::Ready(Ok(response)) = poll(inner.call(Req::default())) else { panic!("answered at once") };
    let (head, body) = response.into_parts();
    assert_eq!(probe.live_responses(), 2);
    drop(head);
    assert_eq!(probe.live_responses(), 1);
    drop(body);
    assert_eq!(probe.live_responses(), 0);
}
