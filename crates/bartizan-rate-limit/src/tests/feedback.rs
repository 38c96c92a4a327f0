//! What servers say, and what becomes of calls then.

use bartizan_core::{CallContext, Outcome};
use http::{HeaderName, Response, StatusCode};
use tower::{Layer, ServiceExt};

use super::layer::{Does, URI, Upstream, get, limited};
use super::*;

mod server;

fn answer(status: u16, fields: &[(&'static str, &str)]) -> Does {
    Does::Answer(response(status, fields))
}

fn response(status: u16, fields: &[(&'static str, &str)]) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in fields {
        response.headers_mut().append(HeaderName::from_static(name), value.parse().unwrap());
    }
    response
}

fn of(partition: &str) -> http::Request<()> {
    let mut request = get(URI);
    CallContext::edit(request.extensions_mut()).set_partition(partition);
    request
}

/// When a call goes that comes now.
async fn goes_after(
    service: &RateLimit<Upstream, bartizan_core::Refuse>,
    request: http::Request<()>,
) -> Duration {
    let start = Instant::now();
    service.clone().oneshot(request).await.unwrap();
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn an_answer_closes_the_gate_of_its_origin_and_partition_for_every_call() {
    for (status, fields, closed) in [
        (429, &[("retry-after", "7")][..], 7 * SECOND),
        (503, &[("retry-after", "7")], 7 * SECOND),
        (429, &[], SECOND),
        (503, &[], Duration::ZERO),
        (200, &[("retry-after", "7")], Duration::ZERO),
        (429, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "12")], 12 * SECOND),
        (403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "12")], 12 * SECOND),
        (
            429,
            &[("retry-after", "7"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")],
            7 * SECOND,
        ),
        (
            429,
            &[("retry-after", "7"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "90")],
            7 * SECOND,
        ),
        (
            429,
            &[("retry-after", "0"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "90")],
            Duration::ZERO,
        ),
        (429, &[("retry-after", "100000")], 300 * SECOND),
        (429, &[("retry-after", "soon")], SECOND),
    ] {
        let layer = RateLimitLayer::without_quota().max_wait(Duration::MAX);
        let service = layer.layer(Upstream::of([answer(status, fields)]));
        service.clone().oneshot(get(URI)).await.unwrap();
        assert_eq!(goes_after(&service, get("https://api.example.com/")).await, Duration::ZERO);
        assert_eq!(goes_after(&service, of("alice")).await, Duration::ZERO);
        let elsewhere = layer.clone().layer(Upstream::default());
        assert_eq!(goes_after(&elsewhere, get(URI)).await, closed, "{status} {fields:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_gate_of_one_partition_is_none_of_the_others_business() {
    let throttled = answer(429, &[("retry-after", "7")]);
    let service = RateLimitLayer::without_quota().layer(Upstream::of([throttled]));
    service.clone().oneshot(of("alice")).await.unwrap();
    assert_eq!(goes_after(&service, of("bob")).await, Duration::ZERO);
    assert_eq!(goes_after(&service, get(URI)).await, Duration::ZERO);
    assert_eq!(goes_after(&service, of("alice")).await, 7 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_too_long_is_refused_at_once() {
    let service =
        RateLimitLayer::without_quota().layer(Upstream::of([answer(429, &[("retry-after", "31")])]));
    service.clone().oneshot(get(URI)).await.unwrap();
    advance(500 * MILLI).await;
    let start = Instant::now();
    let refused = service.clone().oneshot(get(URI)).await.unwrap_err();
    let refused = limited(&refused);
    assert_eq!((refused.reason(), refused.retry_in()), (Reason::Paused, Some(30_500 * MILLI)));
    assert_eq!(
        refused.to_string(),
        "rate limit of http://api.example.com is paused by the server, nothing was sent; may be tried again in 30.5s"
    );
    assert_eq!(start.elapsed(), Duration::ZERO);
    advance(500 * MILLI).await;
    assert_eq!(
        goes_after(&service, get(URI)).await,
        30 * SECOND,
        "as long as a call may wait, to the moment"
    );
}

#[tokio::test(start_paused = true)]
async fn those_who_waited_go_in_order_and_spread_over_a_tenth_of_the_pause() {
    for (asked, spread) in [("20", 2 * SECOND), ("1", 100 * MILLI)] {
        let upstream = Upstream::of([answer(429, &[("retry-after", asked)])]);
        let service = RateLimitLayer::without_quota().layer(upstream.clone());
        let pause = asked.parse::<u32>().unwrap() * SECOND;
        service.clone().oneshot(get(URI)).await.unwrap();
        let start = Instant::now();
        let calls: Vec<_> = (0..20)
            .map(|n| tokio::spawn(service.clone().oneshot(get(&format!("http://api.example.com/{n}")))))
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        let log: Vec<_> = upstream.log()[1..].iter().map(|(path, at)| (path.clone(), *at - start)).collect();
        let expected: Vec<_> = (0..20).map(|n| (format!("/{n}"), pause + n * spread / 20)).collect();
        assert_eq!(log, expected);
        assert_eq!(goes_after(&service, get(URI)).await, Duration::ZERO, "open again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_put_off_and_never_shortened() {
    let late = |seconds: u32, asked| Does::Late(seconds * SECOND, response(429, &[("retry-after", asked)]));
    let steps = [late(1, "10"), late(2, "5"), late(3, "12"), Does::Late(4 * SECOND, Response::new(()))];
    let service = RateLimitLayer::without_quota().layer(Upstream::of(steps));
    let start = Instant::now();
    // All four are under way when the first answer comes.
    let calls: Vec<_> = (0..4).map(|_| tokio::spawn(service.clone().oneshot(get(URI)))).collect();
    tokio::time::sleep(SECOND + MILLI).await;
    let waits = goes_after(&service, get(URI)).await;
    assert_eq!((waits, start.elapsed()), (13_999 * MILLI, 15 * SECOND), "3 s, and 12 s more");
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_and_is_put_off_for_too_long_is_refused_then() {
    let late = Does::Late(4 * SECOND, response(429, &[("retry-after", "60")]));
    let upstream = Upstream::of([late, answer(429, &[("retry-after", "10")])]);
    let service = RateLimitLayer::without_quota().max_wait(12 * SECOND).layer(upstream);
    let start = Instant::now();
    let late = tokio::spawn(service.clone().oneshot(get(URI)));
    tokio::task::yield_now().await;
    service.clone().oneshot(get(URI)).await.unwrap();
    let refused = service.clone().oneshot(get(URI)).await.unwrap_err();
    assert_eq!(
        (limited(&refused).reason(), limited(&refused).retry_in()),
        (Reason::Paused, Some(60 * SECOND))
    );
    assert_eq!(start.elapsed(), 4 * SECOND, "and not after the ten seconds");
    assert_eq!(late.await.unwrap().unwrap().status(), 429);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_window_that_is_put_off_goes_when_it_ends() {
    let told = |reset| {
        answer(
            200,
            &[("x-ratelimit-limit", "1"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset)],
        )
    };
    let upstream = Upstream::of([told("10"), told("60"), told("1")]);
    let service = RateLimitLayer::without_quota().max_wait(Duration::MAX).layer(upstream.clone());
    let start = Instant::now();
    service.clone().oneshot(get(URI)).await.unwrap();
    let calls: Vec<_> = (0..3).map(|_| tokio::spawn(service.clone().oneshot(get(URI)))).collect();
    for call in calls {
        tokio::time::timeout(200 * SECOND, call).await.expect("its timer was set anew").unwrap().unwrap();
    }
    let log: Vec<_> = upstream.log().iter().map(|(_, at)| (*at - start).as_secs()).collect();
    assert_eq!(log, [0, 10, 70, 71]);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_says_is_left_is_not_exceeded_before_its_window_ends() {
    let told = [("x-ratelimit-remaining", "2"), ("x-ratelimit-reset", "10")];
    let service = RateLimitLayer::without_quota().layer(Upstream::of([answer(200, &told)]));
    service.clone().oneshot(get(URI)).await.unwrap();
    for expected in [0, 0, 10, 0, 0, 10, 0, 0, 0, 0] {
        assert_eq!(
            goes_after(&service, get(URI)).await,
            expected * SECOND,
            "as many again in the next, and then no more is known"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn calls_under_way_are_taken_off_what_is_left() {
    let told = [("x-ratelimit-remaining", "3"), ("x-ratelimit-reset", "10")];
    let service =
        RateLimitLayer::without_quota().layer(Upstream::of([Does::Hang, Does::Hang, answer(200, &told)]));
    let mut hang: Vec<_> = (0..2).map(|_| Box::pin(service.clone().oneshot(get(URI)))).collect();
    for call in &mut hang {
        assert!(poll(call.as_mut()).is_pending());
    }
    service.clone().oneshot(get(URI)).await.unwrap();
    assert_eq!(goes_after(&service, get(URI)).await, Duration::ZERO);
    assert_eq!(goes_after(&service, get(URI)).await, 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_over_without_an_answer_are_under_way_no_more() {
    let told = [("x-ratelimit-remaining", "2"), ("x-ratelimit-reset", "10")];
    let refused = Does::Fail(Rejection::new(None).into());
    let steps = [Does::Hang, refused, Does::Fail("reset".into()), answer(200, &told)];
    let service = RateLimitLayer::without_quota().layer(Upstream::of(steps));
    let mut dropped = Box::pin(service.clone().oneshot(get(URI)));
    assert!(poll(dropped.as_mut()).is_pending());
    drop(dropped);
    for _ in 0..2 {
        assert!(service.clone().oneshot(get(URI)).await.is_err());
    }
    service.clone().oneshot(get(URI)).await.unwrap();
    for expected in [0, 0, 10] {
        assert_eq!(goes_after(&service, get(URI)).await, expected * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_below_leaves_its_place_in_the_window() {
    let told = [("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "10")];
    let refused = Does::Fail(Rejection::new(None).into());
    let service = RateLimitLayer::without_quota().layer(Upstream::of([answer(200, &told), refused]));
    service.clone().oneshot(get(URI)).await.unwrap();
    assert!(service.clone().oneshot(get(URI)).await.is_err());
    for expected in [0, 10] {
        assert_eq!(goes_after(&service, get(URI)).await, expected * SECOND);
    }
}

fn costing(cost: u32) -> http::Request<()> {
    let mut request = get(URI);
    request.extensions_mut().insert(Cost(cost));
    request
}

#[tokio::test(start_paused = true)]
async fn a_call_that_costs_too_much_leaves_its_place_before_the_gate_and_after() {
    let told =
        |left| [("x-ratelimit-limit", "1"), ("x-ratelimit-remaining", left), ("x-ratelimit-reset", "10")];
    // What it costs, and when it is known that this is too much.
    for (left, cost, after) in [("0", 9, 10), ("1", 2, 0), ("1", 9, 0)] {
        let layer = RateLimitLayer::new(Quota::new(2, 100 * SECOND).unwrap());
        let service = layer.layer(Upstream::of([answer(200, &told(left))]));
        service.clone().oneshot(get(URI)).await.unwrap();
        let start = Instant::now();
        let dear = tokio::spawn(service.clone().oneshot(costing(cost)));
        tokio::task::yield_now().await;
        assert_eq!(goes_after(&service, costing(0)).await, after * SECOND, "{left} left, costs {cost}");
        assert!(dear.await.unwrap().is_err());
        assert_eq!(start.elapsed(), after * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_costs_nothing_waits_for_the_gate_alone() {
    let layer = RateLimitLayer::new(Quota::new(1, 100 * SECOND).unwrap());
    let service = layer.layer(Upstream::of([answer(429, &[("retry-after", "3")])]));
    service.clone().oneshot(get(URI)).await.unwrap();
    assert_eq!(goes_after(&service, costing(0)).await, 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waited_for_the_gate_and_then_for_its_token_is_heeded() {
    let steps = [answer(429, &[("retry-after", "1")]), answer(429, &[("retry-after", "9")])];
    let service = RateLimitLayer::new(Quota::new(1, 5 * SECOND).unwrap()).layer(Upstream::of(steps));
    for expected in [0, 5, 9] {
        assert_eq!(goes_after(&service, get(URI)).await, expected * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_that_ends_too_late_is_refused_as_such() {
    let told = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "31")];
    for (most, reason, shown) in [
        (30, Reason::MaxWait, "is used up for longer than the 30s that a call may wait"),
        (0, Reason::Quota, "is used up"),
    ] {
        let layer = RateLimitLayer::without_quota().max_wait(most * SECOND);
        let service = layer.layer(Upstream::of([answer(200, &told)]));
        service.clone().oneshot(get(URI)).await.unwrap();
        let refused = service.oneshot(get(URI)).await.unwrap_err();
        assert_eq!(limited(&refused).reason(), reason);
        assert_eq!(
            limited(&refused).to_string(),
            format!(
                "rate limit of http://api.example.com {shown}, nothing was sent; may be tried again in 31s"
            )
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_no_longer_before_the_gate_and_for_tokens_together() {
    for (most, goes) in [(5, true), (4, false)] {
        let layer = RateLimitLayer::new(Quota::new(1, 5 * SECOND).unwrap()).max_wait(most * SECOND);
        let service = layer.layer(Upstream::of([answer(429, &[("retry-after", "3")])]));
        service.clone().oneshot(get(URI)).await.unwrap();
        let start = Instant::now();
        let result = service.oneshot(get(URI)).await;
        assert_eq!(result.is_ok(), goes, "{most}");
        if let Err(refused) = result {
            assert_eq!(limited(&refused).reason(), Reason::MaxWait);
            assert_eq!(start.elapsed(), 3 * SECOND);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_hook_is_told_of_a_pause_once() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    let layer = RateLimitLayer::without_quota().hook(move |event: &Event<'_>| {
        if let Event::Paused { subject, lasts } = event {
            log.lock().unwrap().push((subject.to_string(), *lasts));
        }
    });
    let late = |seconds: u32| Does::Late(SECOND, response(429, &[("retry-after", &seconds.to_string())]));
    let service = layer.layer(Upstream::of([late(7), late(7), late(0)]));
    let calls: Vec<_> = (0..3).map(|_| tokio::spawn(service.clone().oneshot(get(URI)))).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(*told.lock().unwrap(), [("http://api.example.com".to_owned(), 7 * SECOND)]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_known_holds_for_one_more_window_and_then_for_none() {
    let told = [("x-ratelimit-limit", "3"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "10")];
    let service = RateLimitLayer::without_quota().layer(Upstream::of([answer(200, &told)]));
    service.clone().oneshot(get(URI)).await.unwrap();
    for expected in [10, 0, 0, 10, 0, 0, 0, 0, 0] {
        assert_eq!(goes_after(&service, get(URI)).await, expected * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_given_back_when_the_gate_closes_before_it_comes() {
    let upstream = Upstream::of([Does::Answer(Response::new(())), answer(429, &[("retry-after", "5")])]);
    let layer = RateLimitLayer::new(quota(1, 1));
    let service = layer.layer(upstream.clone());
    let start = Instant::now();
    let calls: Vec<_> = (0..4).map(|_| tokio::spawn(service.clone().oneshot(get(URI)))).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let log: Vec<_> = upstream.log().iter().map(|(_, at)| (*at - start).as_millis()).collect();
    assert_eq!(log, [0, 1000, 6000, 7000]);

    // The next token comes long after the pause, so the one that came in it must not be lost.
    let throttled = Does::Late(9 * SECOND, response(429, &[("retry-after", "5")]));
    let service = RateLimitLayer::new(Quota::new(1, 10 * SECOND).unwrap()).layer(Upstream::of([throttled]));
    let first = tokio::spawn(service.clone().oneshot(get(URI)));
    tokio::task::yield_now().await;
    assert_eq!(goes_after(&service, get(URI)).await, 14 * SECOND);
    assert_eq!(first.await.unwrap().unwrap().status(), 429);
}

#[tokio::test(start_paused = true)]
async fn a_503_pauses_nothing_where_that_is_asked_for() {
    for (status, mark, closed) in
        [(503, None, Duration::ZERO), (429, None, 7 * SECOND), (503, Some(Outcome::Throttled), 7 * SECOND)]
    {
        let layer = RateLimitLayer::without_quota().without_pause_on_503();
        let mut first = response(status, &[("retry-after", "7")]);
        if let Some(mark) = mark {
            first.extensions_mut().insert(mark);
        }
        // In whatever order it is set.
        let service = layer.hook(()).layer(Upstream::of([Does::Answer(first)]));
        service.clone().oneshot(get(URI)).await.unwrap();
        assert_eq!(goes_after(&service, get(URI)).await, closed, "{status} {mark:?}");
    }
}
