//! The HTTP adapter.

use bartizan_core::{BoxError, CallContext, Deadline, KeyBy, find_source};
use bartizan_test::bodies::{self, Step};
use http::{HeaderMap, HeaderName, Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use tower::{Layer, Service, ServiceExt, service_fn};

use super::upstream::{Does, Open, Upstream, get, of};
use super::*;
use crate::{Event, Hook};

type Call<S> = Pin<Box<<S as Service<Request<()>>>::Future>>;

/// Called now, and not polled yet.
fn call<S: Service<Request<()>>>(service: &mut S, request: Request<()>) -> Call<S> {
    let ready = service.poll_ready(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(ready, Poll::Ready(Ok(()))));
    Box::pin(service.call(request))
}

/// Why it is refused, which has to be now.
fn refused_now<R>(mut call: Pin<Box<impl Future<Output = Result<R, BoxError>>>>) -> BoxError {
    match poll(call.as_mut()) {
        Poll::Ready(result) => result.err().expect("it is refused"),
        Poll::Pending => panic!("it is not refused"),
    }
}

fn full(error: &BoxError) -> &BulkheadFull {
    find_source::<BulkheadFull>(&**error).expect("a bulkhead refused")
}

fn taken(layer: &BulkheadLayer) -> usize {
    layer.bulkheads().iter().map(Bulkhead::taken).sum()
}

/// The response to one call.
async fn answered(layer: &BulkheadLayer, upstream: &Upstream, id: usize) -> Response<impl Body> {
    let mut call = call(&mut layer.layer(upstream.clone()), get(id));
    upstream.answer(id, Ok(()));
    let response = call.as_mut().await.unwrap();
    // Kept, so that nothing is freed by its drop.
    std::mem::forget(call);
    response
}

#[tokio::test(start_paused = true)]
async fn calls_beyond_the_limit_are_refused_and_sent_to_nobody() {
    let upstream = Upstream::default();
    let mut service = BulkheadLayer::new(limit(2)).layer(upstream.clone());
    let _calls = [call(&mut service, get(0)), call(&mut service, get(1))];
    let error = refused_now(call(&mut service, get(2)));
    assert_eq!(full(&error).reason(), Reason::Full);
    assert_eq!(full(&error).origin().unwrap().as_str(), "http://api.example.com");
    assert_eq!(full(&error).subject().to_string(), "http://api.example.com");
    assert_eq!(
        error.to_string(),
        "bulkhead of http://api.example.com is full (at most 2 at once and 0 in line), nothing was sent"
    );
    assert!(!upstream.was_called(2));
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_kept_until_the_end_of_the_body() {
    for (id, does) in [Does::End, Does::LastFrame, Does::Break].into_iter().enumerate() {
        let (layer, upstream) = (BulkheadLayer::new(limit(1)), Upstream::default());
        let mut body = Box::pin(answered(&layer, &upstream, id).await.into_body());
        assert_eq!(taken(&layer), 1);
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(body.as_mut().poll_frame(cx).is_pending());
        upstream.body(id, Does::Frame);
        assert!(body.as_mut().poll_frame(cx).is_ready());
        assert_eq!(taken(&layer), 1, "there is more to come");
        upstream.body(id, does);
        assert!(body.as_mut().poll_frame(cx).is_ready());
        assert_eq!(taken(&layer), 0, "{does:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_dropped_or_was_never_there_keeps_no_permit() {
    let (layer, upstream) = (BulkheadLayer::new(limit(1)), Upstream::default());
    let response = answered(&layer, &upstream, 0).await;
    assert_eq!(taken(&layer), 1);
    drop(response);
    assert_eq!(taken(&layer), 0);
    upstream.bodies_are_empty(true);
    let _response = answered(&layer, &upstream, 1).await;
    assert_eq!(taken(&layer), 0, "nobody may ever poll it");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_or_is_dropped_keeps_no_permit() {
    let (layer, upstream) = (BulkheadLayer::new(limit(1)), Upstream::default());
    let mut service = layer.layer(upstream.clone());
    let mut fails = call(&mut service, get(0));
    upstream.answer(0, Err("reset".into()));
    assert!(fails.as_mut().await.is_err());
    assert_eq!(taken(&layer), 0, "though its future is still there");
    drop(call(&mut service, get(1)));
    assert_eq!(taken(&layer), 0, "never polled");
    let mut hangs = call(&mut service, get(2));
    assert!(poll(hangs.as_mut()).is_pending());
    drop(hangs);
    assert_eq!(taken(&layer), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_gives_up_its_place_wherever_it_is_dropped() {
    let (layer, upstream) = (BulkheadLayer::new(limit(1)).queue(1), Upstream::default());
    let mut service = layer.layer(upstream.clone());
    let first = call(&mut service, get(0));
    drop(call(&mut service, get(1)));
    let mut waits = call(&mut service, get(2));
    assert!(poll(waits.as_mut()).is_pending());
    let error = refused_now(call(&mut service, get(3)));
    assert_eq!(full(&error).reason(), Reason::Full, "there is room for one");
    drop(waits);
    let mut waits = call(&mut service, get(4));
    assert!(poll(waits.as_mut()).is_pending());
    let bulkhead = &layer.bulkheads()[0];
    assert_eq!((bulkhead.taken(), bulkhead.waiting()), (1, 1));
    drop(first);
    assert_eq!((bulkhead.taken(), bulkhead.waiting()), (1, 0), "it has come, and is not fetched");
    drop(waits);
    assert_eq!(bulkhead.taken(), 0);
    assert!(!upstream.was_called(4));
}

/// Tells, whenever it is woken, how much was open then.
struct Sees(Open, Mutex<Vec<usize>>);

impl std::task::Wake for Sees {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0.now());
    }
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_free_only_once_what_it_was_for_is_gone() {
    for stage in ["call", "error", "body"] {
        let (layer, upstream) = (BulkheadLayer::new(limit(1)).queue(1), Upstream::default());
        let mut service = layer.layer(upstream.clone());
        let sees = Arc::new(Sees(upstream.open(), Mutex::default()));
        let mut first = call(&mut service, get(0));
        let mut next = call(&mut service, get(1));
        let waker = Waker::from(sees.clone());
        assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        match stage {
            "call" => drop(first),
            "error" => {
                upstream.answer(0, Err("reset".into()));
                assert!(first.as_mut().await.is_err());
            }
            _ => {
                upstream.answer(0, Ok(()));
                drop(first.as_mut().await.unwrap());
            }
        }
        assert_eq!(*sees.1.lock().unwrap(), [0], "{stage}");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_go_in_order_once_a_body_has_ended() {
    let (layer, upstream) = (BulkheadLayer::new(limit(1)).queue(2), Upstream::default());
    let mut service = layer.layer(upstream.clone());
    let response = answered(&layer, &upstream, 0).await;
    let mut second = call(&mut service, get(1));
    let mut third = call(&mut service, get(2));
    assert!(poll(second.as_mut()).is_pending() && poll(third.as_mut()).is_pending());
    assert!(!upstream.was_called(1));
    drop(response);
    assert!(poll(third.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    assert!(upstream.was_called(1) && !upstream.was_called(2));
    upstream.answer(1, Ok(()));
    drop(second.await.unwrap());
    assert!(poll(third.as_mut()).is_pending());
    assert!(upstream.was_called(2));
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_its_time_or_the_deadline_of_its_call() {
    let layer = BulkheadLayer::new(limit(1)).queue(9);
    let mut service = layer.layer(Upstream::default());
    let _first = call(&mut service, get(0));
    let with_deadline = |time: Duration| {
        let mut request = get(1);
        let deadline = Deadline::after(Instant::now().into_std(), time).unwrap();
        CallContext::edit(request.extensions_mut()).shorten_deadline(deadline);
        request
    };
    let refused = async |layer: &BulkheadLayer, request: Request<()>| {
        let mut service = layer.layer(Upstream::default());
        let start = Instant::now();
        let call = tokio::time::timeout(3600 * SECOND, call(&mut service, request));
        let error = call.await.expect("it waits for an hour at most").err().unwrap();
        (full(&error).reason(), start.elapsed())
    };
    assert_eq!(refused(&layer, get(1)).await, (Reason::MaxWait, 30 * SECOND), "the default");
    assert_eq!(refused(&layer, with_deadline(SECOND)).await, (Reason::Deadline, SECOND));
    assert_eq!(refused(&layer, with_deadline(60 * SECOND)).await, (Reason::MaxWait, 30 * SECOND));
    assert_eq!(refused(&layer, with_deadline(Duration::ZERO)).await, (Reason::Deadline, Duration::ZERO));
    let layer = layer.max_wait(2 * SECOND);
    assert_eq!(refused(&layer, get(1)).await, (Reason::MaxWait, 2 * SECOND));
    let start = Instant::now();
    assert_eq!(why_not(layer.bulkheads()[0].acquire()).await, Reason::MaxWait);
    assert_eq!(start.elapsed(), 2 * SECOND, "a handle waits as long as a call does");
}

#[tokio::test(start_paused = true)]
async fn each_key_has_its_own_bulkhead_and_all_services_of_a_layer_share_them() {
    let (layer, upstream) = (BulkheadLayer::new(limit(1)), Upstream::default());
    let _a = call(&mut layer.layer(upstream.clone()), of("http://a.example", 0));
    refused_now(call(&mut layer.clone().layer(upstream.clone()), of("http://A.example:80", 1)));
    let _b = call(&mut layer.layer(upstream.clone()), of("https://a.example", 2));
    assert_eq!((upstream.open().now(), layer.bulkheads().len()), (2, 2));

    let layer = layer.key_by(KeyBy::nothing());
    let _c = call(&mut layer.layer(upstream.clone()), of("http://a.example", 3));
    assert_eq!(upstream.open().now(), 3, "they are new ones");
    refused_now(call(&mut layer.layer(upstream), of("http://b.example", 4)));
}

#[tokio::test(start_paused = true)]
async fn keys_that_find_no_room_share_a_bulkhead_and_those_in_use_stay() {
    let tenant = KeyBy::header(HeaderName::from_static("x-tenant"));
    let layer = BulkheadLayer::new(limit(1)).key_by(tenant).max_keys(limit(2));
    let upstream = Upstream::default();
    let mut service = layer.layer(upstream.clone());
    let mut tenant = |tenant: usize, id: usize| {
        let mut request = get(id);
        request.headers_mut().insert("x-tenant", tenant.into());
        let call = call(&mut service, request);
        upstream.was_called(id).then_some(call)
    };
    let mut calls: Vec<_> = (0..3).map(|id| tenant(id, id).unwrap()).collect();
    let beyond = tenant(3, 3).unwrap();
    assert!(tenant(4, 4).is_none(), "those beyond have one together");
    for id in 0..3 {
        assert!(tenant(id, 5 + id).is_none(), "{id} is not forgotten");
    }
    drop(beyond);
    assert!(tenant(4, 8).is_some());
    drop(calls.remove(1));
    let _fifth = tenant(5, 9).unwrap();
    let _beyond = tenant(6, 10).unwrap();
    assert!(tenant(5, 11).is_none(), "it has the place that was free");
}

#[tokio::test(start_paused = true)]
async fn one_who_is_about_to_wait_keeps_his_bulkhead() {
    let layer = BulkheadLayer::new(limit(1)).queue(1).max_keys(limit(1));
    let upstream = Upstream::default();
    let mut service = layer.layer(upstream.clone());
    let _first = call(&mut service, of("http://first.example", 0));
    let under_way = call(&mut service, of("http://a.example", 1));
    let mut waits = call(&mut service, of("http://a.example", 2));
    drop(under_way);
    // Idle, but for one who has not looked yet.
    let _other = call(&mut service, of("http://b.example", 3));
    assert!(poll(waits.as_mut()).is_pending());
    let mut again = call(&mut service, of("http://a.example", 4));
    assert!(poll(again.as_mut()).is_pending());
    assert!(upstream.was_called(2) && !upstream.was_called(4));
}

#[tokio::test(start_paused = true)]
async fn disabled_limits_nothing() {
    let layer: BulkheadLayer = BulkheadLayer::disabled().queue(0).key_by(KeyBy::nothing()).max_keys(limit(1));
    let upstream = Upstream::default();
    let mut service = layer.layer(upstream.clone());
    let calls: Vec<_> = (0..100).map(|id| call(&mut service, get(id))).collect();
    assert_eq!((upstream.open().now(), layer.bulkheads().len()), (100, 0));
    drop(calls);
    answered(&layer, &upstream, 100).await;
}

#[tokio::test(start_paused = true)]
async fn the_hook_is_told_of_refusals_and_waits() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    let layer = BulkheadLayer::new(limit(1)).queue(1).hook(move |event: &Event<'_>| {
        log.lock().unwrap().push(match event {
            Event::BulkheadFull(full) => full.reason().to_string(),
            event => format!("{event:?}"),
        });
    });
    let mut service = layer.layer(Upstream::default());
    let first = call(&mut service, get(0));
    let mut waits = call(&mut service, get(1));
    assert!(poll(waits.as_mut()).is_pending());
    refused_now(call(&mut service, get(2)));
    advance(SECOND).await;
    drop(first);
    assert!(poll(waits.as_mut()).is_pending());
    let mut waits = call(&mut service, get(3));
    assert!(poll(waits.as_mut()).is_pending());
    advance(30 * SECOND).await;
    refused_now(waits);
    assert_eq!(*told.lock().unwrap(), ["full", "Waited(1s)", "max_wait"]);
}

#[tokio::test(start_paused = true)]
async fn on_the_server_side_it_answers_503() {
    let app = service_fn(async |_: Request<()>| {
        Ok::<_, std::convert::Infallible>(Response::new(bodies::Body::frames([Step::data("hello")])))
    });
    let service = BulkheadLayer::new(limit(1)).respond().layer(app);
    let response = service.clone().oneshot(get(0)).await.unwrap();
    let refused = service.clone().oneshot(get(1)).await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    assert!(!refused.headers().contains_key("retry-after"), "nobody knows when");
    assert!(refused.extensions().get::<Rejection>().is_some());
    let problem = refused.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(
        problem,
        r#"{"title":"Service Unavailable","status":503,"detail":"bulkhead of http://api.example.com is full (at most 1 at once and 0 in line), nothing was sent"}"#
    );
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
    assert_eq!(service.oneshot(get(2)).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_body_passes_through() {
    let mut trailers = HeaderMap::new();
    trailers.insert("etag", "\"sum\"".parse().unwrap());
    let steps = [Step::data("ab"), Step::Trailers(trailers.clone())];
    let body = Arc::new(Mutex::new(Some(bodies::Body::frames(steps))));
    let upstream = service_fn(move |_: Request<()>| {
        let body = body.lock().unwrap().take().unwrap();
        async { Ok::<_, BoxError>(Response::new(body)) }
    });
    let body = BulkheadLayer::new(limit(1)).layer(upstream).oneshot(get(0)).await.unwrap().into_body();
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(2), false));
    let collected = body.collect().await.unwrap();
    assert_eq!(collected.trailers(), Some(&trailers));
    assert_eq!(collected.to_bytes(), "ab");
    assert!(PermittedBody::<http_body_util::Empty<bytes::Bytes>>::default().is_end_stream());
}

#[tokio::test(start_paused = true)]
async fn the_readied_inner_is_called_and_whoever_waits_or_is_refused_keeps_none() {
    let permits = Arc::new(tokio::sync::Semaphore::new(3));
    let upstream = Upstream::default();
    let inner = tower::limit::ConcurrencyLimit::with_semaphore(upstream.clone(), permits.clone());
    let mut service = BulkheadLayer::new(limit(1)).queue(1).layer(inner);
    let cx = &mut Context::from_waker(Waker::noop());
    let _under_way = call(&mut service, get(0));
    assert!(upstream.was_called(0));
    for id in 1..3 {
        assert!(service.poll_ready(cx).is_ready());
        assert_eq!(permits.available_permits(), 1);
        let mut waits_or_not = call(&mut service, get(id));
        assert_eq!(permits.available_permits(), 2, "neither the handle nor the call");
        assert!(poll(waits_or_not.as_mut()).is_pending() == (id == 1));
        std::mem::forget(waits_or_not);
    }
    assert_eq!(permits.available_permits(), 2);
}

#[test]
fn a_layer_and_its_parts_say_what_they_are() {
    fn says<H: Hook>(layer: &BulkheadLayer<bartizan_core::Refuse, H>) -> String {
        format!("{layer:?}")
    }
    let layer = BulkheadLayer::new(limit(2)).queue(3);
    assert_eq!(says(&layer), "BulkheadLayer { limit: 2, queue: 3, max_wait: 30s, key_by: origin, .. }");
    assert!(says(&BulkheadLayer::disabled()).starts_with("BulkheadLayer { limit: none, queue: 0"));
    let mut service =
        layer.layer(service_fn(async |_: Request<()>| Ok::<_, BoxError>(Response::new(String::new()))));
    assert!(format!("{service:?}").starts_with("BulkheadService { inner: "));
    let call = call(&mut service, get(0));
    assert_eq!(format!("{call:?}"), "ResponseFuture(calling)");
}
