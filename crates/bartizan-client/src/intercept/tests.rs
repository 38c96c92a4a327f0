use std::convert::Infallible;
use std::fmt;
use std::future::{Future, Ready, poll_fn, ready};
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bartizan_core::{BoxError, Rejection, find_source};
use bartizan_retry::RetryLayer;
use bartizan_test::readiness;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::time::{Instant, sleep};
use tower::limit::ConcurrencyLimit;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_layer::Layer;
use tower_service::Service;

use super::{ErrorInterceptor, InterceptLayer, Next, Refused, RequestInterceptor, ResponseInterceptor};

const SECOND: Duration = Duration::from_secs(1);

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().join(", ")
    }
}

type Answer = Ready<Result<Response<String>, BoxError>>;

/// Logs `call`, and answers with the request's body.
fn echo(
    log: &Log,
) -> impl Service<Request<String>, Response = Response<String>, Error = BoxError, Future = Answer> + Clone + use<>
{
    let log = log.clone();
    service_fn(move |request: Request<String>| {
        log.add("call");
        ready(Ok(Response::new(request.into_body())))
    })
}

/// Logs `call`, and fails.
fn broken(
    log: &Log,
) -> impl Service<Request<String>, Response = Response<String>, Error = BoxError, Future = Answer> + Clone + use<>
{
    let log = log.clone();
    service_fn(move |_: Request<String>| {
        log.add("call");
        ready(Err("broken".into()))
    })
}

fn post(body: &str) -> Request<String> {
    Request::post("http://api.test/").body(body.to_owned()).unwrap()
}

/// Logs `name`, and passes on what it is given.
fn note<T>(log: &Log, name: &'static str) -> impl Fn(T) -> Ready<Result<T, BoxError>> + use<T> {
    let log = log.clone();
    move |passed| {
        log.add(name);
        ready(Ok(passed))
    }
}

/// Logs `name` and the error, and passes that on.
fn note_error(log: &Log, name: &'static str) -> impl Fn(BoxError) -> Answer + use<> {
    let log = log.clone();
    move |error| {
        log.add(format!("{name}: {error}"));
        ready(Err(error))
    }
}

// Order.

#[tokio::test]
async fn interceptors_run_in_the_order_in_which_they_were_added() {
    let log = Log::default();
    let layer = InterceptLayer::new()
        .on_response(note(&log, "response 1"))
        .on_request(note(&log, "request 1"))
        .on_request(note(&log, "request 2"))
        .on_response(note(&log, "response 2"))
        .on_response(note(&log, "response 3"))
        .on_request(note(&log, "request 3"));
    layer.layer(echo(&log)).oneshot(post("")).await.unwrap();
    assert_eq!(log.text(), "request 1, request 2, request 3, call, response 1, response 2, response 3");
}

#[tokio::test]
async fn two_layers_are_an_onion() {
    let log = Log::default();
    let ring = |request, response| {
        InterceptLayer::new().on_request(note(&log, request)).on_response(note(&log, response))
    };
    let service = ServiceBuilder::new()
        .layer(ring("outer request", "outer response"))
        .layer(ring("inner request", "inner response"))
        .service(echo(&log));
    service.oneshot(post("")).await.unwrap();
    assert_eq!(log.text(), "outer request, inner request, call, inner response, outer response");
}

#[tokio::test(start_paused = true)]
async fn each_is_awaited_before_the_next_starts() {
    let log = Log::default();
    let started = Instant::now();
    let note = |name: &'static str| {
        let log = log.clone();
        move || log.add(format!("{name} {}s", started.elapsed().as_secs()))
    };
    let (a, b, c, d) = (note("a"), note("b"), note("c"), note("d"));
    let layer = InterceptLayer::new()
        .on_request(move |request: Request<String>| {
            a();
            async move {
                sleep(SECOND).await;
                Ok(request)
            }
        })
        .on_request(move |request: Request<String>| {
            b();
            async move {
                sleep(SECOND).await;
                Ok(request)
            }
        })
        .on_response(move |response: Response<String>| {
            c();
            async move {
                sleep(SECOND).await;
                Ok(response)
            }
        })
        .on_response(move |response: Response<String>| {
            d();
            ready(Ok(response))
        });
    layer.layer(echo(&log)).oneshot(post("")).await.unwrap();
    assert_eq!(log.text(), "a 0s, b 1s, call, c 2s, d 3s");
}

// Changes.

#[tokio::test]
async fn the_inner_gets_the_request_as_the_interceptors_left_it() {
    let layer = InterceptLayer::new()
        .on_request(async |mut request: Request<String>| {
            request.headers_mut().insert("x-one", "1".parse()?);
            Ok(request)
        })
        .on_request(async |request| Ok(request.map(|body: String| body + " and more")));
    let inner = service_fn(|request: Request<String>| async move {
        assert_eq!(request.headers()["x-one"], "1");
        Ok::<_, BoxError>(Response::new(request.into_body()))
    });
    let response = layer.layer(inner).oneshot(post("body")).await.unwrap();
    assert_eq!(response.body(), "body and more");
}

#[tokio::test]
async fn the_caller_gets_the_response_as_the_interceptors_left_it() {
    let layer = InterceptLayer::new()
        .on_response(async |mut response: Response<String>| {
            *response.status_mut() = StatusCode::IM_A_TEAPOT;
            Ok(response)
        })
        .on_response(async |response| Ok(response.map(|body: String| body + "!")));
    let response = layer.layer(echo(&Log::default())).oneshot(post("body")).await.unwrap();
    assert_eq!((response.status(), response.body().as_str()), (StatusCode::IM_A_TEAPOT, "body!"));
}

#[tokio::test]
async fn bodies_and_extensions_pass_untouched() {
    /// Neither `Clone` nor `Send` nor a body at all.
    struct Opaque(Rc<()>);

    let layer = InterceptLayer::new()
        .on_request(async |request: Request<Opaque>| Ok(request))
        .on_response(async |response: Response<Opaque>| Ok(response))
        .on_error(async |error| Err::<Response<Opaque>, _>(error));
    let inner = service_fn(|request: Request<Opaque>| async move {
        let (head, body) = request.into_parts();
        let mut response = Response::new(body);
        *response.extensions_mut() = head.extensions;
        response.extensions_mut().insert("the inner's");
        Ok::<_, Infallible>(response)
    });
    let sent = Rc::new(());
    let mut request = Request::new(Opaque(sent.clone()));
    request.extensions_mut().insert(42_u8);
    let response = layer.layer(inner).oneshot(request).await.unwrap();
    assert_eq!(response.extensions().get::<u8>(), Some(&42));
    assert_eq!(response.extensions().get::<&str>(), Some(&"the inner's"));
    assert!(Rc::ptr_eq(&response.body().0, &sent));
}

// Refusals and answers.

#[derive(Debug)]
struct Mine(u32);

impl fmt::Display for Mine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mine {}", self.0)
    }
}

impl std::error::Error for Mine {}

#[tokio::test]
async fn an_error_of_a_request_interceptor_ends_the_call_and_is_passed_as_it_is() {
    let log = Log::default();
    let layer = InterceptLayer::new()
        .on_request(
            async |request: Request<String>| {
                if request.body() == "no" { Err(Mine(7).into()) } else { Ok(request) }
            },
        )
        .on_request(note(&log, "later"))
        .on_response(note(&log, "response"));
    let error = layer.layer(echo(&log)).oneshot(post("no")).await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(Mine(7))));
    assert_eq!(log.text(), "");
}

#[tokio::test]
async fn an_error_of_a_response_interceptor_is_passed_as_it_is_and_skips_later_ones() {
    let log = Log::default();
    let layer = InterceptLayer::new()
        .on_response(async |_: Response<String>| Err(Mine(8).into()))
        .on_response(note(&log, "later"));
    let error = layer.layer(echo(&log)).oneshot(post("")).await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(Mine(8))));
    assert_eq!(log.text(), "call");
}

#[test]
fn a_refused_request_is_a_local_refusal_and_a_refused_response_is_not() {
    let request: BoxError = Refused::request("no tenant", Some(SECOND)).into();
    assert_eq!(find_source::<Rejection>(&*request), Some(&Rejection::new(Some(SECOND))));
    assert_eq!(request.to_string(), "an interceptor refused the request: no tenant");
    let response = Refused::response("bad signature".to_owned());
    assert!(response.was_sent());
    assert_eq!(response.reason(), "bad signature");
    assert_eq!(response.to_string(), "an interceptor refused the response: bad signature");
    assert!(find_source::<Rejection>(&response).is_none());
}

#[tokio::test]
async fn an_answer_stands_in_for_the_call_and_for_nothing_else() {
    let log = Log::default();
    let layer = InterceptLayer::new()
        .on_request(note(&log, "request 1"))
        .on_request(async |request: Request<String>| match request.body().as_str() {
            "kept" => Ok(Next::Answer(Response::new("answer".to_owned()))),
            _ => Ok(Next::Call(request)),
        })
        .on_request(note(&log, "request 3"))
        .on_response(note(&log, "response 1"))
        .on_response(async |response| Ok(response.map(|body: String| body + "!")));
    let service = layer.layer(echo(&log));
    let response = service.clone().oneshot(post("kept")).await.unwrap();
    assert_eq!(response.body(), "answer!");
    assert_eq!(log.text(), "request 1, response 1");
    assert_eq!(service.oneshot(post("other")).await.unwrap().body(), "other!");
}

#[tokio::test]
async fn who_always_answers_needs_no_next() {
    let log = Log::default();
    let layer =
        InterceptLayer::new().on_request(async |_: Request<String>| Ok(Response::new("mock".to_owned())));
    assert_eq!(layer.layer(echo(&log)).oneshot(post("")).await.unwrap().body(), "mock");
    assert_eq!(log.text(), "");
}

// Errors.

#[tokio::test]
async fn error_interceptors_see_the_errors_of_all_before_them() {
    let log = Log::default();
    let after = |log: &Log| {
        InterceptLayer::new()
            .on_error(note_error(log, "1"))
            .on_response(|_: Response<String>| ready(Err("refused".into())))
            .on_error(note_error(log, "2"))
    };
    after(&log).layer(broken(&log)).oneshot(post("")).await.unwrap_err();
    assert_eq!(log.text(), "call, 1: broken, 2: broken");

    let log = Log::default();
    after(&log).layer(echo(&log)).oneshot(post("")).await.unwrap_err();
    assert_eq!(log.text(), "call, 2: refused");

    let log = Log::default();
    let layer = after(&log).on_request(async |_| Err::<Request<String>, _>("no".into()));
    layer.layer(echo(&log)).oneshot(post("")).await.unwrap_err();
    assert_eq!(log.text(), "1: no, 2: no");
}

#[tokio::test]
async fn an_error_interceptor_may_replace_the_error_or_give_a_response() {
    let log = Log::default();
    let layer = InterceptLayer::new()
        .on_response(note(&log, "before"))
        .on_error(async |_: BoxError| Err::<Response<String>, _>(Mine(9).into()))
        .on_error(async |error: BoxError| Ok(Response::new(error.to_string())))
        .on_error(note_error(&log, "never"))
        .on_response(note(&log, "after"));
    let response = layer.layer(broken(&log)).oneshot(post("")).await.unwrap();
    assert_eq!(response.body(), "mine 9");
    assert_eq!(log.text(), "call, after");
}

#[tokio::test]
async fn an_inner_that_cannot_get_ready_has_an_error_like_any_other() {
    #[derive(Clone)]
    struct Closed;

    impl Service<Request<String>> for Closed {
        type Response = Response<String>;
        type Error = Mine;
        type Future = Ready<Result<Response<String>, Mine>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Mine>> {
            Poll::Ready(Err(Mine(1)))
        }

        fn call(&mut self, _: Request<String>) -> Self::Future {
            panic!("called without being ready")
        }
    }

    let log = Log::default();
    let layer = InterceptLayer::new().on_error(note_error(&log, "seen"));
    let error = layer.layer(Closed).oneshot(post("")).await.unwrap_err();
    assert!(error.is::<Mine>());
    assert_eq!(log.text(), "seen: mine 1");
}

// Where it stands.

/// Fails once, then answers.
fn flaky(
    log: &Log,
) -> impl Service<
    Request<Full<Bytes>>,
    Response = Response<String>,
    Error = BoxError,
    Future = Ready<Result<Response<String>, BoxError>>,
> + Clone
+ use<> {
    let (log, calls) = (log.clone(), Arc::new(AtomicUsize::new(0)));
    service_fn(move |_: Request<Full<Bytes>>| {
        log.add("call");
        let mut response = Response::new(String::new());
        if calls.fetch_add(1, Ordering::Relaxed) == 0 {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        ready(Ok::<_, BoxError>(response))
    })
}

fn get() -> Request<Full<Bytes>> {
    Request::get("http://api.test/").body(Full::default()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn outside_retry_they_run_once_a_call() {
    let log = Log::default();
    let service = ServiceBuilder::new()
        .layer(InterceptLayer::new().on_request(note(&log, "request")).on_response(note(&log, "response")))
        .layer(RetryLayer::new())
        .service(flaky(&log));
    service.oneshot(get()).await.unwrap();
    assert_eq!(log.text(), "request, call, call, response");
}

#[tokio::test(start_paused = true)]
async fn inside_retry_they_run_once_an_attempt() {
    let log = Log::default();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new())
        .layer(InterceptLayer::new().on_request(note(&log, "request")).on_response(note(&log, "response")))
        .service(flaky(&log));
    service.oneshot(get()).await.unwrap();
    assert_eq!(log.text(), "request, call, response, request, call, response");
}

#[tokio::test(start_paused = true)]
async fn retry_waits_for_a_refused_request_once_and_as_long_as_it_says() {
    let asked = Arc::new(AtomicUsize::new(0));
    let refuse = {
        let asked = asked.clone();
        move |_: Request<Full<Bytes>>| {
            asked.fetch_add(1, Ordering::Relaxed);
            ready(Err::<Request<Full<Bytes>>, BoxError>(
                Refused::request("no token yet", Some(10 * SECOND)).into(),
            ))
        }
    };
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new())
        .layer(InterceptLayer::new().on_request(refuse))
        .service(flaky(&Log::default()));
    let started = Instant::now();
    assert!(service.oneshot(get()).await.unwrap_err().is::<Refused>());
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert!(started.elapsed() >= 10 * SECOND);
}

// Readiness, and what is held.

#[tokio::test]
async fn it_is_decoupled() {
    let (inner, uses) = readiness::record(echo(&Log::default()));
    let mut service = InterceptLayer::new()
        .on_request(async |request: Request<String>| Ok(request))
        .on_response(async |response: Response<String>| Ok(response))
        .layer(inner);
    service.ready().await.unwrap().call(post("")).await.unwrap();
    assert_eq!(uses.text(), "clone, ready, call");
}

#[tokio::test]
async fn it_is_ready_while_the_inner_is_not() {
    let inner = ConcurrencyLimit::new(echo(&Log::default()), 0);
    let mut service = InterceptLayer::new().layer(inner);
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(Service::<Request<String>>::poll_ready(&mut service, cx).is_ready());
    assert!(pin!(service.call(post(""))).poll(cx).is_pending());
}

#[tokio::test]
async fn who_answers_or_refuses_does_not_touch_the_inner() {
    let (inner, uses) = readiness::record(echo(&Log::default()));
    let layer =
        InterceptLayer::new().on_request(async |request: Request<String>| match request.body().as_str() {
            "answer" => Ok(Next::Answer(Response::new(String::new()))),
            _ => Err(Refused::request("no", None).into()),
        });
    let mut service = layer.layer(inner);
    service.call(post("answer")).await.unwrap();
    service.call(post("refuse")).await.unwrap_err();
    assert_eq!(uses.text(), "clone, clone");
}

#[tokio::test(start_paused = true)]
async fn a_slow_interceptor_holds_no_permit() {
    let one_at_a_time = ConcurrencyLimit::new(echo(&Log::default()), 1);
    let slow = InterceptLayer::new()
        .on_request(async |request: Request<String>| {
            sleep(SECOND).await;
            Ok(request)
        })
        .on_response(async |response: Response<String>| {
            sleep(SECOND).await;
            Ok(response)
        })
        .layer(one_at_a_time.clone());
    let cx = &mut Context::from_waker(Waker::noop());
    let mut call = pin!(slow.oneshot(post("")));
    for _ in 0..2 {
        assert!(call.as_mut().poll(cx).is_pending());
        let other = one_at_a_time.clone().oneshot(post(""));
        let mut other = pin!(other);
        assert!(other.as_mut().poll(cx).is_ready(), "the permit is free");
        tokio::time::advance(SECOND).await;
    }
    assert!(call.as_mut().poll(cx).is_ready());
}

#[tokio::test]
async fn the_inner_future_is_gone_before_a_response_interceptor_is_called() {
    let alive = Arc::new(());
    let inner = {
        let alive = alive.clone();
        service_fn(move |_: Request<String>| Held {
            answer: ready(Ok(Response::new(String::new()))),
            _alive: alive.clone(),
        })
    };
    let before = Arc::strong_count(&alive) + 1;
    let counted = alive.clone();
    let layer = InterceptLayer::new().on_response(move |response: Response<String>| {
        assert_eq!(Arc::strong_count(&counted), before, "the service's and the test's only");
        ready(Ok(response))
    });
    let mut service = layer.layer(inner);
    service.call(post("")).await.unwrap();
}

/// A future that keeps something until it is dropped.
struct Held {
    answer: Answer,
    _alive: Arc<()>,
}

impl Future for Held {
    type Output = Result<Response<String>, BoxError>;

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        std::pin::Pin::new(&mut self.answer).poll(cx)
    }
}

#[tokio::test]
async fn a_future_that_is_never_polled_runs_nothing() {
    let log = Log::default();
    let layer = InterceptLayer::new()
        .on_request(note(&log, "request"))
        .on_response(note(&log, "response"))
        .on_error(note_error(&log, "error"));
    drop(layer.layer(echo(&log)).call(post("")));
    assert_eq!(log.text(), "");
}

/// Pending once, and holds `guard` over that.
async fn pause(guard: Arc<()>) {
    let mut polled = false;
    poll_fn(|cx| match std::mem::replace(&mut polled, true) {
        true => Poll::Ready(()),
        false => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
    drop(guard);
}

#[tokio::test]
async fn a_drop_at_any_await_gives_everything_back() {
    let guard = Arc::new(());
    // Shared once more, so that clones of the inner service do not count.
    let paused = |guard: &Arc<()>| {
        let guard = Arc::new(guard.clone());
        move || pause(Arc::clone(&guard))
    };
    let (a, b, c, d, e) = (paused(&guard), paused(&guard), paused(&guard), paused(&guard), paused(&guard));
    let inner = service_fn(move |request: Request<String>| {
        let c = c();
        async move {
            c.await;
            Ok::<_, BoxError>(Response::new(request.into_body()))
        }
    });
    let service = InterceptLayer::new()
        .on_request(move |request: Request<String>| {
            let a = a();
            async move {
                a.await;
                Ok(request)
            }
        })
        .on_request(move |request: Request<String>| {
            let b = b();
            async move {
                b.await;
                Ok(request)
            }
        })
        .on_response(move |_: Response<String>| {
            let d = d();
            async move {
                d.await;
                Err("refused".into())
            }
        })
        .on_error(move |error| {
            let e = e();
            async move {
                e.await;
                Err::<Response<String>, _>(error)
            }
        })
        .layer(ConcurrencyLimit::new(inner, 1));
    let idle = Arc::strong_count(&guard);
    let cx = &mut Context::from_waker(Waker::noop());
    let awaits = 5;
    for polls in 0..=awaits {
        let mut call = Box::pin(service.clone().call(post("")));
        for _ in 0..polls {
            assert!(call.as_mut().poll(cx).is_pending(), "{polls}");
        }
        assert_eq!(
            Arc::strong_count(&guard) - idle,
            usize::from(polls > 0),
            "{polls}: what is awaited holds one"
        );
        drop(call);
        assert_eq!(Arc::strong_count(&guard), idle, "{polls}");
    }
    // The inner's one permit is back as well.
    assert_eq!(service.oneshot(post("")).await.unwrap_err().to_string(), "refused");
}

#[test]
fn a_panic_poisons_nothing() {
    let log = Log::default();
    let mut service = InterceptLayer::new()
        .on_request(|request: Request<String>| {
            assert_ne!(request.body(), "in the closure");
            async move {
                assert_ne!(request.body(), "in the future");
                Ok(request)
            }
        })
        .on_response(async |response: Response<String>| {
            assert_ne!(response.body(), "in the response");
            Ok(response)
        })
        .layer(ConcurrencyLimit::new(echo(&log), 1));
    let cx = &mut Context::from_waker(Waker::noop());
    for place in ["in the closure", "in the future", "in the response"] {
        let mut call = Box::pin(service.call(post(place)));
        let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx).is_ready()));
        assert!(panicked.is_err(), "{place}");
        // Before the broken future is dropped.
        assert!(pin!(service.call(post("fine"))).poll(cx).is_ready(), "{place}");
    }
}

// What fits in.

/// Like hyper-util's client: its body type is its own parameter, and nothing but the call tells which.
struct Legacy<B>(PhantomData<fn(B)>);

impl<B> Clone for Legacy<B> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<B> Service<Request<B>> for Legacy<B> {
    type Response = Response<Vec<u8>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Vec<u8>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::new(b"legacy".to_vec())))
    }
}

#[tokio::test]
async fn closures_of_all_kinds_need_no_annotation() {
    async fn function(request: Request<Full<Bytes>>) -> Result<Request<Full<Bytes>>, BoxError> {
        Ok(request)
    }
    let token = Arc::new("t0".to_owned());
    let layer = InterceptLayer::new()
        .on_request(move |mut request| {
            let token = token.clone();
            async move {
                request.headers_mut().insert("authorization", token.parse()?);
                Ok(request)
            }
        })
        .on_request(async |mut request| {
            request.headers_mut().remove("x-debug");
            Ok(request)
        })
        .on_request(function)
        .on_request(async |request| match request.uri().path() {
            "/" => Ok(Next::Call(request)),
            _ => Ok(Next::Answer(Response::new(Vec::new()))),
        })
        .on_response(async |response| match response.status().is_success() {
            true => Ok(response),
            false => Err(Refused::response("no success").into()),
        })
        .on_response(|response| async move { Ok(response) })
        .on_error(async |error| Err(error));
    let service = ServiceBuilder::new().layer(layer).service(Legacy(PhantomData));
    assert_eq!(service.oneshot(get()).await.unwrap().body(), b"legacy");
}

#[tokio::test(start_paused = true)]
async fn state_is_given_to_async_closures_with_each_request_response_and_error() {
    let log = Log::default();
    let layer = InterceptLayer::new()
        .on_request_with(log.clone(), async |log, request| {
            sleep(SECOND).await;
            log.add("request");
            Ok(request)
        })
        .on_response_with(log.clone(), async |log, response| {
            log.add("response");
            if log.text().contains("call, response, request") { Err("twice".into()) } else { Ok(response) }
        })
        .on_error_with(log.clone(), async |log, error| {
            log.add("error");
            Err(error)
        });
    assert_eq!(
        format!("{:?}", layer.clone()),
        "InterceptLayer { requests: ((), OnRequest), responses: (((), OnResponse), OnError) }"
    );
    let service = layer.layer(echo(&log));
    service.clone().oneshot(Request::new(String::new())).await.unwrap();
    service.oneshot(Request::new(String::new())).await.unwrap_err();
    assert_eq!(log.text(), "request, call, response, request, call, response, error");
}

#[tokio::test]
async fn types_may_be_interceptors() {
    struct Suffix(&'static str);

    impl RequestInterceptor<String> for Suffix {
        type Next = Request<String>;
        type Future = Ready<Result<Request<String>, BoxError>>;

        fn intercept(&self, request: Request<String>) -> Self::Future {
            ready(Ok(request.map(|body| body + self.0)))
        }
    }

    impl ResponseInterceptor<String> for Suffix {
        type Future = Answer;

        fn intercept(&self, response: Response<String>) -> Answer {
            ready(Ok(response.map(|body| body + self.0)))
        }
    }

    impl ErrorInterceptor<String> for Suffix {
        type Future = Answer;

        fn intercept(&self, error: BoxError) -> Answer {
            ready(Ok(Response::new(error.to_string() + self.0)))
        }
    }

    let layer = InterceptLayer::new()
        .request_interceptor(Suffix("?"))
        .response_interceptor(Suffix("!"))
        .error_interceptor(Suffix("."));
    let log = Log::default();
    assert_eq!(layer.layer(echo(&log)).oneshot(post("body")).await.unwrap().body(), "body?!");
    assert_eq!(layer.layer(broken(&log)).oneshot(post("body")).await.unwrap().body(), "broken.");
}

#[tokio::test]
async fn interceptors_need_not_be_send_nor_clone() {
    struct NotClone(Rc<()>);
    let held = NotClone(Rc::new(()));
    let layer = InterceptLayer::new().on_request(move |request: Request<String>| {
        let local = held.0.clone();
        async move {
            drop(local);
            Ok(request)
        }
    });
    layer.clone().layer(echo(&Log::default())).oneshot(post("")).await.unwrap();
}

#[tokio::test]
async fn state_belongs_to_the_layer() {
    let calls = AtomicUsize::new(0);
    let layer = InterceptLayer::new().on_request(move |request: Request<String>| {
        let nth = calls.fetch_add(1, Ordering::Relaxed);
        ready(Ok(request.map(|_| nth.to_string())))
    });
    let log = Log::default();
    let first = layer.layer(echo(&log));
    first.clone().oneshot(post("")).await.unwrap();
    first.oneshot(post("")).await.unwrap();
    assert_eq!(layer.clone().layer(echo(&log)).oneshot(post("")).await.unwrap().body(), "2");
}
