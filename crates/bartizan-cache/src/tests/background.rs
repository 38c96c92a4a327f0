//! What is answered stale, and fetched meanwhile.

use std::num::NonZeroU32;

use bartizan_core::Deadline;

use super::*;

/// Fresh for 10 s, and then stale for 20 s while it is fetched.
const SAYS: [(&str, &str); 2] =
    [("cache-control", "max-age=10, stale-while-revalidate=20"), ("etag", "\"a\"")];

fn answer(body: &'static str) -> Response<Full<Bytes>> {
    answer_of(200, &SAYS, body)
}

/// All that was spawned goes on until it waits.
async fn meanwhile() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// With a response that is stale for two seconds.
async fn stale(answers: impl IntoIterator<Item = Response<Full<Bytes>>>) -> (Origin, Cache<Origin>) {
    let origin = Origin::of([answer("one")].into_iter().chain(answers));
    let cache = cache(&origin);
    get(&cache, &[]).await;
    advance(12 * SECOND).await;
    (origin, cache)
}

#[tokio::test(start_paused = true)]
async fn what_is_stale_answers_and_is_fetched_once_meanwhile() {
    let (origin, cache) = stale([answer("two")]).await;
    for _ in 0..5 {
        assert_eq!(get(&cache, &[]).await, got(200, Some(12), "one"));
    }
    meanwhile().await;
    assert_eq!(origin.asked(), 2);
    assert_eq!(origin.last()["if-none-match"], "\"a\"");
    assert_eq!(get(&cache, &[]).await, got(200, Some(0), "two"));
    advance(9 * SECOND).await;
    assert_eq!(get(&cache, &[]).await.age.as_deref(), Some("9"));
}

#[tokio::test(start_paused = true)]
async fn what_is_confirmed_meanwhile_is_fresh_again() {
    let (origin, cache) = stale([answer_of(304, &SAYS, "")]).await;
    get(&cache, &[]).await;
    meanwhile().await;
    assert_eq!(get(&cache, &[]).await, got(200, Some(0), "one"));
    assert_eq!(origin.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_fetched_in_vain_is_left_alone_for_ten_seconds() {
    let unreachable = Origin::of([answer("one")]).then_unreachable();
    let failing = Origin::of([answer("one"), answer_of(503, &[], "")]);
    let unstored = Origin::of([answer("one"), answer_of(404, &[("cache-control", "no-store")], "")]);
    for origin in [unreachable, failing, unstored] {
        let cache = cache(&origin);
        get(&cache, &[]).await;
        advance(12 * SECOND).await;
        for (asked, after) in [(2, Duration::from_millis(9_900)), (2, SECOND), (3, SECOND)] {
            assert_eq!(get(&cache, &[]).await.body, "one");
            meanwhile().await;
            assert_eq!(origin.asked(), asked);
            advance(after).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_never_fresh_is_fetched_each_time_that_it_answers() {
    let says = [("cache-control", "max-age=0, stale-while-revalidate=20")];
    let origin = Origin::of(["one", "two", "three"].map(|body| answer_of(200, &says, body)));
    let cache = cache(&origin);
    for (asked, body) in [(1, "one"), (2, "one"), (3, "two")] {
        assert_eq!(get(&cache, &[]).await.body, body);
        meanwhile().await;
        assert_eq!(origin.asked(), asked);
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_waited_for_in_vain_is_fetched_meanwhile_for_the_next() {
    for leaves in [false, true] {
        let (origin, cache) =
            stale([answer_of(404, &[("cache-control", "no-store")], ""), answer("two")]).await;
        let asks = request("GET", URI, &[("cache-control", "max-age=0")]);
        if leaves {
            // It goes, and nobody waits for what comes of it.
            let never = tower::service_fn(|_: Request<Full<Bytes>>| std::future::pending());
            let mut never = Cache { inner: never, engine: cache.engine.clone() };
            let mut call = Box::pin(never.call(asks));
            type Answer<'a> = Poll<Result<Response<CacheBody<Full<Bytes>>>, &'a str>>;
            let polled: Answer<'_> = call.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop()));
            assert!(polled.is_pending());
            origin.answers.lock().unwrap().pop_front();
        } else {
            assert_eq!(send(&cache, asks).await.unwrap().0.status, 404);
        }
        assert_eq!(get(&cache, &[]).await.body, "one");
        meanwhile().await;
        assert_eq!(get(&cache, &[]).await.body, "two", "{leaves}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_the_window_the_caller_waits() {
    let (origin, cache) = stale([answer("two")]).await;
    advance(18 * SECOND).await;
    assert_eq!(get(&cache, &[]).await, got(200, None, "two"));
    assert_eq!(origin.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_what_is_stored_alone_or_with_head_sets_nothing_off() {
    let (origin, cache) = stale([]).await;
    assert_eq!(get(&cache, &[("cache-control", "only-if-cached")]).await, got(200, Some(12), "one"));
    assert_eq!(send(&cache, request("HEAD", URI, &[])).await.unwrap().0, got(200, Some(12), ""));
    meanwhile().await;
    assert_eq!(origin.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_wants_nothing_stored_sets_nothing_off() {
    let (origin, cache) = stale([]).await;
    assert_eq!(get(&cache, &[("cache-control", "no-store")]).await, got(200, Some(12), "one"));
    meanwhile().await;
    assert_eq!(origin.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_of_the_one_request_alone_does_not_go_along() {
    let (tagged, cache) = stale([answer("two")]).await;
    does_not_go_along(&tagged, &cache, &["\"a\""]).await;
    // Without a validator of the cache's own.
    let untagged = Origin::of(["one", "two"].map(|body| answer_of(200, &SAYS[..1], body)));
    let cache = super::cache(&untagged);
    get(&cache, &[]).await;
    advance(12 * SECOND).await;
    does_not_go_along(&untagged, &cache, &[]).await;
}

async fn does_not_go_along(origin: &Origin, cache: &Cache<Origin>, ours: &[&str]) {
    let fields = [
        ("range", "bytes=0-1"),
        ("if-range", "\"a\""),
        ("if-none-match", "\"x\""),
        ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("if-unmodified-since", "never"),
        ("x-mine", "1"),
    ];
    let status = get(cache, &fields).await.status;
    assert_eq!(status, if ours.is_empty() { 200 } else { 206 });
    meanwhile().await;
    let sent = origin.last();
    assert!(sent.contains_key("x-mine"));
    assert_eq!(sent.get_all("if-none-match").iter().collect::<Vec<_>>(), ours);
    for name in ["range", "if-range", "if-modified-since", "if-unmodified-since"] {
        assert!(!sent.contains_key(name), "{name}");
    }
    assert_eq!(get(cache, &[]).await.body, "two");
}

#[tokio::test(start_paused = true)]
async fn what_is_confirmed_meanwhile_is_held_against_no_condition() {
    let origin = Origin::of([
        answer_of(200, &[("etag", "\"a\""), ("vary", "accept")], "one"),
        answer_of(404, &SAYS[..1], "none"),
        answer_of(304, &SAYS[1..], ""),
    ]);
    let cache = cache(&origin);
    get(&cache, &[]).await;
    get(&cache, &[]).await;
    advance(12 * SECOND).await;
    let conditions = [("if-unmodified-since", "Sun, 06 Nov 1994 08:00:00 GMT")];
    assert_eq!(get(&cache, &conditions).await, got(404, Some(12), "none"));
    meanwhile().await;
    assert_eq!(origin.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_callers_deadline_and_attempt_stay_behind_and_whose_it_is_goes_along() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let inner = tower::service_fn({
        let seen = seen.clone();
        move |request: Request<Full<Bytes>>| {
            seen.lock().unwrap().push(CallContext::of(request.extensions()).cloned());
            ready(Ok::<_, &str>(answer("one")))
        }
    });
    let cache = CacheLayer::rfc9111().layer(inner);
    let ask = || {
        let mut request = request("GET", URI, &[]);
        let context = CallContext::edit(request.extensions_mut());
        context.set_partition("me");
        context.set_attempt(NonZeroU32::new(2).unwrap());
        context.shorten_deadline(Deadline::after(Instant::now().into_std(), SECOND).unwrap());
        cache.clone().oneshot(request)
    };
    ask().await.unwrap().into_body().collect().await.unwrap();
    advance(12 * SECOND).await;
    ask().await.unwrap();
    meanwhile().await;
    let seen = seen.lock().unwrap();
    let parts = |context: &Option<CallContext>| {
        let context = context.as_ref().unwrap();
        (context.partition() == Some("me"), context.deadline().is_some(), context.attempt().is_some())
    };
    assert_eq!(seen.iter().map(parts).collect::<Vec<_>>(), [(true, true, true), (true, false, false)]);
}

#[tokio::test(start_paused = true)]
async fn what_hangs_is_given_up_after_thirty_seconds_and_left_alone_for_ten() {
    let calls = Arc::new(Mutex::new(0));
    let inner = tower::service_fn({
        let calls = calls.clone();
        move |_: Request<Full<Bytes>>| {
            *calls.lock().unwrap() += 1;
            let is_first = *calls.lock().unwrap() == 1;
            async move {
                if !is_first {
                    std::future::pending::<()>().await;
                }
                let says = [("cache-control", "max-age=10, stale-while-revalidate=999")];
                Ok::<_, &str>(answer_of(200, &says, "one"))
            }
        }
    });
    let told = Arc::new(Mutex::new(0));
    let hook = {
        let told = told.clone();
        move |event: &Event<'_>| {
            *told.lock().unwrap() += usize::from(matches!(event, Event::NotRefreshed { .. }));
        }
    };
    let cache = CacheLayer::rfc9111().hook(hook).layer(inner);
    let ask = async || {
        let response = cache.clone().oneshot(request("GET", URI, &[])).await.unwrap();
        response.into_body().collect().await.unwrap();
        meanwhile().await;
        *calls.lock().unwrap()
    };
    assert_eq!(ask().await, 1);
    advance(12 * SECOND).await;
    assert_eq!(ask().await, 2);
    advance(29 * SECOND).await;
    assert_eq!((ask().await, *told.lock().unwrap()), (2, 0));
    advance(SECOND).await;
    meanwhile().await;
    assert_eq!(*told.lock().unwrap(), 1);
    assert_eq!(ask().await, 2);
    advance(9 * SECOND).await;
    assert_eq!(ask().await, 2);
    advance(SECOND).await;
    assert_eq!(ask().await, 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_fetched_meanwhile_is_no_call_that_is_answered() {
    for then in [answer("two"), answer_of(304, &SAYS, ""), answer_of(503, &[], "")] {
        let told = Arc::new(Mutex::new(0));
        let hook = {
            let told = told.clone();
            move |event: &Event<'_>| {
                *told.lock().unwrap() += usize::from(matches!(event, Event::Answered { .. }));
            }
        };
        let origin = Origin::of([answer("one"), then]);
        let cache = CacheLayer::rfc9111().hook(hook).layer(origin.clone());
        get(&cache, &[]).await;
        advance(12 * SECOND).await;
        get(&cache, &[]).await;
        meanwhile().await;
        assert_eq!((origin.asked(), *told.lock().unwrap()), (2, 2));
    }
}

#[test]
fn outside_of_a_runtime_the_caller_waits() {
    let inner = tower::service_fn(|_: Request<Full<Bytes>>| {
        // It was stale when it came.
        let says = [("cache-control", "max-age=10, stale-while-revalidate=20"), ("age", "12")];
        ready(Ok::<_, &str>(answer_of(200, &says, "one")))
    });
    let mut cache = CacheLayer::rfc9111().layer(inner);
    for _ in 0..2 {
        let mut call = std::pin::pin!(cache.call(request("GET", URI, &[])));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let Poll::Ready(Ok(response)) = call.as_mut().poll(&mut cx) else { panic!("it is there") };
        assert_eq!(response.headers()["age"], "12");
        let mut body = std::pin::pin!(response.into_body().collect());
        assert!(body.as_mut().poll(&mut cx).is_ready());
    }
}
