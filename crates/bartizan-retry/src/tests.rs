//! The layer as a whole, over a scripted upstream and paused time. What the policy and the arithmetic decide is tested
//! beside them.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use bartizan_core::{
    Attempts, BoxError, CallContext, Chance, Deadline, Delivery, KeyBy, Outcome, Rejection, ReplayNow,
    RequestHead, RetriesSpent, RetryHint, WallClock, find_source,
};
use bartizan_test::bodies::{self, Step};
use bartizan_test::readiness;
use bartizan_test::timeline::Recorder;
use bytes::Bytes;
use http::header::{DATE, RETRY_AFTER};
use http::{HeaderName, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tokio::time::Instant;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use super::*;

mod budget;
mod refusals;
mod replayed;
mod tiers;
mod waits;

const SECOND: Duration = Duration::from_secs(1);

/// What the upstream does with one call.
#[allow(clippy::large_enum_variant, reason = "a handful of them, in tests")]
enum Does {
    Answer(Response<bodies::Body>),
    Fail(BoxError),
    Hang,
    /// Reads so many frames of the request's body, then answers.
    Read(usize, u16),
    /// Fails in the `poll_ready` before it.
    NotReady(BoxError),
    /// Is never ready.
    Busy,
}

use Does::{Answer, Busy, Fail, Hang, NotReady, Read};

fn answer(status: u16) -> Response<bodies::Body> {
    Response::builder().status(status).body(bodies::Body::frames([]).ends_knowingly()).unwrap()
}

fn status(status: u16) -> Does {
    Answer(answer(status))
}

/// Does one step a call; when they have run out, answers 200.
#[derive(Clone, Default)]
struct Upstream {
    steps: Arc<Mutex<VecDeque<Does>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// How many futures and responses are alive.
    alive: Arc<AtomicUsize>,
}

struct Seen {
    head: http::request::Parts,
    body: Bytes,
}

impl Upstream {
    fn of(steps: impl IntoIterator<Item = Does>) -> Self {
        Self { steps: Arc::new(Mutex::new(steps.into_iter().collect())), ..Self::default() }
    }

    fn calls(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    fn bodies(&self) -> Vec<Bytes> {
        self.seen.lock().unwrap().iter().map(|seen| seen.body.clone()).collect()
    }

    fn contexts(&self) -> Vec<Option<CallContext>> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|seen| CallContext::of(&seen.head.extensions).cloned()).collect()
    }

    fn alive(&self) -> usize {
        self.alive.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn count(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Reply {
    body: bodies::Body,
    _alive: Alive,
}

impl Body for Reply {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

impl<B> Service<Request<B>> for Upstream
where
    B: Body<Data = Bytes, Error: fmt::Debug> + Send + Unpin + 'static,
{
    type Response = Response<Reply>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Reply>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let mut steps = self.steps.lock().unwrap();
        match steps.front() {
            Some(NotReady(_)) => {
                let Some(NotReady(error)) = steps.pop_front() else { unreachable!("it is in front") };
                Poll::Ready(Err(error))
            }
            Some(Busy) => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let step = self.steps.lock().unwrap().pop_front().unwrap_or_else(|| status(200));
        let (seen, alive) = (self.seen.clone(), Alive::count(&self.alive));
        Box::pin(async move {
            let (head, mut body) = request.into_parts();
            let frames = if let Read(frames, _) = step { frames } else { usize::MAX };
            let mut read = Vec::new();
            for _ in 0..frames {
                match body.frame().await {
                    Some(frame) => read.extend(frame.unwrap().into_data().unwrap_or_default()),
                    None => break,
                }
            }
            seen.lock().unwrap().push(Seen { head, body: read.into() });
            let response = match step {
                Answer(response) => response,
                Read(_, code) => answer(code),
                Fail(error) => return Err(error),
                Hang => std::future::pending().await,
                NotReady(_) | Busy => unreachable!("kept by poll_ready"),
            };
            Ok(response.map(|body| Reply { body, _alive: alive }))
        })
    }
}

fn request(method: Method) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri("http://api.example.com/a").body(Full::from("body")).unwrap()
}

fn get() -> Request<Full<Bytes>> {
    request(Method::GET)
}

fn with_deadline(mut request: Request<Full<Bytes>>, total: Duration) -> Request<Full<Bytes>> {
    let deadline = Deadline::after(Instant::now().into_std(), total).unwrap();
    CallContext::edit(request.extensions_mut()).shorten_deadline(deadline);
    request
}

/// Waits of at most a second, from a seed, and no budget.
fn layer() -> RetryLayer {
    RetryLayer::new()
        .budget(Budget::none())
        .backoff(Backoff::exponential(SECOND, SECOND).unwrap())
        .throttled_backoff(Backoff::exponential(SECOND, SECOND).unwrap())
        .chance(Chance::from_seed(1))
}

/// Writes down what it is told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Hook for Told {
    fn retrying(&self, event: &Retrying<'_>) {
        let what = match event.cause {
            Cause::Failed => "retrying",
            Cause::Refused => "waiting for",
            Cause::NotProcessed => "not processed:",
            Cause::Asked => "asked to repeat",
        };
        self.0.lock().unwrap().push(format!("{what} {}", event.attempt.number()));
    }

    fn stopped(&self, event: &Stopped<'_>) {
        self.0.lock().unwrap().push(format!("{} after {}", event.why, event.attempt.number()));
    }
}

fn throttled(fields: &[(HeaderName, &str)]) -> Does {
    let mut response = answer(429);
    for (name, value) in fields {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    Answer(response)
}

#[derive(Debug)]
struct Refused(Rejection);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("circuit open")
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn refused(retry_in: Option<Duration>) -> Does {
    Fail(Box::new(Refused(Rejection::new(retry_in))))
}

/// Polls ready, which the upstream is at once, and calls.
fn begin<S: Service<Request<B>, Error: fmt::Debug>, B>(service: &mut S, request: Request<B>) -> S::Future {
    let Poll::Ready(ready) = service.poll_ready(&mut Context::from_waker(Waker::noop())) else {
        panic!("not ready")
    };
    ready.unwrap();
    service.call(request)
}

/// Polls once; whether it is still pending.
fn is_pending<F: Future>(future: Pin<&mut F>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

fn streamed(frames: [&'static str; 3]) -> Request<bodies::Body> {
    Request::put("http://api.example.com/a").body(bodies::Body::frames(frames.map(Step::data))).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_sent_again() {
    let (upstream, recorder) = (Upstream::of([status(503), Fail("reset".into())]), Recorder::new());
    let service = ServiceBuilder::new().layer(layer()).layer(recorder.layer()).service(upstream.clone());
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.extensions().get(), Some(&Attempts(NonZeroU32::new(3).unwrap())));
    assert_eq!(upstream.bodies(), ["body", "body", "body"]);
    // Waits below a second, from the seed.
    assert_eq!(
        recorder.timeline().to_string(),
        "0ms GET /a -> 503; +567ms GET /a -> error; +746ms GET /a -> 200"
    );
}

#[tokio::test(start_paused = true)]
async fn a_success_is_returned_as_it_is() {
    for code in [200, 204, 304, 400, 401, 404, 409, 422, 501, 505] {
        let upstream = Upstream::of([status(code)]);
        let response = layer().layer(upstream.clone()).oneshot(get()).await.unwrap();
        assert_eq!((response.status().as_u16(), upstream.calls()), (code, 1));
        assert!(response.extensions().is_empty(), "one attempt is no news");
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_is_sent_once() {
    for method in [Method::POST, Method::PATCH, Method::CONNECT] {
        let upstream = Upstream::of([status(503)]);
        let told = Told::default();
        let service = layer().hook(told.clone()).layer(upstream.clone());
        let response = service.oneshot(request(method.clone())).await.unwrap();
        assert_eq!((response.status().as_u16(), upstream.calls()), (503, 1), "{method}");
        assert_eq!(told.take(), ["method after 1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_with_a_key_or_the_callers_word_is_sent_again() {
    let mut with_key = request(Method::POST);
    with_key.headers_mut().insert("idempotency-key", "\"8e03978e\"".parse().unwrap());
    let mut by_word = request(Method::POST);
    CallContext::edit(by_word.extensions_mut()).retry_mut().safe_to_repeat = true;
    for request in [with_key, by_word] {
        let upstream = Upstream::of([status(503)]);
        assert_eq!(layer().layer(upstream.clone()).oneshot(request).await.unwrap().status(), 200);
        let seen = upstream.seen.lock().unwrap();
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0].head.headers, seen[1].head.headers, "the same key");
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_attempts_are_made_the_last_result_is_returned() {
    let upstream = Upstream::of([status(500), status(502), status(503)]);
    let told = Told::default();
    let response = layer().hook(told.clone()).layer(upstream.clone()).oneshot(get()).await.unwrap();
    assert_eq!((response.status().as_u16(), upstream.calls()), (503, 3));
    assert_eq!(response.extensions().get(), Some(&Attempts(NonZeroU32::new(3).unwrap())));
    assert_eq!(told.take(), ["retrying 1", "retrying 2", "attempts after 3"]);
}

#[tokio::test(start_paused = true)]
async fn the_last_error_is_returned_with_the_number_of_attempts() {
    let upstream = Upstream::of([Fail("1".into()), Fail("2".into()), Fail(Box::new(fmt::Error))]);
    let error = layer().layer(upstream).oneshot(get()).await.unwrap_err();
    assert!(find_source::<fmt::Error>(&*error).is_some());
    assert_eq!(find_source::<RetriesSpent>(&*error).map(|spent| spent.attempts().get()), Some(3));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_was_not_tried_again_is_returned_unchanged() {
    for (layer, request) in [(layer(), request(Method::POST)), (RetryLayer::disabled(), get())] {
        let error =
            layer.layer(Upstream::of([Fail(Box::new(fmt::Error))])).oneshot(request).await.unwrap_err();
        assert!(error.is::<fmt::Error>());
    }
}

#[tokio::test(start_paused = true)]
async fn one_call_may_have_its_own_number_of_attempts_or_none() {
    let calls = |change: fn(&mut bartizan_core::RetryOverride)| async move {
        let upstream = Upstream::of((0..9).map(|_| status(503)));
        let mut request = get();
        change(CallContext::edit(request.extensions_mut()).retry_mut());
        layer().layer(upstream.clone()).oneshot(request).await.unwrap();
        upstream.calls()
    };
    assert_eq!(calls(|_| {}).await, 3);
    assert_eq!(calls(|retry| retry.attempts = NonZeroU32::new(5)).await, 5);
    assert_eq!(calls(|retry| retry.attempts = NonZeroU32::new(1)).await, 1);
    assert_eq!(calls(|retry| retry.off = true).await, 1);
}

#[tokio::test(start_paused = true)]
async fn disabled_sends_once_and_is_silent() {
    let (upstream, told) = (Upstream::of([status(503)]), Told::default());
    let service = RetryLayer::disabled().hook(told.clone()).layer(upstream.clone());
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 503);
    assert_eq!(upstream.calls(), 1);
    assert_eq!(told.take(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn off_and_a_single_attempt_are_told_apart() {
    let told = Told::default();
    let service = layer().hook(told.clone()).layer(Upstream::of([status(503), status(503)]));
    for change in [
        (|r: &mut bartizan_core::RetryOverride| r.off = true) as fn(&mut _),
        |r: &mut bartizan_core::RetryOverride| r.attempts = NonZeroU32::new(1),
    ] {
        let mut request = get();
        change(CallContext::edit(request.extensions_mut()).retry_mut());
        service.clone().oneshot(request).await.unwrap();
    }
    assert_eq!(told.take(), ["off after 1", "attempts after 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_is_gone_before_the_wait() {
    let upstream = Upstream::of([status(503)]);
    let mut service = layer().layer(upstream.clone());
    let mut future = std::pin::pin!(begin(&mut service, get()));
    assert_eq!(upstream.alive(), 1, "the future");
    assert!(is_pending(future.as_mut()));
    assert_eq!((upstream.calls(), upstream.alive()), (1, 0), "neither future nor response");
    assert_eq!(future.await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn dropped_in_a_wait_or_an_attempt_nothing_is_left_and_nothing_is_sent() {
    let upstream = Upstream::of([status(503), Hang]);
    let mut service = layer().layer(upstream.clone());
    let mut waiting = Box::pin(begin(&mut service, get()));
    assert!(is_pending(waiting.as_mut()));
    drop(waiting);
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!((upstream.calls(), upstream.alive()), (1, 0));

    let mut hanging = Box::pin(begin(&mut service, get()));
    assert!(is_pending(hanging.as_mut()));
    assert_eq!(upstream.alive(), 1);
    drop(hanging);
    assert_eq!(upstream.alive(), 0);
    drop(begin(&mut service, get()));
    assert_eq!((upstream.calls(), upstream.alive()), (2, 0), "never polled, never sent");
}

#[tokio::test(start_paused = true)]
async fn later_attempts_know_their_number_and_keep_what_the_caller_put_in() {
    let upstream = Upstream::of([status(503), status(503)]);
    let mut request = with_deadline(get(), 60 * SECOND);
    CallContext::edit(request.extensions_mut()).set_partition("tenant");
    request.extensions_mut().insert("mine");
    request.headers_mut().insert("x-mine", "1".parse().unwrap());
    *request.version_mut() = http::Version::HTTP_2;
    layer().layer(upstream.clone()).oneshot(request).await.unwrap();
    for (seen, number) in
        upstream.seen.lock().unwrap().iter().zip([None, NonZeroU32::new(2), NonZeroU32::new(3)])
    {
        let call = CallContext::of(&seen.head.extensions).unwrap();
        assert_eq!((call.attempt(), call.partition()), (number, Some("tenant")));
        assert_eq!(call.deadline().unwrap().total(), 60 * SECOND);
        assert_eq!(seen.head.extensions.get(), Some(&"mine"));
        assert_eq!(seen.head.uri, "http://api.example.com/a");
        assert_eq!((&seen.head.method, seen.head.version), (&Method::GET, http::Version::HTTP_2));
        assert_eq!(seen.head.headers["x-mine"], "1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_attempt_carries_no_context_of_ours() {
    let upstream = Upstream::of([status(503)]);
    layer().layer(upstream.clone()).oneshot(get()).await.unwrap();
    let numbers: Vec<_> = upstream.contexts().iter().map(|c| c.as_ref().map(|c| c.attempt())).collect();
    assert_eq!(numbers, [None, Some(NonZeroU32::new(2))]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_whose_inner_does_not_become_ready_has_failed() {
    let upstream = Upstream::of([status(503), NotReady("not ready".into())]);
    assert_eq!(layer().layer(upstream.clone()).oneshot(get()).await.unwrap().status(), 200);
    assert_eq!(upstream.calls(), 2);
    let upstream = Upstream::of([NotReady("not ready".into())]);
    let error = layer().layer(upstream).oneshot(get()).await.unwrap_err();
    assert_eq!(error.to_string(), "not ready", "before the first attempt it is the service's own readiness");
}

#[tokio::test(start_paused = true)]
async fn a_closure_is_a_policy() {
    let policy = |attempt: &Attempt<'_>| match attempt.result() {
        Ok(head) if head.status == StatusCode::NOT_FOUND => {
            assert_eq!(attempt.request().map(|request| request.uri.path()), Some("/a"));
            Verdict::Retry(Pace::Transient)
        }
        _ => attempt.standard(),
    };
    let upstream = Upstream::of([status(404), status(503)]);
    assert_eq!(
        RetryLayer::with_policy(policy)
            .budget(Budget::none())
            .layer(upstream)
            .oneshot(get())
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test(start_paused = true)]
async fn a_policy_still_knows_the_callers_word_when_it_judges() {
    let policy = |attempt: &Attempt<'_>| match attempt.request() {
        Some(request) if request.is_repeatable() => attempt.standard(),
        _ => Verdict::Return,
    };
    for and_more in [false, true] {
        let mut by_word = request(Method::POST);
        CallContext::edit(by_word.extensions_mut()).retry_mut().safe_to_repeat = true;
        if and_more {
            by_word.extensions_mut().insert("mine");
        }
        let service = RetryLayer::with_policy(policy).layer(Upstream::of([status(503)]));
        assert_eq!(service.oneshot(by_word).await.unwrap().status(), 200, "with more: {and_more}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_classifier_serves_the_standard_policy() {
    let classifier =
        |_: Result<bartizan_core::Head<'_>, &(dyn std::error::Error + 'static)>| Outcome::Success;
    let upstream = Upstream::of([status(503)]);
    let service = RetryLayer::with_policy(Standard::with_classifier(classifier)).layer(upstream.clone());
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 503);
}

#[tokio::test(start_paused = true)]
async fn the_readied_inner_makes_the_first_attempt_and_clones_the_others() {
    let (inner, log) = readiness::record(Upstream::of([status(503)]));
    let mut service = layer().layer(inner);
    begin(&mut service, get()).await.unwrap();
    assert_eq!(log.text(), "ready, clone, call, clone, ready, call");
    log.clear();
    begin(&mut service, request(Method::POST)).await.unwrap();
    // Only where the transport can tell that it was not processed is it prepared for another attempt.
    let post = if Delivery::READS_HYPER { "ready, clone, call" } else { "ready, call" };
    assert_eq!(log.text(), post);
    for layer in [RetryLayer::disabled(), layer().max_attempts(MaxAttempts::new(1).unwrap())] {
        let (inner, log) = readiness::record(Upstream::of([status(503)]));
        begin(&mut layer.layer(inner), get()).await.unwrap();
        assert_eq!(log.text(), "ready, call", "{layer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn debug_names_what_matters_and_no_header() {
    let service = layer().layer(tower::util::service_fn(|_: ()| std::future::ready(Ok::<_, BoxError>(()))));
    let text = format!("{service:?}");
    assert!(text.contains("max_attempts"), "{text}");
    let future = begin(&mut layer().layer(Upstream::of([])), get());
    let run = Schedule::new().run(|_| std::future::ready(Ok::<_, BoxError>(())));
    assert!(format!("{run:?}").starts_with("Run { made: 1, schedule: Schedule {"), "{run:?}");
    assert_eq!(format!("{future:?}"), "ResponseFuture { state: \"calling\", .. }");
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_tried_again_with_the_key_that_caused_it() {
    let mut keyed = request(Method::POST);
    keyed.headers_mut().insert("idempotency-key", "\"8e03978e\"".parse().unwrap());
    let upstream = Upstream::of([status(409)]);
    assert_eq!(layer().layer(upstream).oneshot(keyed).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_policy_may_say_that_a_request_is_never_sent_again() {
    #[derive(Clone)]
    struct ReadsOnly;
    impl Policy for ReadsOnly {
        fn resend(&self, request: &RequestHead<'_>) -> Resend {
            if request.method.is_safe() { Resend::Freely } else { Resend::Never }
        }
        fn judge(&self, attempt: &Attempt<'_>) -> Verdict {
            attempt.standard()
        }
    }
    let layer = RetryLayer::with_policy(ReadsOnly).budget(Budget::none());
    for (method, code) in [(Method::GET, 200), (Method::PUT, 503)] {
        let service = layer.layer(Upstream::of([status(503)]));
        assert_eq!(service.oneshot(request(method)).await.unwrap().status(), code);
    }
    let (inner, log) = readiness::record(Upstream::of([status(503)]));
    begin(&mut layer.layer(inner), request(Method::POST)).await.unwrap();
    assert_eq!(log.text(), "ready, call", "what may not be sent again is not prepared for it");
}

#[tokio::test(start_paused = true)]
async fn the_reasons_come_in_order() {
    // Each case has all the reasons of the later ones too.
    let too_long = || throttled(&[(RETRY_AFTER, "301")]);
    let (single, several) = (MaxAttempts::new(1).unwrap(), MaxAttempts::new(2).unwrap());
    let empty = || layer().budget(Budget::fleet());
    for (layer, limit, step, deadline, why) in [
        (empty().max_attempts(single), 5, too_long(), 0, "attempts"),
        (empty().max_attempts(several), 5, too_long(), 0, "body"),
        (empty(), 6, too_long(), 0, "retry_after"),
        (empty(), 6, status(503), 0, "deadline"),
        (empty(), 6, status(503), 9, "budget"),
    ] {
        let told = Told::default();
        let service = ServiceBuilder::new()
            .layer(ReplayLayer::new(limit))
            .layer(layer.hook(told.clone()))
            .service(Upstream::of([step]));
        let mut request = streamed(["ab", "cd", "ef"]);
        let deadline = Deadline::after(Instant::now().into_std(), deadline * SECOND).unwrap();
        CallContext::edit(request.extensions_mut()).shorten_deadline(deadline);
        service.oneshot(request).await.unwrap();
        assert_eq!(told.take(), [format!("{why} after 1")]);
    }

    // Before all of them the class: of the method, and of what a tier below has given up.
    let told = Told::default();
    let mut spent = answer(503);
    spent.extensions_mut().insert(Attempts(NonZeroU32::MIN));
    let service =
        layer().max_attempts(several).hook(told.clone()).layer(Upstream::of([status(503), Answer(spent)]));
    service.oneshot(get()).await.unwrap();
    assert_eq!(told.take(), ["retrying 1", "spent after 2"]);
}
