//! Spans as they are written, and what is told without any.

use std::future::pending;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::{Attempts, BoxError, CallContext, Chance, PathTemplate, Rejection, RetriesSpent};
use bartizan_test::trace::{Captured, Level, captured};
use http::{HeaderMap, Request, Response};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::*;

const URI: &str = "https://alice:hunter2@api.example.com/users/7?token=s3cret&page=2";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[derive(Clone, Copy)]
enum Answer {
    Status(u16),
    Error,
    Refusal,
    RefusalAnswered,
    Never,
}

async fn answer(answer: Answer) -> Result<Response<()>, BoxError> {
    tokio::time::sleep(Duration::from_millis(250)).await;
    match answer {
        Answer::Status(status) => Ok(Response::builder().status(status).body(())?),
        Answer::Error => Err("hunter2".into()),
        Answer::Refusal => Err(Rejection::new(None).into()),
        Answer::RefusalAnswered => {
            Ok(Response::builder().status(503).extension(Rejection::new(None)).body(())?)
        }
        Answer::Never => pending().await,
    }
}

fn request() -> Request<()> {
    Request::get(URI).header("x-secret", "s3cret").body(()).unwrap()
}

/// Drops what takes longer than half a second.
fn run<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_millis(500), future).await.ok() })
}

fn spans<H: Hook + Clone>(layer: ObserveLayer<H>, request: Request<()>, what: Answer) -> Captured {
    captured(Level::Info, || {
        let inner = service_fn(move |_: Request<()>| answer(what));
        let _ = run(layer.layer(inner).oneshot(request));
    })
}

fn field(captured: &Captured, field: &str) -> Option<String> {
    captured.spans()[0].field(field).map(str::to_owned)
}

const TARGET: &str = r#"http.request.method="GET" url.full=https://api.example.com/users/7?token=REDACTED&page=REDACTED server.address="api.example.com" server.port=443"#;

#[test]
fn a_call_is_an_internal_span() {
    let span = spans(ObserveLayer::call(), request(), Answer::Status(200));
    assert_eq!(
        span.to_string(),
        format!(
            "INFO bartizan_observe::call: call otel.kind=\"internal\" otel.name=GET {TARGET} \
             http.response.status_code=200 bartizan.attempts=1\n"
        )
    );
    assert!(span.spans()[0].is_closed());
}

#[test]
fn an_attempt_is_a_client_span() {
    let span = spans(ObserveLayer::attempt(), request(), Answer::Status(200));
    assert_eq!(
        span.to_string(),
        format!(
            "INFO bartizan_observe::attempt: attempt otel.kind=\"client\" otel.name=GET {TARGET} \
             http.response.status_code=200\n"
        )
    );
    assert!(span.spans()[0].is_closed());
}

#[test]
fn from_the_second_attempt_on_it_is_told_how_often_it_was_sent_before() {
    for (attempt, count) in [(None, None), (Some(1), None), (Some(2), Some("1")), (Some(5), Some("4"))] {
        let mut request = request();
        if let Some(attempt) = attempt.and_then(NonZeroU32::new) {
            CallContext::edit(request.extensions_mut()).set_attempt(attempt);
        }
        let span = spans(ObserveLayer::attempt(), request, Answer::Status(200));
        assert_eq!(field(&span, "http.request.resend_count").as_deref(), count, "{attempt:?}");
    }
}

#[test]
fn what_is_an_error_depends_on_whose_span_it_is() {
    for (status, call, attempt) in [
        (200, None, None),
        (304, None, None),
        (399, None, None),
        (400, None, Some("\"400\"")),
        (404, None, Some("\"404\"")),
        (500, Some("\"500\""), Some("\"500\"")),
        (599, Some("\"599\""), Some("\"599\"")),
        (600, None, None),
    ] {
        for (layer, error) in [(ObserveLayer::call(), call), (ObserveLayer::attempt(), attempt)] {
            let span = spans(layer, request(), Answer::Status(status));
            assert_eq!(field(&span, "error.type").as_deref(), error, "{status}");
            let told = error.map(|_| "\"ERROR\"");
            assert_eq!(field(&span, "otel.status_code").as_deref(), told, "{status}");
        }
    }
}

#[test]
fn an_error_is_named_and_not_quoted() {
    let span = spans(ObserveLayer::attempt(), request(), Answer::Error);
    assert_eq!(field(&span, "error.type").as_deref(), Some("\"_OTHER\""));
    assert_eq!(field(&span, "otel.status_code").as_deref(), Some("\"ERROR\""));
    assert_eq!(field(&span, "http.response.status_code"), None);
}

#[test]
fn nothing_that_is_written_shows_a_secret() {
    for answer in [Answer::Status(503), Answer::Error, Answer::Refusal, Answer::Never] {
        for layer in [ObserveLayer::call(), ObserveLayer::attempt()] {
            let span = spans(layer, request(), answer).to_string();
            for secret in ["s3cret", "hunter2", "alice"] {
                assert!(!span.contains(secret), "{span}");
            }
        }
    }
}

#[test]
fn what_was_refused_was_no_client() {
    for answer in [Answer::Refusal, Answer::RefusalAnswered] {
        let span = spans(ObserveLayer::attempt(), request(), answer);
        assert_eq!(field(&span, "otel.kind").as_deref(), Some("\"internal\""));
    }
    let span = spans(ObserveLayer::attempt(), request(), Answer::Refusal);
    assert_eq!(field(&span, "error.type").as_deref(), Some("\"refused\""));
    assert_eq!(
        field(&spans(ObserveLayer::attempt(), request(), Answer::Error), "otel.kind").as_deref(),
        Some("\"client\"")
    );
}

#[test]
fn a_dropped_call_ends_its_span_without_a_failure() {
    let span = spans(ObserveLayer::call(), request(), Answer::Never);
    assert_eq!(field(&span, "error.type").as_deref(), Some("\"dropped\""));
    assert_eq!(field(&span, "otel.status_code"), None);
    assert!(span.spans()[0].is_closed());
}

#[test]
fn a_future_that_was_never_polled_ends_its_span_too() {
    let span = captured(Level::Info, || {
        let mut service = ObserveLayer::call().layer(service_fn(|_: Request<()>| answer(Answer::Never)));
        run(async { drop(service.call(request())) });
    });
    assert_eq!(field(&span, "error.type").as_deref(), Some("\"dropped\""));
    assert!(span.spans()[0].is_closed());
}

#[test]
fn the_name_is_the_method_and_the_template() {
    let name = |method: &str, template: Option<&'static str>| {
        let mut request = Request::builder().method(method).uri(URI).body(()).unwrap();
        if let Some(template) = template {
            request.extensions_mut().insert(PathTemplate::from_static(template));
        }
        let span = spans(ObserveLayer::attempt(), request, Answer::Status(200));
        ["otel.name", "url.template", "http.request.method", "http.request.method_original"]
            .map(|name| field(&span, name).unwrap_or_default())
    };
    assert_eq!(name("GET", None), ["GET", "", "\"GET\"", ""]);
    let template = "/users/{id}";
    assert_eq!(name("POST", Some(template)), ["POST /users/{id}", "\"/users/{id}\"", "\"POST\"", ""]);
    assert_eq!(name("PURGE", None), ["HTTP", "", "\"_OTHER\"", "\"PURGE\""]);
    assert_eq!(name("get", None), ["HTTP", "", "\"_OTHER\"", "\"get\""]);
}

#[test]
fn host_and_port_are_those_of_the_uri() {
    for (uri, host, port) in [
        ("http://a.example/", Some("\"a.example\""), Some("80")),
        ("https://a.example:8443/", Some("\"a.example\""), Some("8443")),
        ("http://[::1]:8080/", Some("\"::1\""), Some("8080")),
        ("ws://a.example/", Some("\"a.example\""), None),
        ("/a", None, None),
    ] {
        let request = Request::get(uri).body(()).unwrap();
        let span = spans(ObserveLayer::attempt(), request, Answer::Status(200));
        assert_eq!(field(&span, "server.address").as_deref(), host, "{uri}");
        assert_eq!(field(&span, "server.port").as_deref(), port, "{uri}");
    }
}

#[test]
fn a_call_tells_how_many_attempts_were_made() {
    let three = NonZeroU32::new(3).unwrap();
    let span = captured(Level::Info, || {
        let inner = service_fn(move |_: Request<()>| async move {
            Response::builder().extension(Attempts(three)).body(())
        });
        let _ = run(ObserveLayer::call().layer(inner).oneshot(request()));
    });
    assert_eq!(field(&span, "bartizan.attempts").as_deref(), Some("3"));
    let span = captured(Level::Info, || {
        let inner = service_fn(move |_: Request<()>| async move {
            Err::<Response<()>, _>(BoxError::from(RetriesSpent::new(three, "no".into())))
        });
        let _ = run(ObserveLayer::call().layer(inner).oneshot(request()));
    });
    assert_eq!(field(&span, "bartizan.attempts").as_deref(), Some("3"));
    assert_eq!(field(&spans(ObserveLayer::call(), request(), Answer::Error), "bartizan.attempts"), None);
}

#[test]
fn what_happens_inside_of_a_call_is_inside_of_its_span_and_nothing_else() {
    let captured = captured(Level::Info, || {
        let inner = service_fn(move |_: Request<()>| {
            tracing::info!(target: "inner", "called");
            async {
                tracing::info!(target: "inner", "polled");
                tokio::task::yield_now().await;
                tracing::info!(target: "inner", "polled again");
                Ok::<_, BoxError>(Response::new(()))
            }
        });
        run(async {
            let mut service = ObserveLayer::call().layer(ObserveLayer::attempt().layer(inner));
            let future = service.call(request());
            tracing::info!(target: "outer", "between");
            let response = future.await;
            tracing::info!(target: "outer", "after");
            response
        });
    });
    let text = captured.to_string();
    let lines: Vec<&str> =
        text.lines().map(|line| line.split(" otel.kind").next().unwrap_or_default()).collect();
    assert_eq!(
        lines,
        [
            "INFO bartizan_observe::call: call",
            "  INFO bartizan_observe::attempt: attempt",
            "    INFO inner: called",
            "INFO outer: between",
            "    INFO inner: polled",
            "    INFO inner: polled again",
            "INFO outer: after",
        ]
    );
    // In `call`, and in each of two polls.
    assert_eq!(captured.spans()[0].entered(), 3);
}

#[test]
fn the_hook_is_told_once_of_each_end() {
    #[derive(Default)]
    struct Kept(Mutex<Vec<String>>);
    impl Hook for Kept {
        fn finished(&self, record: &Record<'_>) {
            let Record { scope, status, error, is_refused, took, attempts, .. } = record;
            let error = error.map(|error| error.to_string()).unwrap_or_default();
            let line = format!("{scope:?} {status:?} {error} {is_refused} {took:?} {attempts:?}");
            assert!(!format!("{record:?}").contains("s3cret"));
            self.0.lock().unwrap().push(line);
        }
    }
    let kept = Arc::new(Kept::default());
    for layer in [ObserveLayer::call(), ObserveLayer::attempt()] {
        for what in [Answer::Status(404), Answer::Error, Answer::RefusalAnswered, Answer::Never] {
            let inner = service_fn(move |_: Request<()>| answer(what));
            let _ = run(layer.clone().hook(kept.clone()).layer(inner).oneshot(request()));
        }
    }
    assert_eq!(
        *kept.0.lock().unwrap(),
        [
            "Call Some(404)  false 250ms Some(1)",
            "Call None _OTHER false 250ms None",
            "Call Some(503) 503 true 250ms Some(1)",
            "Call None dropped false 500ms None",
            "Attempt Some(404) 404 false 250ms Some(1)",
            "Attempt None _OTHER false 250ms Some(1)",
            "Attempt Some(503) 503 true 250ms Some(1)",
            "Attempt None dropped false 500ms Some(1)",
        ]
    );
}

#[test]
fn a_disabled_layer_sees_nothing() {
    let layer = ObserveLayer::disabled().start_traces();
    assert!(spans(layer, request(), Answer::Status(200)).spans().is_empty());
}

/// What the inner service got in `traceparent` and `tracestate`, and what is in the innermost span.
fn sent(
    most: Level,
    request: Request<()>,
    layer: impl Fn() -> ObserveLayer,
    calls: u32,
) -> (Vec<[String; 2]>, Captured) {
    let seen: Arc<Mutex<Vec<[String; 2]>>> = Arc::default();
    let captured = captured(most, || {
        let seen = seen.clone();
        let inner = service_fn(move |request: Request<()>| {
            let field = |name| {
                let value = request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
                value.unwrap_or_default()
            };
            seen.lock().unwrap().push(["traceparent", "tracestate"].map(field));
            async { Ok::<_, BoxError>(Response::new(())) }
        });
        let service = layer().layer(inner);
        for _ in 0..calls {
            let _ = run(service.clone().oneshot(request.clone()));
        }
    });
    (std::mem::take(&mut *seen.lock().unwrap()), captured)
}

fn traced(traceparent: &str) -> Request<()> {
    let mut request = request();
    request.headers_mut().insert("traceparent", traceparent.parse().unwrap());
    request.headers_mut().insert("tracestate", "rojo=00f067aa0b7902b7".parse().unwrap());
    request
}

fn attempt() -> ObserveLayer {
    ObserveLayer::attempt().chance(Chance::from_seed(7))
}

#[test]
fn each_attempt_is_a_child_of_the_call_with_an_id_of_its_own() {
    let (sent, captured) = sent(Level::Info, traced(TRACEPARENT), attempt, 2);
    let [[first, state], [second, _]] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(state, "rojo=00f067aa0b7902b7");
    assert_ne!(first, second);
    for (sent, span) in [first, second].into_iter().zip(captured.spans()) {
        let (trace, own) = (&sent[3..35], &sent[36..52]);
        assert_eq!((trace, &sent[52..]), ("0af7651916cd43dd8448eb211c80319c", "-01"));
        assert_ne!(own, "b7ad6b7169203331");
        assert_eq!((span.field("trace_id"), span.field("span_id")), (Some(trace), Some(own)));
    }
}

#[test]
fn the_header_of_a_call_stays() {
    for layer in [ObserveLayer::call, || ObserveLayer::call().start_traces()] {
        let (sent, captured) = sent(Level::Info, traced(TRACEPARENT), layer, 1);
        assert_eq!(sent[0][0], TRACEPARENT);
        assert_eq!(field(&captured, "trace_id").as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
    }
}

#[test]
fn where_nobody_listens_the_header_passes() {
    for layer in [attempt, || attempt().start_traces()] {
        let (sent, _) = sent(Level::Warn, traced(TRACEPARENT), layer, 1);
        assert_eq!(sent, [[TRACEPARENT, "rojo=00f067aa0b7902b7"].map(str::to_owned)]);
    }
}

#[test]
fn what_is_no_traceparent_is_left_alone() {
    let (sent, captured) = sent(Level::Info, traced("00-0-0-0"), attempt, 1);
    assert_eq!(sent, [["00-0-0-0", "rojo=00f067aa0b7902b7"].map(str::to_owned)]);
    assert_eq!(field(&captured, "trace_id"), None);
    let (sent, _) = self::sent(Level::Info, request(), attempt, 1);
    assert_eq!(sent[0][0], "");
}

#[test]
fn a_trace_is_started_by_choice() {
    let starting = || attempt().start_traces();
    for request in [request(), traced("00-0-0-0")] {
        for (most, flags) in [(Level::Info, "-01"), (Level::Warn, "-00")] {
            let (sent, _) = sent(most, request.clone(), starting, 1);
            let [traceparent, tracestate] = &sent[0];
            assert!(traceparent.len() == 55 && traceparent.ends_with(flags), "{traceparent}");
            assert_eq!(tracestate, "", "it belongs to no trace");
        }
    }
    let (sent, captured) = sent(Level::Info, request(), || ObserveLayer::call().start_traces(), 1);
    assert_eq!(captured.spans()[0].field("span_id"), Some(&sent[0][0][36..52]));
}

#[test]
fn another_may_write_the_header_of_attempts_in_their_span() {
    let inject = |headers: &mut HeaderMap| {
        tracing::info!(target: "inject", "here");
        headers.insert("traceparent", "mine".parse().unwrap());
    };
    let layer = || ObserveLayer::attempt().start_traces().inject(inject);
    let (got, captured) = sent(Level::Info, request(), layer, 1);
    assert_eq!(got[0][0], "mine");
    assert!(captured.to_string().contains("\n  INFO inject: here"), "{captured}");
    assert_eq!(sent(Level::Warn, request(), layer, 1).0[0][0], "", "nobody listens");
    let call = || ObserveLayer::call().inject(inject);
    assert_eq!(sent(Level::Info, request(), call, 1).0[0][0], "", "only attempts");
}

#[test]
fn debug_shows_what_is_set() {
    assert_eq!(
        format!("{:?}", ObserveLayer::call().start_traces().inject(|_| ())),
        "ObserveLayer { scope: Some(Call), start_traces: true, inject: Some(Inject(..)), .. }"
    );
}
