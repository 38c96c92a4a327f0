//! The HTTP adapter.

use std::collections::VecDeque;

use bartizan_core::{BoxError, CallContext, Deadline, KeyBy, Outcome, find_source};
use http::{Request, Response};
use tower::{Layer, Service, ServiceExt};

use super::*;

/// What the upstream does with one call.
pub(super) enum Does {
    Answer(Response<()>),
    Late(Duration, Response<()>),
    Fail(BoxError),
    Hang,
}

#[derive(Clone, Default)]
pub(super) struct Upstream {
    steps: Arc<Mutex<VecDeque<Does>>>,
    log: Arc<Mutex<Vec<(String, Instant)>>>,
}

impl Upstream {
    pub(super) fn of(steps: impl IntoIterator<Item = Does>) -> Self {
        Self { steps: Arc::new(Mutex::new(steps.into_iter().collect())), ..Self::default() }
    }

    pub(super) fn calls(&self) -> usize {
        self.log.lock().unwrap().len()
    }

    pub(super) fn log(&self) -> Vec<(String, Instant)> {
        self.log.lock().unwrap().clone()
    }
}

impl Service<Request<()>> for Upstream {
    type Response = Response<()>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<()>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.log.lock().unwrap().push((request.uri().path().to_owned(), Instant::now()));
        let step = self.steps.lock().unwrap().pop_front();
        Box::pin(async move {
            match step {
                None => Ok(Response::new(())),
                Some(Does::Answer(response)) => Ok(response),
                Some(Does::Late(after, response)) => {
                    tokio::time::sleep(after).await;
                    Ok(response)
                }
                Some(Does::Fail(error)) => Err(error),
                Some(Does::Hang) => std::future::pending().await,
            }
        })
    }
}

pub(super) fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

pub(super) const URI: &str = "http://api.example.com/a";

pub(super) fn limited(error: &BoxError) -> &RateLimited {
    find_source::<RateLimited>(&**error).expect("a rate limit refused")
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_their_tokens_in_order() {
    let upstream = Upstream::default();
    let service = RateLimitLayer::new(quota(10, 2)).layer(upstream.clone());
    let start = Instant::now();
    let calls = (0..6).map(|n| {
        let service = service.clone();
        tokio::spawn(service.oneshot(get(&format!("http://a.example/{n}"))))
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    let log: Vec<_> = upstream.log().into_iter().map(|(path, at)| (path, (at - start).as_millis())).collect();
    let expected = [("/0", 0), ("/1", 0), ("/2", 100), ("/3", 200), ("/4", 300), ("/5", 400)];
    assert_eq!(log, expected.map(|(path, at)| (path.to_owned(), at)));
}

#[tokio::test(start_paused = true)]
async fn each_key_has_its_own_bucket_and_all_services_of_a_layer_share_them() {
    let layer = RateLimitLayer::new(quota(1, 1)).max_wait(Duration::ZERO);
    let call = async |layer: &RateLimitLayer, uri: &str, tenant: &str| {
        let mut request = get(uri);
        request.headers_mut().insert("x-tenant", tenant.parse().unwrap());
        layer.layer(Upstream::default()).oneshot(request).await.is_ok()
    };
    assert!(call(&layer, "http://a.example/", "x").await);
    assert!(!call(&layer.clone(), "http://A.example:80/b", "y").await);
    assert!(call(&layer, "https://a.example/", "x").await);
    assert_eq!(layer.limiters().len(), 2);

    let layer = layer.key_by(KeyBy::header(http::HeaderName::from_static("x-tenant")));
    assert!(call(&layer, "http://a.example/", "x").await);
    assert!(!call(&layer, "http://b.example/", "x").await);
    assert!(call(&layer, "http://a.example/", "y").await);
}

#[tokio::test(start_paused = true)]
async fn some_may_have_a_quota_of_their_own() {
    let paying = |request: &bartizan_core::RequestHead<'_>| {
        request.headers.contains_key("x-paying").then(|| quota(1, 3))
    };
    let layer = RateLimitLayer::new(quota(1, 1))
        .max_wait(Duration::ZERO)
        .key_by(KeyBy::header(http::HeaderName::from_static("x-paying")))
        .quota_for(paying);
    let service = layer.layer(Upstream::default());
    let mut rich = get(URI);
    rich.headers_mut().insert("x-paying", "1".parse().unwrap());
    for (request, goes) in [(get(URI), 1), (rich, 3)] {
        for n in 0..4 {
            assert_eq!(service.clone().oneshot(request.clone()).await.is_ok(), n < goes, "{n} of {goes}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_find_no_room_share_a_bucket_and_full_ones_make_room() {
    let by_tenant = KeyBy::header(http::HeaderName::from_static("x-tenant"));
    let two = std::num::NonZeroUsize::new(2).unwrap();
    let layer = RateLimitLayer::new(quota(1, 1)).max_wait(Duration::ZERO).key_by(by_tenant).max_keys(two);
    let service = layer.layer(Upstream::default());
    let call = async |tenant: u32| {
        let mut request = get(URI);
        request.headers_mut().insert("x-tenant", tenant.into());
        service.clone().oneshot(request).await.is_ok()
    };
    for tenant in 0..3 {
        assert!(call(tenant).await, "{tenant}");
    }
    assert!(call(3).await && !call(4).await, "those beyond have one token together");
    for tenant in 0..3 {
        assert!(!call(tenant).await, "{tenant} is not forgotten");
    }
    advance(SECOND).await;
    assert!(call(5).await && call(6).await && !call(5).await, "the full ones have made room");
}

#[tokio::test(start_paused = true)]
async fn a_request_may_cost_more_or_nothing() {
    let layer = RateLimitLayer::new(quota(1, 5)).max_wait(Duration::ZERO);
    let service = layer.layer(Upstream::default());
    let cost = |cost: u32| {
        let mut request = get(URI);
        request.extensions_mut().insert(Cost(cost));
        request
    };
    let refused = service.clone().oneshot(cost(6)).await.unwrap_err();
    assert_eq!(limited(&refused).reason(), Reason::Cost);
    service.clone().oneshot(cost(4)).await.unwrap();
    service.clone().oneshot(get(URI)).await.unwrap();
    assert_eq!(layer.limiters()[0].tokens(), 0);
    for _ in 0..10 {
        service.clone().oneshot(cost(0)).await.unwrap();
    }
    let layer = layer.cost(|request| if request.uri.path() == "/big" { 5 } else { 2 });
    let service = layer.layer(Upstream::default());
    advance(5 * SECOND).await;
    service.clone().oneshot(cost(1)).await.unwrap();
    assert_eq!(layer.limiters()[0].tokens(), 3);
    assert!(service.oneshot(get("http://api.example.com/big")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_call_is_heeded_at_once() {
    let service = RateLimitLayer::new(quota(1, 1)).layer(Upstream::default());
    service.clone().oneshot(get(URI)).await.unwrap();
    let with_deadline = |time: Duration| {
        let mut request = get(URI);
        let deadline = Deadline::after(Instant::now().into_std(), time).unwrap();
        CallContext::edit(request.extensions_mut()).shorten_deadline(deadline);
        request
    };
    let start = Instant::now();
    let refused = service.clone().oneshot(with_deadline(999 * MILLI)).await.unwrap_err();
    assert_eq!((limited(&refused).reason(), start.elapsed()), (Reason::Deadline, Duration::ZERO));
    assert_eq!(limited(&refused).retry_in(), Some(SECOND));
    service.oneshot(with_deadline(SECOND)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_below_costs_no_token() {
    let mut marked = Response::new(());
    marked.extensions_mut().insert(Rejection::new(None));
    let steps = [Does::Fail(Rejection::new(None).into()), Does::Answer(marked), Does::Fail("reset".into())];
    let layer = RateLimitLayer::new(quota(1, 9));
    let service = layer.layer(Upstream::of(steps));
    for (left, what) in [(9, "an error"), (9, "an answer"), (8, "it was sent"), (7, "it was answered")] {
        let _ = service.clone().oneshot(get(URI)).await;
        assert_eq!(layer.limiters()[0].tokens(), left, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_gives_back_what_it_waited_for_and_not_what_it_sent() {
    let layer = RateLimitLayer::new(quota(1, 1));
    let service = layer.layer(Upstream::of([Does::Hang]));
    let mut sent = Box::pin(service.clone().oneshot(get(URI)));
    assert!(poll(sent.as_mut()).is_pending());
    drop(sent);
    let limiter = &layer.limiters()[0];
    assert_eq!(limiter.tokens(), 0);
    let mut waits = Box::pin(service.clone().oneshot(get(URI)));
    assert!(poll(waits.as_mut()).is_pending());
    assert_eq!(limiter.waiting(), 1);
    drop(waits);
    assert_eq!(limiter.waiting(), 0);
    let mut ready = service.clone();
    let never_polled = ready.ready().await.unwrap().call(get(URI));
    assert_eq!(limiter.waiting(), 0);
    drop(never_polled);
    advance(SECOND).await;
    assert_eq!(limiter.tokens(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_before_its_inner_is_ready_gives_its_token_back() {
    let permits = Arc::new(tokio::sync::Semaphore::new(0));
    let inner = tower::limit::ConcurrencyLimit::with_semaphore(Upstream::default(), permits);
    let layer = RateLimitLayer::new(quota(1, 1));
    let mut service = layer.layer(inner);
    let mut call = Box::pin(service.ready().await.unwrap().call(get(URI)));
    assert!(poll(call.as_mut()).is_pending());
    assert_eq!(layer.limiters()[0].tokens(), 0);
    drop(call);
    assert_eq!(layer.limiters()[0].tokens(), 1);
}

#[tokio::test(start_paused = true)]
async fn on_the_client_side_answers_are_as_they_came() {
    let service = RateLimitLayer::new(quota(1, 1)).layer(Upstream::default());
    assert!(service.oneshot(get(URI)).await.unwrap().headers().is_empty());
}

#[tokio::test(start_paused = true)]
async fn disabled_and_without_quota_limit_nothing() {
    for layer in [RateLimitLayer::disabled(), RateLimitLayer::without_quota()] {
        let layer = layer.key_by(KeyBy::nothing());
        let upstream = Upstream::default();
        for _ in 0..1000 {
            layer.layer(upstream.clone()).oneshot(get(URI)).await.unwrap();
        }
        assert_eq!((upstream.calls(), layer.limiters().len()), (1000, 0));
    }
    let mut throttled = Response::new(());
    *throttled.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
    let service = RateLimitLayer::disabled().layer(Upstream::of([Does::Answer(throttled)]));
    let start = Instant::now();
    for _ in 0..2 {
        service.clone().oneshot(get(URI)).await.unwrap();
    }
    assert_eq!(start.elapsed(), Duration::ZERO, "disabled heeds nothing");
}

#[tokio::test(start_paused = true)]
async fn the_hook_is_told_of_refusals_and_waits() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    let layer = RateLimitLayer::new(quota(1, 1))
        .max_wait(SECOND)
        .hook(move |event: &Event<'_>| log.lock().unwrap().push(format!("{event:?}")));
    let service = layer.layer(Upstream::default());
    let (a, b, c) = tokio::join!(
        service.clone().oneshot(get(URI)),
        service.clone().oneshot(get(URI)),
        service.clone().oneshot(get(URI))
    );
    assert!(a.is_ok() && b.is_ok() && c.is_err());
    let told = told.lock().unwrap();
    assert!(told[0].starts_with("Refused(RateLimited"), "{told:?}");
    assert_eq!(told[1..], ["Waited(1s)"]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_may_be_shared() {
    let told = Arc::new(Mutex::new(0));
    let log = told.clone();
    let hook: Arc<dyn Hook + Send + Sync> = Arc::new(move |_: &Event<'_>| *log.lock().unwrap() += 1);
    let service = RateLimitLayer::new(quota(1, 1)).cost(|_| 2).hook(hook).layer(Upstream::default());
    let refused = service.oneshot(get(URI)).await.unwrap_err();
    assert_eq!(*told.lock().unwrap(), 1);
    assert_eq!(limited(&refused).origin().unwrap().as_str(), "http://api.example.com");
}

#[tokio::test(start_paused = true)]
async fn on_the_server_side_it_answers_429_and_says_how_it_stands() {
    let service =
        RateLimitLayer::new(Quota::new(5, 10 * SECOND).unwrap()).respond().layer(Upstream::default());
    for left in (0..5).rev() {
        let response = service.clone().oneshot(get("/")).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["ratelimit-policy"], "\"default\";q=5;w=10");
        assert_eq!(response.headers()["ratelimit"], format!("\"default\";r={left};t=2"));
    }
    advance(1001 * MILLI).await;
    let response = service.clone().oneshot(get("/")).await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "1", "999 ms, rounded up");
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers()["ratelimit"], "\"default\";r=0;t=1");
    assert_eq!(response.headers()["ratelimit-policy"], "\"default\";q=5;w=10");
    assert!(response.extensions().get::<Rejection>().is_some());
    advance(SECOND).await;
    assert_eq!(service.oneshot(get("/")).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn on_the_server_side_what_was_refused_below_costs_its_token() {
    let refused = || {
        let mut refused = Response::new(());
        refused.extensions_mut().insert(Rejection::new(None));
        Does::Answer(refused)
    };
    let service = RateLimitLayer::new(quota(1, 2)).respond().layer(Upstream::of([refused(), refused()]));
    for left in ["r=1", "r=0"] {
        let response = service.clone().oneshot(get("/")).await.unwrap();
        assert!(response.headers()["ratelimit"].to_str().unwrap().contains(left), "{response:?}");
    }
    assert_eq!(service.oneshot(get("/")).await.unwrap().status(), 429);
}

#[tokio::test(start_paused = true)]
async fn on_the_server_side_what_the_app_answers_is_not_heeded() {
    let mut throttled = Response::new(());
    *throttled.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
    throttled.extensions_mut().insert(Outcome::Throttled);
    let service = RateLimitLayer::new(quota(100, 9)).respond().layer(Upstream::of([Does::Answer(throttled)]));
    assert_eq!(service.clone().oneshot(get("/")).await.unwrap().status(), 429);
    assert_eq!(service.oneshot(get("/")).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_readied_inner_is_called_and_whoever_waits_or_is_refused_keeps_none() {
    let permits = Arc::new(tokio::sync::Semaphore::new(1));
    let inner = tower::limit::ConcurrencyLimit::with_semaphore(Upstream::default(), permits.clone());
    let layer = RateLimitLayer::new(quota(1, 1)).max_wait(SECOND);
    let mut service = layer.layer(inner);
    service.ready().await.unwrap().call(get(URI)).await.unwrap();
    assert_eq!(permits.available_permits(), 1);
    let waits = service.ready().await.unwrap().call(get(URI));
    assert_eq!(permits.available_permits(), 1, "neither the handle nor the call that waits");
    let refused = {
        let mut waits = Box::pin(waits);
        assert!(poll(waits.as_mut()).is_pending());
        let refused = service.ready().await.unwrap().call(get(URI)).await;
        waits.await.unwrap();
        refused
    };
    assert!(refused.is_err());
    assert_eq!(permits.available_permits(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_inner_is_polled_before_the_call() {
    let permits = Arc::new(tokio::sync::Semaphore::new(1));
    let inner = tower::limit::ConcurrencyLimit::with_semaphore(Upstream::default(), permits.clone());
    let mut service = RateLimitLayer::new(quota(1, 1)).layer(inner);
    service.ready().await.unwrap();
    assert_eq!(permits.available_permits(), 0, "it is ready, and has what it needs");
    service.call(get(URI)).await.unwrap();
    assert_eq!(permits.available_permits(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_layer_and_what_it_makes_say_what_they_are_and_show_no_request() {
    let layer = RateLimitLayer::new(quota(1, 1));
    let service = layer.layer("inner");
    let backend = "InMemory { quota: Quota(1 per 1s, at most 1 at once), key_by: origin, .. }";
    assert_eq!(
        format!("{layer:?}"),
        format!("RateLimitLayer {{ backend: {backend}, max_wait: 30s, heeds_feedback: true, .. }}")
    );
    assert_eq!(format!("{service:?}"), format!("RateLimit {{ backend: {backend}, inner: \"inner\", .. }}"));
    assert_eq!(
        format!("{:?}", RateLimitLayer::disabled()),
        "RateLimitLayer { backend: InMemory(without quota), max_wait: 30s, heeds_feedback: false, .. }"
    );
    assert_eq!(format!("{:?}", cost::Costs::Extension), "by extension");
    assert_eq!(format!("{:?}", cost::Costs::Closure(Arc::new(|_| 1))), "a closure");

    let mut service = layer.layer(Upstream::default());
    let [mut goes, waits] = [(); 2].map(|()| Box::pin(service.call(get(URI))));
    assert_eq!(format!("{goes:?} {waits:?}"), "ResponseFuture(calling) ResponseFuture(waiting)");
    assert!(poll(goes.as_mut()).is_ready());
    assert_eq!(format!("{goes:?}"), "ResponseFuture(over)");
    let dear = RateLimitLayer::new(quota(1, 1)).cost(|_| 2).layer(Upstream::default()).call(get(URI));
    assert_eq!(format!("{dear:?}"), "ResponseFuture(refused)");
}

/// Tokens that are kept far away: each is granted after some time, and the third never.
#[derive(Clone, Default)]
struct Far {
    asked: Arc<Mutex<Vec<(u32, Within)>>>,
    given_back: Arc<Mutex<u32>>,
}

struct FarGrant(Arc<Mutex<u32>>);

impl Grant for FarGrant {
    fn give_back(self) {
        *self.0.lock().unwrap() += 1;
    }

    fn standing(&self) -> Option<Standing> {
        None
    }
}

impl Backend for Far {
    type Grant = FarGrant;
    type Acquire = Pin<Box<dyn Future<Output = Result<FarGrant, RateLimited>> + Send>>;

    fn acquire(
        &self,
        _: &bartizan_core::RequestHead<'_>,
        cost: NonZeroU32,
        within: Within,
    ) -> Acquiring<FarGrant, Self::Acquire> {
        let mut asked = self.asked.lock().unwrap();
        asked.push((cost.get(), within));
        let is_third = asked.len() == 3;
        let grant = FarGrant(self.given_back.clone());
        Acquiring::Later(Box::pin(async move {
            tokio::time::sleep(5 * MILLI).await;
            if is_third {
                RateLimiter::new(quota(1, 1)).try_acquire(number(2)).map(|_| grant)
            } else {
                Ok(grant)
            }
        }))
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_may_be_kept_elsewhere() {
    let far = Far::default();
    let upstream = Upstream::of([Does::Answer(Response::new(())), Does::Fail(Rejection::new(None).into())]);
    let layer = RateLimitLayer::without_quota().backend(far.clone()).max_wait(SECOND).cost(|_| 3);
    let service = layer.layer(upstream.clone());
    let start = Instant::now();
    service.clone().oneshot(get(URI)).await.unwrap();
    assert_eq!(start.elapsed(), 5 * MILLI);
    assert_eq!(*far.asked.lock().unwrap(), [(3, Within::new(SECOND, None))]);
    service.clone().oneshot(get(URI)).await.unwrap_err();
    assert_eq!(*far.given_back.lock().unwrap(), 1, "it was refused below");
    let refused = service.oneshot(get(URI)).await.unwrap_err();
    assert_eq!((limited(&refused).reason(), upstream.calls()), (Reason::Cost, 2));
}
