//! The layer with its budget.

use proptest::prelude::*;

use super::*;

/// The default budget, or another, under the waits of [`layer`].
fn limited(budget: Budget) -> RetryLayer {
    layer().budget(budget)
}

/// How often the upstream was called in each of the calls, which run one after the other.
async fn calls_of<S>(service: &S, upstream: &Upstream, calls: usize) -> Vec<usize>
where
    S: Service<Request<Full<Bytes>>, Response = Response<Reply>, Error = BoxError> + Clone,
{
    let mut each = Vec::new();
    for _ in 0..calls {
        let before = upstream.calls();
        let _ = service.clone().oneshot(get()).await;
        each.push(upstream.calls() - before);
    }
    each
}

fn down() -> Upstream {
    Upstream::of((0..999).map(|_| status(503)))
}

/// Waits that take no time worth mentioning, since reserves are refilled with time.
fn at_once(layer: RetryLayer) -> RetryLayer {
    layer.backoff(Backoff::fixed(Duration::ZERO))
}

#[tokio::test(start_paused = true)]
async fn the_first_failure_of_a_new_client_is_retried_once() {
    let (upstream, told) = (down(), Told::default());
    let service = at_once(limited(Budget::new())).hook(told.clone()).layer(upstream.clone());
    assert_eq!(calls_of(&service, &upstream, 5).await, [2, 1, 1, 1, 1]);
    assert_eq!(told.take()[..2], ["retrying 1", "budget after 2"]);
}

#[tokio::test(start_paused = true)]
async fn the_reserve_closes_once_three_calls_in_a_row_have_failed() {
    let upstream = down();
    let service = at_once(limited(Budget::new().reserve(9))).layer(upstream.clone());
    // Two retries for each of the first three; the other three of the reserve stay where they are.
    assert_eq!(calls_of(&service, &upstream, 5).await, [3, 3, 3, 1, 1]);
    upstream.steps.lock().unwrap().push_front(status(200));
    assert_eq!(calls_of(&service, &upstream, 3).await, [1, 3, 2], "a success opens it");
}

#[tokio::test(start_paused = true)]
async fn a_fleet_retries_a_fifth_of_its_successes() {
    let upstream = Upstream::of((0..10).map(|_| status(200)).chain((0..99).map(|_| status(503))));
    let service = at_once(limited(Budget::fleet())).layer(upstream.clone());
    assert_eq!(calls_of(&service, &upstream, 13).await[9..], [1, 3, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn without_a_budget_each_call_makes_all_its_attempts() {
    let upstream = down();
    let service = limited(Budget::none()).layer(upstream.clone());
    assert_eq!(calls_of(&service, &upstream, 4).await, [3; 4]);
}

#[tokio::test(start_paused = true)]
async fn every_answer_that_is_no_failure_deposits_and_none_other() {
    for (code, deposits) in [(200, true), (304, true), (404, true), (501, true), (503, false), (429, false)] {
        let mut steps: Vec<_> = (0..5).map(|_| status(code)).collect();
        steps.extend([status(503), status(503)]);
        let upstream = Upstream::of(steps);
        let service = at_once(limited(Budget::fleet())).throttled_backoff(Backoff::fixed(Duration::ZERO));
        let service = service.layer(upstream.clone());
        let last = *calls_of(&service, &upstream, 6).await.last().unwrap();
        assert_eq!(last == 2, deposits, "{code}: {last}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_deposits_nothing_even_if_the_policy_returns_it() {
    let policy = |attempt: &Attempt<'_>| match attempt.result() {
        Ok(_) => attempt.standard(),
        Err(_) => Verdict::Return,
    };
    let steps = (0..5).map(|_| Fail("reset".into())).chain([status(503), status(200)]);
    let upstream = Upstream::of(steps);
    let service = RetryLayer::with_policy(policy).budget(Budget::fleet()).layer(upstream.clone());
    assert_eq!(calls_of(&service, &upstream, 6).await, [1; 6]);
}

#[tokio::test(start_paused = true)]
async fn requests_that_may_not_be_sent_again_deposit_too_and_withdraw_nothing() {
    let mut steps: Vec<_> = (0..5).map(|_| status(200)).collect();
    steps.extend([status(503), status(503), status(503)]);
    let upstream = Upstream::of(steps);
    let service = at_once(limited(Budget::fleet())).layer(upstream.clone());
    for _ in 0..6 {
        service.clone().oneshot(request(Method::POST)).await.unwrap();
    }
    assert_eq!(calls_of(&service, &upstream, 1).await, [2]);
}

#[tokio::test(start_paused = true)]
async fn each_origin_has_its_own_and_all_services_of_a_layer_share_it() {
    let upstream = down();
    let layer = at_once(limited(Budget::new()));
    let call = async |uri: &str| {
        let before = upstream.calls();
        let request = Request::get(uri).body(Full::<Bytes>::default()).unwrap();
        layer.clone().layer(upstream.clone()).oneshot(request).await.unwrap();
        upstream.calls() - before
    };
    assert_eq!((call("http://a.example/").await, call("http://b.example/").await), (2, 2));
    assert_eq!((call("http://a.example/").await, call("http://B.example:80/x").await), (1, 1));
}

/// What is left of a fleet's budget of one retry after `abandon` had its way with a call whose first attempt failed.
async fn left_after<F>(steps: Vec<Does>, polls: usize, abandon: F) -> usize
where
    F: AsyncFnOnce(),
{
    let upstream = Upstream::of((0..5).map(|_| status(200)).chain(steps));
    let mut service = limited(Budget::fleet()).layer(upstream.clone());
    for _ in 0..5 {
        service.clone().oneshot(get()).await.unwrap();
    }
    let mut future = Box::pin(begin(&mut service, get()));
    for _ in 0..polls {
        assert!(is_pending(future.as_mut()));
    }
    abandon().await;
    if polls > 0 {
        let _ = is_pending(future.as_mut());
    }
    drop(future);
    upstream.steps.lock().unwrap().clear();
    upstream.steps.lock().unwrap().extend((0..9).map(|_| status(503)));
    let before = upstream.calls();
    service.oneshot(get()).await.unwrap();
    upstream.calls() - before - 1
}

#[tokio::test(start_paused = true)]
async fn what_was_withdrawn_is_given_back_if_the_call_is_dropped_before_the_attempt() {
    let nothing = async || {};
    assert_eq!(left_after(vec![status(503)], 0, nothing).await, 1, "never polled");
    assert_eq!(left_after(vec![status(503)], 1, nothing).await, 1, "in the wait");
    let body = bodies::Body::frames([Step::Wait(Duration::from_millis(40))]);
    let slow = answer(503).map(|_| body);
    assert_eq!(left_after(vec![Answer(slow)], 1, nothing).await, 1, "while the answer is drained");
    let wait = async || tokio::time::sleep(SECOND).await;
    assert_eq!(left_after(vec![status(503), Busy], 1, wait).await, 1, "before the inner is ready");
    assert_eq!(left_after(vec![status(503), Hang], 1, wait).await, 0, "in the attempt it is spent");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_not_sent_costs_nothing() {
    let mut steps: Vec<_> = (0..5).map(|_| status(200)).collect();
    // The retry is refused, waited for, refused again: the one retry of the budget is still there.
    steps.extend([status(503), refused(Some(SECOND)), refused(Some(SECOND)), status(503), status(200)]);
    let upstream = Upstream::of(steps);
    let service = limited(Budget::fleet()).layer(upstream.clone());
    assert_eq!(calls_of(&service, &upstream, 7).await[5..], [3, 2]);

    // Waited for and sent after all, it is paid for once.
    let mut steps: Vec<_> = (0..5).map(|_| status(200)).collect();
    steps.extend([status(503), refused(Some(SECOND)), status(503), status(503)]);
    let upstream = Upstream::of(steps);
    let service = limited(Budget::fleet()).layer(upstream.clone());
    assert_eq!(calls_of(&service, &upstream, 7).await[5..], [3, 1]);

    let mut steps: Vec<_> = (0..5).map(|_| status(200)).collect();
    steps.extend([status(503), NotReady("not ready".into()), status(200)]);
    let upstream = Upstream::of(steps);
    let service = limited(Budget::fleet()).layer(upstream.clone());
    assert_eq!(calls_of(&service, &upstream, 6).await[5..], [2], "it pays for the next as well");

    let mut steps: Vec<_> = (0..5).map(|_| status(200)).collect();
    steps.extend([status(503), NotReady(Box::new(Refused(Rejection::new(None)))), status(503), status(200)]);
    let upstream = Upstream::of(steps);
    let service = limited(Budget::fleet()).layer(upstream.clone());
    assert_eq!(calls_of(&service, &upstream, 7).await[5..], [1, 2], "refused while it is not ready");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_succeeds_in_the_end_has_not_failed() {
    let upstream = Upstream::of([status(503), status(200)].into_iter().chain((0..99).map(|_| status(503))));
    let service = at_once(limited(Budget::new().reserve(9))).layer(upstream.clone());
    assert_eq!(calls_of(&service, &upstream, 5).await, [2, 3, 3, 3, 1], "three that fail close the reserve");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_sent_after_a_refusal_has_to_be_paid() {
    let mut steps: Vec<_> = (0..5).map(|_| status(200)).collect();
    steps.extend([status(503), refused(Some(SECOND)), status(503), status(200)]);
    let (upstream, told) = (Upstream::of(steps), Told::default());
    let service = limited(Budget::fleet()).hook(told.clone()).layer(upstream.clone());
    calls_of(&service, &upstream, 6).await;
    assert_eq!(told.take(), ["retrying 1", "waiting for 2", "budget after 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_was_answered_stays_paid_if_its_repetition_is_refused() {
    let mut steps: Vec<_> = (0..5).map(|_| status(200)).collect();
    steps.extend([status(503), tiers::replay_now(), refused(None), status(503), status(200)]);
    let (upstream, told) = (Upstream::of(steps), Told::default());
    let service = limited(Budget::fleet()).hook(told.clone()).layer(upstream.clone());
    calls_of(&service, &upstream, 7).await;
    assert_eq!(told.take(), ["retrying 1", "asked to repeat 2", "refused after 2", "budget after 1"]);
}

#[tokio::test(start_paused = true)]
async fn refusals_neither_deposit_nor_withdraw_nor_fail() {
    let steps = (0..20).map(|_| refused(None)).chain([status(503), status(503)]);
    let upstream = Upstream::of(steps);
    let service = at_once(limited(Budget::new())).layer(upstream.clone());
    assert_eq!(
        calls_of(&service, &upstream, 21).await.last(),
        Some(&2),
        "the reserve is still open and full"
    );
    let steps = (0..20).map(|_| refused(None)).chain([status(503), status(503)]);
    let upstream = Upstream::of(steps);
    let service = at_once(limited(Budget::fleet())).layer(upstream.clone());
    assert_eq!(calls_of(&service, &upstream, 21).await.last(), Some(&1), "nothing was deposited");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_named_neutral_is_a_refusal() {
    let mut neutral = Vec::new();
    for _ in 0..5 {
        let mut response = answer(503);
        response.extensions_mut().insert(Outcome::Neutral);
        neutral.push(Answer(response));
    }
    let upstream = Upstream::of(neutral.into_iter().chain([status(503), status(200)]));
    let (told, layer) = (Told::default(), limited(Budget::fleet()));
    let service = layer.hook(told.clone()).layer(upstream.clone());
    assert_eq!(calls_of(&service, &upstream, 6).await, [1; 6], "nothing was deposited");
    assert_eq!(told.take()[4..], ["refused after 1", "budget after 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_after_a_failed_attempt_has_failed() {
    let upstream = Upstream::default();
    let mut service = layer().budget(Budget::new().reserve(9)).layer(upstream.clone());
    for _ in 0..3 {
        upstream.steps.lock().unwrap().push_back(status(503));
        let mut future = Box::pin(begin(&mut service, get()));
        assert!(is_pending(future.as_mut()), "in the wait");
    }
    upstream.steps.lock().unwrap().extend([status(503), status(503)]);
    assert_eq!(calls_of(&service, &upstream, 1).await, [1], "three in a row");

    // Given up in its first attempt it says nothing.
    let upstream = Upstream::default();
    let mut service = layer().budget(Budget::new().reserve(9)).layer(upstream.clone());
    for _ in 0..3 {
        upstream.steps.lock().unwrap().push_back(Hang);
        let mut future = Box::pin(begin(&mut service, get()));
        assert!(is_pending(future.as_mut()));
    }
    upstream.steps.lock().unwrap().extend([status(503), status(200)]);
    assert_eq!(calls_of(&service, &upstream, 1).await, [2]);
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_is_disabled_keeps_no_account() {
    let layer = RetryLayer::disabled();
    layer.layer(down()).oneshot(get()).await.unwrap();
    assert!(format!("{layer:?}").contains("of: []"), "{layer:?}");
}

#[tokio::test(start_paused = true)]
async fn the_engine_has_a_budget_if_it_is_given_one() {
    let tried = std::cell::Cell::new(0);
    let schedule = Schedule::new().backoff(Backoff::fixed(Duration::ZERO)).budget(Budget::new());
    let run = async |error: Option<&'static str>| {
        tried.set(0);
        let _ = schedule
            .clone()
            .run(|_| {
                tried.set(tried.get() + 1);
                async move { error.map_or(Ok(()), Err) }
            })
            .await;
        tried.get()
    };
    assert_eq!([run(Some("down")).await, run(Some("down")).await], [2, 1]);
    for _ in 0..5 {
        assert_eq!(run(None).await, 1);
    }
    assert_eq!([run(Some("down")).await, run(Some("down")).await], [2, 1]);
}

#[tokio::test(start_paused = true)]
async fn budgets_may_go_by_another_key() {
    let upstream = down();
    let layer = limited(Budget::new()).key_by(KeyBy::header(HeaderName::from_static("x-tenant")));
    let service = at_once(layer).layer(upstream.clone());
    let call = async |tenant: &str, host: &str| {
        let before = upstream.calls();
        let request = Request::get(format!("http://{host}.example/")).header("x-tenant", tenant);
        service.clone().oneshot(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
        upstream.calls() - before
    };
    assert_eq!([call("a", "one").await, call("a", "two").await, call("b", "one").await], [2, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn idle_origins_make_room() {
    let upstream = down();
    let two = std::num::NonZeroUsize::new(2).unwrap();
    let service = at_once(limited(Budget::new().max_keys(two))).layer(upstream.clone());
    let call = async |host: &str| {
        let before = upstream.calls();
        let request = Request::get(format!("http://{host}.example/")).body(Full::<Bytes>::default()).unwrap();
        service.clone().oneshot(request).await.unwrap();
        upstream.calls() - before
    };
    for host in ["a", "b", "c", "d"] {
        assert_eq!(call(host).await, 2, "{host}");
    }
    assert_eq!((call("a").await, call("d").await), (1, 1), "the first and the last are still known");
    let again = [call("b").await, call("c").await];
    assert!(again.contains(&2), "one of them has made room, and begins anew: {again:?}");
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comes {
    Success,
    Failure,
    Refusal,
    FinalRefusal,
    NotReady,
    ReplayNow,
}

impl Comes {
    fn step(self) -> Does {
        match self {
            Self::Success => status(200),
            Self::Failure => status(503),
            Self::Refusal => refused(Some(Duration::from_millis(10))),
            Self::FinalRefusal => refused(None),
            Self::NotReady => NotReady("not ready".into()),
            Self::ReplayNow => tiers::replay_now(),
        }
    }

    fn is_sent(&self) -> bool {
        [Self::Success, Self::Failure, Self::ReplayNow].contains(self)
    }
}

fn comes() -> impl Strategy<Value = Comes> {
    prop_oneof![
        6 => Just(Comes::Success),
        6 => Just(Comes::Failure),
        2 => Just(Comes::Refusal),
        1 => Just(Comes::FinalRefusal),
        1 => Just(Comes::NotReady),
        1 => Just(Comes::ReplayNow),
    ]
}

proptest! {
    #[test]
    fn no_retry_goes_unpaid_whatever_comes(comes in prop::collection::vec(comes(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let upstream = Upstream::of(comes.iter().map(|comes| comes.step()));
            let service = at_once(limited(Budget::fleet())).layer(upstream.clone());
            let (mut successes, mut retries, mut begin) = (0, 0, 0);
            while begin < comes.len() {
                let result = service.clone().oneshot(get()).await;
                let end = comes.len() - upstream.steps.lock().unwrap().len();
                let sent = comes[begin..end].iter().filter(|comes| comes.is_sent()).count();
                let repeated = usize::from(comes[begin..end].contains(&Comes::ReplayNow));
                retries += sent.saturating_sub(1 + repeated);
                prop_assert!(retries <= successes / 5, "{retries} after {successes}: {:?}", &comes[begin..end]);
                successes += usize::from(result.is_ok_and(|response| response.status() != 503));
                begin = end;
            }
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn the_hook_is_told_what_the_budget_has_left() {
    #[derive(Clone, Default)]
    struct Left(Arc<Mutex<Vec<Option<u32>>>>);
    impl Hook for Left {
        fn retrying(&self, event: &Retrying<'_>) {
            self.0.lock().unwrap().push(event.budget_left);
        }

        fn stopped(&self, event: &Stopped<'_>) {
            self.0.lock().unwrap().push(event.budget_left);
        }
    }
    for (budget, expected) in
        [(Budget::new().reserve(2), [Some(1), Some(0), Some(0)]), (Budget::none(), [None, None, None])]
    {
        let (upstream, left) = (down(), Left::default());
        let service = at_once(limited(budget)).hook(left.clone()).layer(upstream);
        let _ = service.oneshot(get()).await;
        assert_eq!(*left.0.lock().unwrap(), expected);
    }
}
