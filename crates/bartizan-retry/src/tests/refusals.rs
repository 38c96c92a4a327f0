//! What a layer below refused on its own account.

use super::*;

#[tokio::test(start_paused = true)]
async fn one_local_refusal_is_waited_for_and_is_no_attempt() {
    let (start, told) = (Instant::now(), Told::default());
    let upstream = Upstream::of([refused(Some(10 * SECOND)), status(503), status(503), status(503)]);
    let service = layer().hook(told.clone()).layer(upstream.clone());
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 503);
    assert!(start.elapsed() >= 10 * SECOND && start.elapsed() < 17 * SECOND);
    assert_eq!(told.take(), ["waiting for 1", "retrying 1", "retrying 2", "attempts after 3"]);
    let numbers: Vec<_> = upstream.contexts().iter().map(|c| c.as_ref().and_then(|c| c.attempt())).collect();
    let number = NonZeroU32::new;
    assert_eq!(numbers, [None, None, number(2), number(3)], "the first attempt has no number");
}

#[tokio::test(start_paused = true)]
async fn a_second_refusal_is_returned() {
    let told = Told::default();
    let upstream = Upstream::of([refused(Some(SECOND)), refused(Some(SECOND)), status(200)]);
    let error = layer().hook(told.clone()).layer(upstream.clone()).oneshot(get()).await.unwrap_err();
    assert!(find_source::<Rejection>(&*error).is_some());
    assert_eq!((upstream.calls(), told.take()), (2, vec!["waiting for 1".into(), "refused after 1".into()]));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_names_no_time_or_too_long_a_time_is_returned() {
    let table = [
        (None, "refused after 1"),
        (Some(9 * SECOND), "deadline after 1"),
        (Some(301 * SECOND), "refused after 1"),
    ];
    for (retry_in, why) in table {
        let (start, told) = (Instant::now(), Told::default());
        let service = layer().hook(told.clone()).layer(Upstream::of([refused(retry_in)]));
        assert!(service.oneshot(with_deadline(get(), 9 * SECOND)).await.unwrap_err().is::<Refused>());
        assert_eq!((start.elapsed(), told.take()), (Duration::ZERO, vec![why.into()]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_may_be_an_answer() {
    let mut answer = answer(503);
    answer.extensions_mut().insert(Rejection::new(Some(SECOND)));
    let (upstream, told) = (Upstream::of([Answer(answer)]), Told::default());
    let service = layer().hook(told.clone()).layer(upstream.clone());
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
    assert_eq!(told.take(), ["waiting for 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_named_outcome_weighs_more_than_a_refusal() {
    let mut answer = answer(503);
    answer.extensions_mut().insert(Rejection::new(Some(SECOND)));
    answer.extensions_mut().insert(Outcome::Success);
    let upstream = Upstream::of([Answer(answer)]);
    assert_eq!(layer().layer(upstream.clone()).oneshot(get()).await.unwrap().status(), 503);
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_gone_is_the_reason_why_no_refusal_is_waited_for() {
    let (start, told) = (Instant::now(), Told::default());
    let service = ServiceBuilder::new()
        .layer(ReplayLayer::new(5))
        .layer(layer().hook(told.clone()))
        .service(Upstream::of([refused(Some(SECOND))]));
    service.oneshot(streamed(["ab", "cd", "ef"])).await.unwrap_err();
    assert_eq!((told.take(), start.elapsed()), (vec!["body after 1".into()], Duration::ZERO));
}
