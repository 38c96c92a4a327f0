//! What servers say, and what becomes of calls then.

use bartizan_core::CallContext;
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
}
