//! How long is waited between attempts.

use super::*;

#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_for() {
    let date = |text| (RETRY_AFTER, text);
    let table: [(&[_], _); 4] = [
        (&[(RETRY_AFTER, "20")], 20.0),
        (&[date("Sun, 06 Nov 1994 08:50:00 GMT"), (DATE, "Sun, 06 Nov 1994 08:49:00 GMT")], 60.0),
        // Without a `Date` the clock on the wall counts.
        (&[date("Sun, 06 Nov 1994 08:49:47 GMT")], 10.0),
        (&[(RETRY_AFTER, "in a while")], 0.0),
    ];
    let wall = WallClock::fixed(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777));
    for (fields, asked) in table {
        let start = Instant::now();
        let service = layer().wall_clock(wall.clone()).layer(Upstream::of([throttled(fields)]));
        assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
        let waited = start.elapsed().as_secs_f64();
        assert!(waited >= asked && waited <= (asked * 1.5).max(1.0), "{waited} for {fields:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_was_read_in_the_body_is_waited_for() {
    let mut answer = answer(200);
    answer.extensions_mut().insert(Outcome::Throttled);
    answer.extensions_mut().insert(RetryHint { retry_in: Some(20 * SECOND), ..RetryHint::default() });
    let (start, upstream) = (Instant::now(), Upstream::of([Answer(answer)]));
    layer().layer(upstream.clone()).oneshot(get()).await.unwrap();
    assert_eq!(upstream.calls(), 2);
    assert!(start.elapsed() >= 20 * SECOND && start.elapsed() <= 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_post_of_which_nothing_was_done_by_the_origins_word_is_sent_again() {
    for (unprocessed, calls) in [(true, if Delivery::READS_HYPER { 2 } else { 1 }), (false, 1)] {
        let mut answer = answer(200);
        answer.extensions_mut().insert(Outcome::Throttled);
        answer.extensions_mut().insert(RetryHint { unprocessed, ..RetryHint::default() });
        let upstream = Upstream::of([Answer(answer)]);
        layer().layer(upstream.clone()).oneshot(request(Method::POST)).await.unwrap();
        assert_eq!(upstream.calls(), calls, "unprocessed: {unprocessed}");
    }
}

#[tokio::test(start_paused = true)]
async fn more_than_five_minutes_is_an_answer() {
    let (start, told) = (Instant::now(), Told::default());
    let service = layer().hook(told.clone()).layer(Upstream::of([throttled(&[(RETRY_AFTER, "301")])]));
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 429);
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(told.take(), ["retry_after after 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    let (start, told) = (Instant::now(), Told::default());
    let service = layer().hook(told.clone()).layer(Upstream::of([throttled(&[(RETRY_AFTER, "20")])]));
    let response = service.clone().oneshot(with_deadline(get(), 20 * SECOND)).await.unwrap();
    assert_eq!((response.status().as_u16(), start.elapsed()), (429, Duration::ZERO));
    assert_eq!(told.take(), ["deadline after 1"]);

    let service = layer().layer(Upstream::of([throttled(&[(RETRY_AFTER, "20")])]));
    assert_eq!(service.oneshot(with_deadline(get(), 31 * SECOND)).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn classic_waits_one_two_and_four_seconds() {
    for code in [408, 429, 500, 502, 503, 504] {
        let (start, upstream) = (Instant::now(), Upstream::of((0..9).map(|_| status(code))));
        let response = RetryLayer::classic().layer(upstream.clone()).oneshot(get()).await.unwrap();
        assert_eq!((response.status().as_u16(), upstream.calls()), (code, 4));
        assert_eq!(start.elapsed(), 7 * SECOND);
    }
    for (code, method) in [(425, Method::GET), (501, Method::GET), (503, Method::POST)] {
        let upstream = Upstream::of([status(code)]);
        let response = RetryLayer::classic().layer(upstream.clone()).oneshot(request(method)).await.unwrap();
        assert_eq!((response.status().as_u16(), upstream.calls()), (code, 1));
    }
    let upstream = Upstream::of((0..3).map(|_| Fail("reset".into())));
    assert_eq!(RetryLayer::classic().layer(upstream).oneshot(get()).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn decorrelated_waits_grow_from_the_last_wait() {
    let backoff = Backoff::exponential(SECOND, 1000 * SECOND).unwrap().jitter(Jitter::Decorrelated);
    let recorder = Recorder::new();
    let retry = layer().backoff(backoff).max_attempts(MaxAttempts::new(9).unwrap());
    let service = ServiceBuilder::new()
        .layer(retry)
        .layer(recorder.layer())
        .service(Upstream::of((0..8).map(|_| status(503))));
    let start = Instant::now();
    service.oneshot(get()).await.unwrap();
    // From three times the base alone eight waits would be 16 s in the mean, and 24 s at most.
    assert!(start.elapsed() > 24 * SECOND, "{:?}: {}", start.elapsed(), recorder.timeline());
}
