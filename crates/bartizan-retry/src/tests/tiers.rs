//! Retries within retries, and what one tier tells the next.

use http::HeaderName;

use super::*;

fn attempts(number: u32) -> Option<Attempts> {
    NonZeroU32::new(number).map(Attempts)
}

#[tokio::test(start_paused = true)]
async fn tiers_do_not_multiply() {
    for steps in [|_| status(503), |_| Fail("reset".into())] {
        let (upstream, told) = (Upstream::of((0..99).map(steps)), Told::default());
        let service =
            ServiceBuilder::new().layer(layer().hook(told.clone())).layer(layer()).service(upstream.clone());
        match service.oneshot(get()).await {
            Ok(response) => assert_eq!(response.extensions().get().copied(), attempts(3)),
            Err(error) => assert_eq!(error.to_string(), "gave up after 3 attempts: reset"),
        }
        assert_eq!((upstream.calls(), told.take()), (3, vec!["spent after 1".into()]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_tier_without_budget_stops_the_outer_ones_too() {
    for steps in [|_| status(503), |_| Fail("reset".into())] {
        let (upstream, told) = (Upstream::of((0..99).map(steps)), Told::default());
        let service = ServiceBuilder::new()
            .layer(layer().hook(told.clone()))
            .layer(layer().budget(Budget::fleet()))
            .service(upstream.clone());
        match service.oneshot(get()).await {
            Ok(response) => assert_eq!(response.extensions().get().copied(), attempts(1)),
            Err(error) => assert_eq!(error.to_string(), "not sent again: reset"),
        }
        assert_eq!((upstream.calls(), told.take()), (1, vec!["spent after 1".into()]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_tier_that_did_not_try_again_leaves_it_to_the_outer_one() {
    // The inner one is off, or sends once by its own rule.
    for inner in [RetryLayer::disabled(), layer().max_attempts(MaxAttempts::new(1).unwrap())] {
        let upstream = Upstream::of([status(503), Fail("reset".into())]);
        let service = ServiceBuilder::new().layer(layer()).layer(inner).service(upstream.clone());
        assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
        assert_eq!(upstream.calls(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_success_is_no_failure_for_the_outer_tier() {
    let (upstream, told) = (Upstream::of([status(503)]), Told::default());
    let service = ServiceBuilder::new().layer(layer().hook(told.clone())).layer(layer()).service(upstream);
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!((response.status().as_u16(), response.extensions().get().copied()), (200, attempts(2)));
    assert_eq!(told.take(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn across_processes_a_field_says_so_if_both_sides_agree_on_it() {
    let name = HeaderName::from_static("x-retries-spent");
    let down = || Upstream::of((0..99).map(|_| status(503)));
    let written = layer().spent_field(name.clone()).layer(down()).oneshot(get()).await.unwrap();
    assert_eq!(written.headers()[&name], "?1");
    assert!(layer().layer(down()).oneshot(get()).await.unwrap().headers().is_empty(), "not by default");
    let fine =
        layer().spent_field(name.clone()).layer(Upstream::of([status(503)])).oneshot(get()).await.unwrap();
    assert_eq!((fine.status().as_u16(), fine.headers().len()), (200, 0), "only if they are spent");
    let once = layer().spent_field(name.clone()).layer(down()).oneshot(request(Method::POST)).await.unwrap();
    assert!(once.headers().is_empty(), "only if there were any");

    let from_afar = || {
        let mut response = answer(503);
        response.headers_mut().insert(&name, "?1".parse().unwrap());
        Upstream::of([Answer(response)])
    };
    let (upstream, told) = (from_afar(), Told::default());
    let service = layer().spent_field(name.clone()).hook(told.clone()).layer(upstream.clone());
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 503);
    assert_eq!((upstream.calls(), told.take()), (1, vec!["spent after 1".into()]));
    assert_eq!(
        layer().layer(from_afar()).oneshot(get()).await.unwrap().status(),
        200,
        "nobody else reads it"
    );
}

#[tokio::test(start_paused = true)]
async fn the_field_also_tells_of_what_a_tier_below_has_spent() {
    let name = HeaderName::from_static("x-retries-spent");
    let service = ServiceBuilder::new()
        .layer(layer().spent_field(name.clone()))
        .layer(layer())
        .service(Upstream::of((0..99).map(|_| status(503))));
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(response.headers()[&name], "?1");
    assert_eq!(response.extensions().get().copied(), attempts(3), "the number of those who made them");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_an_attempt_that_was_sent_is_none_of_the_call() {
    let upstream = Upstream::of([status(503), refused(None)]);
    let error = layer().layer(upstream).oneshot(get()).await.unwrap_err();
    assert!(find_source::<Refused>(&*error).is_some());
    assert_eq!(Rejection::of(&*error), None, "something was sent");

    for named in [false, true] {
        let mut refusal = answer(503);
        refusal.extensions_mut().insert(Rejection::new(None));
        if named {
            refusal.extensions_mut().insert(Outcome::Neutral);
        }
        let upstream = Upstream::of([status(500), Answer(refusal)]);
        let response = layer().layer(upstream).oneshot(get()).await.unwrap();
        assert!(response.extensions().get::<Rejection>().is_none());
        assert_eq!(response.extensions().get(), Some(&Outcome::Failure), "named: {named}");
    }

    let upstream = Upstream::of([refused(None)]);
    let error = layer().layer(upstream).oneshot(get()).await.unwrap_err();
    assert!(Rejection::of(&*error).is_some(), "nothing was");
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_the_origin_keeps_its_own_meaning() {
    let upstream = Upstream::of((0..3).map(|_| status(429)));
    let response = layer().layer(upstream).oneshot(get()).await.unwrap();
    assert_eq!(response.extensions().get(), attempts(3).as_ref());
    assert_eq!(response.extensions().get::<Outcome>(), None, "an outer breaker sees that it is throttling");
}

pub(super) fn replay_now() -> Does {
    let mut response = answer(401);
    response.extensions_mut().insert(ReplayNow);
    Answer(response)
}

#[tokio::test(start_paused = true)]
async fn what_a_layer_below_wants_repeated_is_repeated_at_once_and_once() {
    let (start, told) = (Instant::now(), Told::default());
    let upstream = Upstream::of([replay_now()]);
    let service = layer().budget(Budget::fleet()).hook(told.clone()).layer(upstream.clone());
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!((response.status().as_u16(), start.elapsed()), (200, Duration::ZERO));
    assert!(response.extensions().is_empty(), "it is no attempt");
    assert_eq!(told.take(), ["asked to repeat 1"]);

    let upstream = Upstream::of([replay_now(), replay_now(), replay_now()]);
    let response = layer().layer(upstream.clone()).oneshot(get()).await.unwrap();
    assert_eq!((response.status().as_u16(), upstream.calls()), (401, 2));

    let upstream = Upstream::of([replay_now(), status(503), status(503), status(503)]);
    assert_eq!(layer().layer(upstream.clone()).oneshot(get()).await.unwrap().status(), 503);
    assert_eq!(upstream.calls(), 4, "three attempts beside it");
}

#[tokio::test(start_paused = true)]
async fn tiers_do_not_multiply_what_is_repeated() {
    let upstream = Upstream::of((0..9).map(|_| replay_now()));
    let service = ServiceBuilder::new().layer(layer()).layer(layer()).service(upstream.clone());
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 401);
    assert_eq!(upstream.calls(), 2);

    // Whoever could not do as it was asked leaves it to the outer one.
    let upstream = Upstream::of([replay_now()]);
    let service =
        ServiceBuilder::new().layer(layer()).layer(RetryLayer::disabled()).service(upstream.clone());
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_repetition_needs_time_and_a_body_and_leave() {
    let upstream = Upstream::of([replay_now()]);
    let late = with_deadline(get(), Duration::ZERO);
    assert_eq!(layer().layer(upstream.clone()).oneshot(late).await.unwrap().status(), 401);

    let upstream = Upstream::of([replay_now()]);
    let service = ServiceBuilder::new().layer(ReplayLayer::new(5)).layer(layer()).service(upstream.clone());
    assert_eq!(service.oneshot(streamed(["ab", "cd", "ef"])).await.unwrap().status(), 401);

    let upstream = Upstream::of([replay_now()]);
    let mut off = get();
    CallContext::edit(off.extensions_mut()).retry_mut().off = true;
    assert_eq!(layer().layer(upstream.clone()).oneshot(off).await.unwrap().status(), 401);
}
