//! The HTTP adapter.

mod eviction;
mod futures;
mod knobs;
mod readied;

use super::*;

/// What the upstream does with one call.
#[allow(clippy::large_enum_variant, reason = "a handful of them, in tests")]
enum Does {
    Answer(Response<bodies::Body>),
    Fail(BoxError),
    Hang,
}

use Does::{Answer, Fail, Hang};

fn response(status: u16) -> Response<bodies::Body> {
    Response::builder().status(status).body(bodies::Body::frames([]).ends_knowingly()).unwrap()
}

fn status(status: u16) -> Does {
    Answer(response(status))
}

#[derive(Clone, Default)]
struct Upstream {
    steps: Arc<Mutex<VecDeque<Does>>>,
    calls: Arc<Mutex<u32>>,
}

impl Upstream {
    fn of(steps: impl IntoIterator<Item = Does>) -> Self {
        Self { steps: Arc::new(Mutex::new(steps.into_iter().collect())), ..Self::default() }
    }

    fn calls(&self) -> u32 {
        *self.calls.lock().unwrap()
    }
}

impl Service<Request<()>> for Upstream {
    type Response = Response<bodies::Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<bodies::Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        *self.calls.lock().unwrap() += 1;
        let step = self.steps.lock().unwrap().pop_front().unwrap_or_else(|| status(200));
        Box::pin(async move {
            match step {
                Answer(response) => Ok(response),
                Fail(error) => Err(error),
                Hang => std::future::pending().await,
            }
        })
    }
}

fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

const URI: &str = "http://api.example.com/a";

/// Whether one result opens a circuit that opens at the first failure.
async fn opens(does: Does) -> bool {
    let layer = CircuitBreakerLayer::with_settings(after(1));
    let result = layer.layer(Upstream::of([does])).oneshot(get(URI)).await;
    if let Ok(response) = result {
        let _ = response.into_body().collect().await;
    }
    layer.circuits()[0].state() == State::Open
}

#[tokio::test(start_paused = true)]
async fn what_is_a_failure_and_what_is_not() {
    for code in [408, 500, 502, 503, 504] {
        assert!(opens(status(code)).await, "{code}");
    }
    for code in [200, 204, 301, 400, 401, 404, 409, 422, 425, 429, 501, 505] {
        assert!(!opens(status(code)).await, "{code}");
    }
    assert!(opens(Fail("reset".into())).await);
    assert!(!opens(Fail(Rejection::new(None).into())).await, "a local refusal from below");
    let mut refusal = response(503);
    refusal.extensions_mut().insert(Rejection::new(None));
    assert!(!opens(Answer(refusal)).await, "or as an answer");
    let mut marked = response(200);
    marked.extensions_mut().insert(Outcome::Failure);
    assert!(opens(Answer(marked)).await, "a mark overrides the status");
}

#[tokio::test(start_paused = true)]
async fn another_classifier_decides() {
    let teapot = |result: Result<Head<'_>, &(dyn std::error::Error + 'static)>| match result {
        Ok(head) if head.status == 418 => Outcome::Failure,
        _ => Outcome::Success,
    };
    let layer = CircuitBreakerLayer::with_settings(after(1)).classifier(teapot);
    let service = layer.layer(Upstream::of([status(503), status(418)]));
    for expected in [State::Closed, State::Open] {
        service.clone().oneshot(get(URI)).await.unwrap();
        assert_eq!(layer.circuits()[0].state(), expected);
    }
}

/// The state after a response with this body was dealt with by `reader`.
async fn after_body<F>(
    body: bodies::Body,
    head_only: bool,
    reader: impl FnOnce(CountedBody<bodies::Body>) -> F,
) -> (u32, u32)
where
    F: Future<Output = ()>,
{
    let layer = CircuitBreakerLayer::new();
    let layer = if head_only { layer.head_only() } else { layer };
    let service = layer.layer(Upstream::of([Answer(response(200).map(|_| body))]));
    let answer = service.oneshot(get(URI)).await.unwrap();
    reader(answer.into_body()).await;
    let snapshot = layer.circuits()[0].snapshot();
    (snapshot.calls, snapshot.failures)
}

async fn read(body: CountedBody<bodies::Body>) {
    let mut body = body;
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            break;
        }
    }
    // Kept, so that it is not the drop that counts.
    std::mem::forget(body);
}

/// As hyper does, which asks no further once the body says that it has ended.
async fn read_to_its_known_end(body: CountedBody<bodies::Body>) {
    let mut body = body;
    while !body.is_end_stream() {
        body.frame().await.expect("not its end").expect("a frame");
    }
    std::mem::forget(body);
}

async fn look(body: CountedBody<bodies::Body>) {
    std::mem::forget(body);
}

async fn leave(body: CountedBody<bodies::Body>) {
    drop(body);
}

#[tokio::test(start_paused = true)]
async fn after_a_good_head_the_body_decides() {
    let frames = || bodies::Body::frames([Step::data("a"), Step::Pending, Step::data("b")]);
    assert_eq!(after_body(frames(), false, look).await, (0, 0), "not yet");
    assert_eq!(after_body(frames(), false, read).await, (1, 0), "at its end");
    let known = frames().ends_knowingly();
    assert_eq!(after_body(known, false, read_to_its_known_end).await, (1, 0), "at its last frame");
    assert_eq!(
        after_body(frames(), false, leave).await,
        (1, 0),
        "who reads only the status opens no circuit"
    );
    let empty = bodies::Body::frames([]).ends_knowingly();
    assert_eq!(after_body(empty, false, look).await, (1, 0), "nothing to wait for");
    let broken = || bodies::Body::frames([Step::data("a"), Step::Error]);
    assert_eq!(after_body(broken(), false, read).await, (1, 1));
    assert_eq!(after_body(broken(), true, read).await, (1, 0), "the head is enough");
    assert_eq!(after_body(frames(), true, look).await, (1, 0), "and at once");
}

#[tokio::test(start_paused = true)]
async fn a_bad_head_is_final_whatever_its_body() {
    let layer = CircuitBreakerLayer::with_settings(after(1));
    let body = bodies::Body::frames([Step::data("a")]);
    let service = layer.layer(Upstream::of([Answer(response(500).map(|_| body))]));
    let answer = service.oneshot(get(URI)).await.unwrap();
    assert_eq!(layer.circuits()[0].state(), State::Open);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "a");
    assert_eq!(layer.circuits()[0].snapshot().state, State::Open);
}

#[tokio::test(start_paused = true)]
async fn the_body_passes_through() {
    let mut trailers = http::HeaderMap::new();
    trailers.insert("etag", "\"sum\"".parse().unwrap());
    let body = bodies::Body::frames([Step::data("ab"), Step::Trailers(trailers.clone())]);
    let service = CircuitBreakerLayer::new().layer(Upstream::of([Answer(response(200).map(|_| body))]));
    let body = service.oneshot(get(URI)).await.unwrap().into_body();
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(2), false));
    let collected = body.collect().await.unwrap();
    assert_eq!(collected.trailers(), Some(&trailers));
    assert_eq!(collected.to_bytes(), "ab");
}

#[tokio::test(start_paused = true)]
async fn each_origin_has_its_own_circuit_and_all_services_share_them() {
    let layer = CircuitBreakerLayer::with_settings(after(1));
    let upstream = Upstream::of([status(503)]);
    layer.layer(upstream.clone()).oneshot(get("http://a.example/x")).await.unwrap();
    let error =
        layer.clone().layer(upstream.clone()).oneshot(get("http://A.example:80/y")).await.unwrap_err();
    let open = find_source::<CircuitOpen>(&*error).unwrap();
    assert_eq!(open.origin().map(Origin::as_str), Some("http://a.example"));
    layer.layer(upstream.clone()).oneshot(get("https://a.example/")).await.unwrap();
    layer.layer(upstream.clone()).oneshot(get("/of/nobody")).await.unwrap();
    assert_eq!((upstream.calls(), layer.circuits().len()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn circuits_may_go_by_another_key() {
    let by_service = KeyBy::with(|request| {
        Key::named(request.uri.path().split('/').nth(1).unwrap_or_default()).of_origin()
    });
    let layer = CircuitBreakerLayer::with_settings(after(1)).key_by(by_service);
    let service = layer.layer(Upstream::of([status(503)]));
    service.clone().oneshot(get("http://gateway.example/payments/1")).await.unwrap();
    let error = service.clone().oneshot(get("http://gateway.example/payments/2")).await.unwrap_err();
    assert!(
        error.to_string().starts_with("circuit of `payments` of http://gateway.example is open"),
        "{error}"
    );
    let error = layer.gate().layer(Upstream::default()).oneshot(get("http://gateway.example/payments/2"));
    assert!(error.await.is_err(), "the gate goes by the same");
    for uri in ["http://gateway.example/users/1", "http://other.example/payments/1"] {
        assert!(service.clone().oneshot(get(uri)).await.is_ok(), "{uri}");
    }
    assert_eq!(layer.circuits().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_never_evicted() {
    let layer = CircuitBreakerLayer::with_settings(after(1)).max_keys(std::num::NonZeroUsize::MIN);
    let upstream = Upstream::of([status(200), status(503)]);
    let service = layer.layer(upstream);
    for host in ["first", "open"] {
        service.clone().oneshot(get(&format!("http://{host}.example/"))).await.unwrap();
    }
    for _ in 0..3 {
        service.clone().oneshot(get("http://other.example/")).await.unwrap();
    }
    assert!(service.oneshot(get("http://open.example/")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn one_circuit_may_serve_all() {
    let told = Arc::new(Mutex::new(0));
    let count = told.clone();
    let hook = move |_: &Subject, _: &Transition| *count.lock().unwrap() += 1;
    let breaker = CircuitBreaker::with_hook(after(1), hook);
    let service = CircuitBreakerLayer::shared(breaker.clone()).layer(Upstream::of([status(503)]));
    service.clone().oneshot(get("http://a.example/")).await.unwrap();
    let error = service.oneshot(get("http://b.example/")).await.unwrap_err();
    assert!(error.to_string().starts_with("circuit is open, "), "{error}");
    assert_eq!((breaker.state(), *told.lock().unwrap()), (State::Open, 1));
}

#[tokio::test(start_paused = true)]
async fn a_503_that_opens_it_may_ask_for_longer() {
    for (code, asked, least, most) in [
        (503, "60", 60, 60),
        (503, "7", 7, 10),
        (503, "100000", 300, 300),
        (500, "60", 5, 10),
        (503, "soon", 5, 10),
    ] {
        let mut answer = response(code);
        answer.headers_mut().insert(RETRY_AFTER, asked.parse().unwrap());
        let layer = CircuitBreakerLayer::with_settings(after(1));
        layer.layer(Upstream::of([Answer(answer)])).oneshot(get(URI)).await.unwrap();
        let wait = layer.circuits()[0].snapshot().retry_in.unwrap();
        assert!(wait >= least * SECOND && wait <= most * SECOND, "{wait:?} for {code} {asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_recovered_origin_that_answers_404_only_closes_it() {
    let layer = CircuitBreakerLayer::new();
    let steps = (0..10).map(|_| status(503)).chain((0..99).map(|_| status(404)));
    let service = layer.layer(Upstream::of(steps));
    for _ in 0..10 {
        service.clone().oneshot(get(URI)).await.unwrap();
    }
    assert_eq!(layer.circuits()[0].state(), State::Open);
    let mut answered = 0;
    for _ in 0..600 {
        advance(Duration::from_millis(100)).await;
        answered += u32::from(service.clone().oneshot(get(URI)).await.is_ok());
    }
    assert_eq!(layer.circuits()[0].state(), State::Closed);
    assert!(answered > 500, "{answered}");
}

#[tokio::test(start_paused = true)]
async fn a_429_counts_as_alive_but_passes_no_probe() {
    let layer = CircuitBreakerLayer::with_settings(after(1));
    let service = layer.layer(Upstream::of([status(503), status(429), status(429), status(200)]));
    service.clone().oneshot(get(URI)).await.unwrap();
    advance(10 * SECOND).await;
    for expected in [State::HalfOpen, State::HalfOpen, State::Closed] {
        service.clone().oneshot(get(URI)).await.unwrap();
        assert_eq!(layer.circuits()[0].state(), expected);
    }
}

/// Polls once; whether it is still pending.
fn is_pending<F: Future>(future: Pin<&mut F>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

#[tokio::test(start_paused = true)]
async fn a_probe_ends_wherever_it_is_dropped() {
    let steps = || [status(503), Hang, Answer(response(200).map(|_| bodies::Body::never()))];
    // Never polled, before the head, in the body.
    for place in 0..3 {
        let layer = CircuitBreakerLayer::with_settings(after(1));
        let mut service = layer.layer(Upstream::of(steps().into_iter().filter({
            let mut nth = 0;
            move |_| {
                nth += 1;
                nth == 1 || place == 0 || nth == place + 1
            }
        })));
        service.ready().await.unwrap().call(get(URI)).await.unwrap();
        advance(10 * SECOND).await;
        let mut probe = Box::pin(service.ready().await.unwrap().call(get(URI)));
        match place {
            0 => drop(probe),
            1 => {
                assert!(is_pending(probe.as_mut()));
                drop(probe);
            }
            _ => {
                let answer = probe.await.unwrap();
                assert_eq!(layer.circuits()[0].state(), State::HalfOpen);
                drop(answer);
                assert_eq!(layer.circuits()[0].state(), State::Closed, "a dropped body is a success");
                continue;
            }
        }
        assert_eq!(layer.circuits()[0].state(), State::HalfOpen);
        assert!(layer.circuits()[0].admit().is_ok(), "another call may probe");
    }
}

#[tokio::test(start_paused = true)]
async fn the_readied_inner_is_called_and_a_refused_handle_keeps_none() {
    let layer = CircuitBreakerLayer::with_settings(after(1));
    let (inner, log) = readiness::record(Upstream::of([status(503)]));
    let mut service = layer.layer(inner);
    service.ready().await.unwrap().call(get(URI)).await.unwrap();
    assert_eq!(log.text(), "ready, call");
    log.clear();
    assert!(service.ready().await.unwrap().call(get(URI)).await.is_err());
    assert_eq!(log.text(), "ready, clone", "a fresh one takes its place");
}

#[tokio::test(start_paused = true)]
async fn the_gate_looks_and_takes_nothing() {
    let layer = CircuitBreakerLayer::with_settings(after(1));
    let upstream = Upstream::of([status(503)]);
    let service = layer.gate().layer(layer.layer(upstream.clone()));
    service.clone().oneshot(get(URI)).await.unwrap();
    let (inner, log) = readiness::record(upstream.clone());
    let mut gate = layer.gate().layer(inner);
    let error = gate.ready().await.unwrap().call(get(URI)).await.unwrap_err();
    assert!(find_source::<CircuitOpen>(&*error).is_some());
    assert_eq!(log.text(), "ready, clone");
    assert!(gate.ready().await.unwrap().call(get("http://b.example/")).await.is_ok(), "another origin");
    advance(10 * SECOND).await;
    assert!(gate.clone().oneshot(get(URI)).await.is_ok(), "due");
    assert_eq!(layer.circuits()[0].state(), State::Open, "it does not half-open it");
    assert!(service.oneshot(get(URI)).await.is_ok());
    assert_eq!(layer.circuits()[0].state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn on_the_server_side_it_answers_503() {
    let layer = CircuitBreakerLayer::with_settings(after(1)).respond();
    let failing = service_fn(|_: Request<()>| async {
        Ok::<_, std::convert::Infallible>(
            Response::builder().status(500).body(Full::<Bytes>::default()).unwrap(),
        )
    });
    let service = layer.layer(failing);
    let Ok(_) = service.clone().oneshot(get(URI)).await;
    let Ok(answer) = service.clone().oneshot(get(URI)).await;
    assert_eq!(answer.status(), 503);
    assert!(
        answer.headers()[RETRY_AFTER].to_str().unwrap().parse::<u32>().is_ok_and(|s| (5..=10).contains(&s))
    );
    assert!(answer.extensions().get::<Rejection>().is_some());
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let Ok(gated) = layer.gate().layer(service).oneshot(get(URI)).await;
    assert_eq!(gated.status(), 503);
}

#[tokio::test(start_paused = true)]
async fn the_hook_is_told_of_each_origins_changes() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    let hook = move |subject: &Subject, transition: &Transition| {
        log.lock().unwrap().push(format!("{subject} {} -> {}", transition.from, transition.to));
    };
    let service =
        CircuitBreakerLayer::with_settings(after(1)).on_transition(hook).layer(Upstream::of([status(503)]));
    service.oneshot(get(URI)).await.unwrap();
    assert_eq!(*told.lock().unwrap(), ["http://api.example.com closed -> open"]);
}

#[tokio::test(start_paused = true)]
async fn disabled_lets_all_through_and_has_no_circuit() {
    let layer = CircuitBreakerLayer::disabled().on_transition(()).key_by(KeyBy::nothing());
    let upstream = Upstream::of((0..99).map(|_| status(503)));
    for _ in 0..99 {
        layer.layer(upstream.clone()).oneshot(get(URI)).await.unwrap();
    }
    assert_eq!((upstream.calls(), layer.circuits().len()), (99, 0));
    assert!(layer.gate().layer(upstream).oneshot(get(URI)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_hung_inner_that_never_gets_ready_is_waited_for_by_the_call_alone() {
    let (start, never) = (Instant::now(), tower::limit::ConcurrencyLimit::new(Upstream::default(), 1));
    let mut holder = never.clone();
    let held = holder.ready().await.map(|_| ());
    held.unwrap();
    let mut service = CircuitBreakerLayer::with_settings(after(1)).layer(never);
    let call = service.ready().await.unwrap().call(get(URI));
    assert_eq!(start.elapsed(), Duration::ZERO, "ready in any case");
    assert!(tokio::time::timeout(SECOND, call).await.is_err());
    drop(holder);
    assert!(service.oneshot(get(URI)).await.is_ok());
}
