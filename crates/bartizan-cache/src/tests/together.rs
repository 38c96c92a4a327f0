//! Many who ask for the same at once.

use super::*;

/// The origin, 10 ms away.
fn slow(
    origin: &Origin,
) -> impl Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = &'static str, Future: Send>
+ Clone
+ Send
+ 'static {
    let origin = origin.clone();
    tower::service_fn(move |request| {
        let origin = origin.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            origin.oneshot(request).await
        }
    })
}

fn fresh() -> Response<Full<Bytes>> {
    answer_of(200, &[("cache-control", "max-age=99")], "one")
}

/// What so many get who ask at once, and how long it takes.
async fn all_at_once(
    layer: &CacheLayer,
    origin: &Origin,
    many: usize,
    request: impl Fn() -> Request<Full<Bytes>>,
) -> (Vec<Result<String, &'static str>>, Duration) {
    let start = Instant::now();
    let tasks: Vec<_> = (0..many)
        .map(|_| {
            let call = layer.layer(slow(origin)).oneshot(request());
            tokio::spawn(async move {
                let response = call.await?;
                let body = response.into_body().collect().await.unwrap().to_bytes();
                Ok(String::from_utf8(body.to_vec()).unwrap())
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    (answers, start.elapsed())
}

fn plain() -> Request<Full<Bytes>> {
    request("GET", URI, &[])
}

const TEN: Duration = Duration::from_millis(10);

#[tokio::test(start_paused = true)]
async fn fifty_who_miss_at_once_are_one_fetch() {
    let (origin, layer) = (Origin::of([fresh()]), CacheLayer::rfc9111());
    let (answers, took) = all_at_once(&layer, &origin, 50, plain).await;
    assert!(answers.iter().all(|answer| *answer == Ok("one".to_owned())), "{answers:?}");
    assert_eq!((origin.asked(), took), (1, TEN));
}

#[tokio::test(start_paused = true)]
async fn fifty_who_may_not_share_go_at_once_and_the_next_do_not_even_wait() {
    let unstored = || answer_of(200, &[("cache-control", "no-store")], "mine");
    let (origin, layer) = (Origin::of((0..200).map(|_| unstored())), CacheLayer::rfc9111());
    let (answers, took) = all_at_once(&layer, &origin, 50, plain).await;
    assert_eq!((answers.len(), origin.asked(), took), (50, 50, 2 * TEN), "one head is waited for");
    let (_, took) = all_at_once(&layer, &origin, 50, plain).await;
    assert_eq!((origin.asked(), took), (100, TEN));
    advance(10 * SECOND).await;
    let (_, took) = all_at_once(&layer, &origin, 50, plain).await;
    assert_eq!((origin.asked(), took), (150, 2 * TEN), "that is forgotten after some time");
}

#[tokio::test(start_paused = true)]
async fn who_leads_and_leaves_hands_over_to_one() {
    for polls in [1, 2] {
        let (origin, layer) = (Origin::of([fresh(), fresh()]), CacheLayer::rfc9111());
        let mut leads = Box::pin(layer.layer(slow(&origin)).oneshot(plain()));
        let follows = {
            let mut cx = Context::from_waker(std::task::Waker::noop());
            assert!(leads.as_mut().poll(&mut cx).is_pending());
            tokio::spawn({
                let (layer, origin) = (layer.clone(), origin.clone());
                async move { all_at_once(&layer, &origin, 199, plain).await.0 }
            })
        };
        tokio::time::sleep(TEN / 2).await;
        if polls == 1 {
            // Before the head.
            drop(leads);
        } else {
            // With the head, and without its body.
            drop(leads.await.unwrap());
        }
        let answers = follows.await.unwrap();
        assert!(answers.iter().all(|answer| *answer == Ok("one".to_owned())));
        assert_eq!(origin.asked(), if polls == 1 { 1 } else { 2 }, "one more at most");
    }
}

/// Whoever reads it drives it.
#[tokio::test(start_paused = true)]
async fn a_body_that_who_leads_does_not_read_keeps_nobody_waiting() {
    let (origin, layer) = (Origin::of([fresh()]), CacheLayer::rfc9111());
    let unread = layer.layer(slow(&origin)).oneshot(plain()).await.unwrap();
    let (answers, took) = all_at_once(&layer, &origin, 3, plain).await;
    assert_eq!((answers.len(), took, origin.asked()), (3, Duration::ZERO, 1));
    drop(unread);
}

#[tokio::test(start_paused = true)]
async fn of_each_variant_one_is_asked_for() {
    let varied = || answer_of(200, &[("cache-control", "max-age=99"), ("vary", "x")], "one");
    let (origin, layer) = (Origin::of((0..9).map(|_| varied())), CacheLayer::rfc9111());
    let number = std::cell::Cell::new(0);
    let variants = ["a", "b", "c"];
    let (answers, took) = all_at_once(&layer, &origin, 30, || {
        number.set(number.get() + 1);
        request("GET", URI, &[("x", variants[number.get() % 3])])
    })
    .await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!((origin.asked(), took), (3, 2 * TEN), "what it varies by is known with the first");
    // And from what is stored.
    let other = |value| move || request("GET", URI, &[("x", value)]);
    let both = (all_at_once(&layer, &origin, 20, other("d")), all_at_once(&layer, &origin, 20, other("e")));
    let ((_, one), (_, another)) = tokio::join!(both.0, both.1);
    assert_eq!((origin.asked(), one, another), (5, TEN, TEN));
}

#[tokio::test(start_paused = true)]
async fn what_has_become_stale_is_validated_once() {
    let tagged = |status, body| answer_of(status, &[("cache-control", "max-age=9"), ("etag", "\"a\"")], body);
    for second in [tagged(304, ""), tagged(200, "one")] {
        let answers = [tagged(200, "one"), second, tagged(304, "")];
        let (origin, layer) = (Origin::of(answers), CacheLayer::rfc9111());
        all_at_once(&layer, &origin, 1, plain).await;
        for asked in [2, 3] {
            advance(9 * SECOND).await;
            let (answers, took) = all_at_once(&layer, &origin, 50, plain).await;
            assert!(answers.iter().all(|answer| *answer == Ok("one".to_owned())));
            assert_eq!((origin.asked(), took), (asked, TEN));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_to_be_asked_for_each_time_is_waited_for_once() {
    for says in ["no-cache", "no-cache, max-age=99"] {
        let tagged = |status| answer_of(status, &[("cache-control", says), ("etag", "\"a\"")], "one");
        let answers = (0..200).map(|number| tagged(if number == 0 { 200 } else { 304 }));
        let (origin, layer) = (Origin::of(answers), CacheLayer::rfc9111());
        for (asked, waited) in [(5, 2), (10, 1)] {
            let (answers, took) = all_at_once(&layer, &origin, 5, plain).await;
            assert!(answers.iter().all(|answer| *answer == Ok("one".to_owned())));
            assert_eq!((origin.asked(), took), (asked, waited * TEN), "{says}");
        }
        advance(10 * SECOND).await;
        let (_, took) = all_at_once(&layer, &origin, 5, plain).await;
        assert_eq!((origin.asked(), took), (15, 2 * TEN), "{says}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_a_stale_answer_stands_in_all_go_at_once() {
    let says = [("cache-control", "max-age=9, stale-if-error=99")];
    let failures = (0..9).map(|_| answer_of(503, &[], ""));
    let origin = Origin::of([answer_of(200, &says, "one")].into_iter().chain(failures));
    let layer = CacheLayer::rfc9111();
    all_at_once(&layer, &origin, 1, plain).await;
    advance(9 * SECOND).await;
    let (answers, took) = all_at_once(&layer, &origin, 4, plain).await;
    assert!(answers.iter().all(|answer| *answer == Ok("one".to_owned())));
    assert_eq!((origin.asked(), took), (5, 2 * TEN), "one after the other it would take 40 ms");
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_is_not_reached_keeps_nobody_waiting_in_turn() {
    let origin = (0..5).fold(Origin::default(), |origin, _| origin.then_unreachable());
    let (answers, took) = all_at_once(&CacheLayer::rfc9111(), &origin, 5, plain).await;
    assert!(answers.iter().all(|answer| *answer == Err("unreachable")));
    assert_eq!(took, 2 * TEN);
}

#[tokio::test(start_paused = true)]
async fn what_is_ones_own_waits_for_nobody() {
    for (is_shared, method, fields, fetches) in [
        (false, "GET", &[][..], 1),
        (true, "GET", &[], 1),
        (false, "HEAD", &[], 3),
        (false, "GET", &[("authorization", "a")], 1),
        (true, "GET", &[("authorization", "a")], 3),
        (false, "GET", &[("range", "bytes=0-1")], 3),
        (false, "GET", &[("if-none-match", "\"a\"")], 3),
        (false, "GET", &[("cache-control", "no-store")], 3),
    ] {
        let layer = if is_shared { CacheLayer::rfc9111().shared() } else { CacheLayer::rfc9111() };
        let origin = Origin::of((0..9).map(|_| fresh()));
        let (_, took) = all_at_once(&layer, &origin, 3, || request(method, URI, fields)).await;
        assert_eq!((origin.asked(), took), (fetches, TEN), "{is_shared} {method} {fields:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_with_content_waits_for_nobody() {
    let (origin, layer) = (Origin::of((0..9).map(|_| fresh())), CacheLayer::rfc9111());
    let with_content = || plain().map(|_| Full::from("mine"));
    let (_, took) = all_at_once(&layer, &origin, 3, with_content).await;
    assert_eq!((origin.asked(), took), (3, TEN));
}

#[tokio::test(start_paused = true)]
async fn what_is_too_long_to_be_stored_is_fetched_by_each() {
    let long: &'static str = Box::leak("x".repeat(8 * 1024 * 1024 + 1).into_boxed_str());
    let origin = Origin::of((0..9).map(|_| answer_of(200, &[("cache-control", "max-age=99")], long)));
    let (answers, took) = all_at_once(&CacheLayer::rfc9111(), &origin, 3, plain).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|body| body.len() == long.len())));
    assert_eq!((origin.asked(), took), (3, 2 * TEN), "the head says how long it is");
}

#[tokio::test(start_paused = true)]
async fn who_miss_after_an_invalidation_are_one_fetch() {
    let origin = Origin::of([fresh(), answer_of(204, &[], ""), fresh()]);
    let layer = CacheLayer::rfc9111();
    for (method, many, asked) in [("GET", 1, 1), ("POST", 1, 2), ("GET", 50, 3)] {
        all_at_once(&layer, &origin, many, || request(method, URI, &[])).await;
        assert_eq!(origin.asked(), asked, "{method}");
        advance(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_leads_and_is_not_polled_is_waited_for_ten_seconds() {
    let (origin, layer) = (Origin::of([fresh(), fresh(), fresh()]), CacheLayer::rfc9111());
    let (start, mut leads) = (Instant::now(), Box::pin(layer.layer(slow(&origin)).oneshot(plain())));
    assert!(leads.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending());
    advance(4 * SECOND).await;
    let (answers, _) = all_at_once(&layer, &origin, 2, plain).await;
    assert_eq!((answers.len(), start.elapsed(), origin.asked()), (2, 10 * SECOND + TEN, 2));
    drop(leads);
}

#[tokio::test(start_paused = true)]
async fn who_says_something_about_the_cache_waits_for_nobody() {
    let (origin, layer) = (Origin::of([fresh(), fresh()]), CacheLayer::rfc9111());
    let own = || {
        let mut request = plain();
        CallContext::edit(request.extensions_mut()).cache_mut().ttl = Some(SECOND);
        request
    };
    all_at_once(&layer, &origin, 2, own).await;
    assert_eq!(origin.asked(), 2);
}
