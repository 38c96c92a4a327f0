//! What each layer does is written as the table says: the layers themselves are driven, and Prometheus' text is read.

#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::future::{Future, pending};
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bartizan_auth::{AuthLayer, Origins, Refreshing, Secret, Token, TokenError};
use bartizan_cache::CacheLayer;
use bartizan_circuit_breaker::{CircuitBreakerLayer, OnTransition, Settings, Transition, Trip};
use bartizan_core::{BoxError, Subject, WallClock};
use bartizan_observe::ObserveLayer;
use bartizan_observe::metrics::{BUCKETS, Kind, Metric, Metrics, TABLE};
use bartizan_rate_limit::bulkhead::BulkheadLayer;
use bartizan_rate_limit::{Quota, RateLimitLayer};
use bartizan_retry::{Budget, RetryLayer};
use bartizan_timeout::{AttemptTimeoutLayer, DeadlineLayer};
use bartizan_webhook::inbox::{Event, Health, Inbox, VolatileInbox};
use bartizan_webhook::processor::{Failure, Processor};
use bartizan_webhook::{SignatureFormat, VerifyLayer};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tower::{Layer, Service, ServiceExt, service_fn};

type Body = Full<Bytes>;

const SECOND: Duration = Duration::from_secs(1);

/// What Prometheus reads after `run`, in virtual time.
fn text<F: Future>(run: impl FnOnce(Metrics) -> F) -> String {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("duration".to_owned()), &BUCKETS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("wait".to_owned()), &BUCKETS))
        .unwrap()
        .build_recorder();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(run(Metrics::new())));
    recorder.handle().render()
}

/// The lines of counters, gauges, and how often a histogram was written.
fn lines(text: &str) -> Vec<String> {
    let is_count = |line: &&str| {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        !line.starts_with('#') && !line.is_empty() && !name.ends_with("_bucket") && !name.ends_with("_sum")
    };
    let short = |line: &str| line.replace("https://api.example.com", "API");
    let mut lines: Vec<String> = text.lines().filter(is_count).map(short).collect();
    lines.sort_unstable();
    lines
}

fn request(method: Method, path: &str) -> Request<Body> {
    let uri = format!("https://api.example.com{path}");
    Request::builder().method(method).uri(uri).body(Body::default()).unwrap()
}

fn get() -> Request<Body> {
    request(Method::GET, "/users/7?token=s3cret")
}

fn response(status: u16, headers: &[(&str, &str)]) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from("hello")).unwrap()
}

/// One answer after the other, and then the last again. 0 is an error.
fn answering(
    answers: &'static [(u16, &'static [(&'static str, &'static str)])],
) -> impl Service<Request<Body>, Response = Response<Body>, Error = BoxError, Future: Send + 'static>
+ Clone
+ Send
+ Sync
+ 'static {
    let next = Arc::new(AtomicUsize::new(0));
    service_fn(move |_: Request<Body>| {
        let (status, headers) = answers[next.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1)];
        std::future::ready(match status {
            0 => Err("unreachable".into()),
            _ => Ok(response(status, headers)),
        })
    })
}

async fn hanging(_: Request<Body>) -> Result<Response<Body>, BoxError> {
    pending().await
}

async fn spans(metrics: Metrics) {
    let inner = answering(&[(200, &[]), (404, &[]), (503, &[])]);
    let attempt = ObserveLayer::attempt().hook(metrics.clone()).layer(inner);
    let service = ObserveLayer::call().hook(metrics.clone()).layer(attempt);
    for _ in 0..4 {
        let _ = service.clone().oneshot(get()).await;
    }
    let refusing =
        CircuitBreakerLayer::with_settings(Settings::new().trip(Trip::consecutive(NonZeroU32::MIN)));
    let outside = refusing.layer(answering(&[(500, &[])]));
    let service = ObserveLayer::call()
        .hook(metrics.clone())
        .layer(ObserveLayer::attempt().hook(metrics).layer(outside));
    for _ in 0..2 {
        let _ = service.clone().oneshot(request(Method::from_bytes(b"PURGE").unwrap(), "/")).await;
    }
}

async fn retries(metrics: Metrics) {
    let layer = || RetryLayer::new().budget(Budget::new().reserve(1)).hook(metrics.clone());
    let service = layer().layer(answering(&[(503, &[]), (200, &[])]));
    let _ = service.oneshot(get()).await;
    let service = layer().layer(answering(&[(503, &[])]));
    let _ = service.oneshot(get()).await;
    let failing = service_fn(async |_: Request<Body>| Err::<Response<Body>, _>(BoxError::from("no")));
    let _ = RetryLayer::new().hook(metrics).layer(failing).oneshot(request(Method::POST, "/")).await;
}

async fn timeouts(metrics: Metrics) {
    let attempt = AttemptTimeoutLayer::new(SECOND).hook(metrics.clone()).layer(service_fn(hanging));
    let _ = attempt.oneshot(get()).await;
    for _ in 0..2 {
        let call = DeadlineLayer::new(SECOND).hook(metrics.clone()).layer(service_fn(hanging));
        let _ = call.oneshot(get()).await;
    }
}

async fn circuits(metrics: Metrics) {
    let layer = CircuitBreakerLayer::with_settings(brief()).on_transition(metrics);
    let service = layer.layer(answering(&[(500, &[]), (200, &[])]));
    let _ = service.clone().oneshot(get()).await;
    tokio::time::sleep(5 * SECOND).await;
    for _ in 0..9 {
        if let Ok(response) = service.clone().oneshot(get()).await {
            let _ = response.into_body().collect().await;
        }
    }
}

async fn limits(metrics: Metrics) {
    let quota = Quota::new(1, SECOND).unwrap();
    let waiting = RateLimitLayer::new(quota).max_wait(2 * SECOND).hook(metrics.clone());
    let waiting = waiting.layer(answering(&[(200, &[])]));
    for _ in 0..3 {
        let _ = waiting.clone().oneshot(get()).await;
    }
    let refusing = RateLimitLayer::new(quota).max_wait(Duration::ZERO).hook(metrics.clone());
    let refusing = refusing.layer(answering(&[(200, &[])]));
    for _ in 0..3 {
        let _ = refusing.clone().oneshot(get()).await;
    }
    let pausing = RateLimitLayer::without_quota().hook(metrics.clone());
    let pausing = pausing.layer(answering(&[(429, &[("retry-after", "3")])]));
    let _ = pausing.oneshot(get()).await;
    let bulkhead = BulkheadLayer::new(NonZeroUsize::MIN).queue(0).hook(metrics).layer(service_fn(hanging));
    let first = tokio::spawn(bulkhead.clone().oneshot(get()));
    tokio::task::yield_now().await;
    let _ = bulkhead.oneshot(get()).await;
    first.abort();
}

async fn caches(metrics: Metrics) {
    let cache = CacheLayer::rfc9111().hook(metrics).layer(answering(&[
        (200, &[("cache-control", "max-age=10, stale-while-revalidate=20")]),
        (0, &[]),
        (200, &[("cache-control", "no-store")]),
        (204, &[]),
    ]));
    let send = async |request: Request<Body>| {
        if let Ok(response) = cache.clone().oneshot(request).await {
            let _ = response.into_body().collect().await;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    send(get()).await;
    send(get()).await;
    tokio::time::sleep(12 * SECOND).await;
    // Stale, and fetched in vain meanwhile.
    send(get()).await;
    send(request(Method::GET, "/other")).await;
    // Makes what is stored invalid.
    send(request(Method::POST, "/users/7?token=s3cret")).await;
}

async fn tokens(metrics: Metrics) {
    let asked = AtomicUsize::new(0);
    let source = move |_: Option<Secret>| {
        let nth = asked.fetch_add(1, Ordering::Relaxed);
        async move {
            match nth {
                0 => Ok(Token::new("t0").unwrap()),
                _ => Err(TokenError::permanent("no more")),
            }
        }
    };
    let tokens = Refreshing::builder(source).hook(move |event| metrics.token(event)).build();
    let origins = Origins::new(["https://api.example.com"]).unwrap();
    let challenge: &[(&str, &str)] = &[("www-authenticate", "Bearer error=\"invalid_token\"")];
    let challenge: &'static [(&'static str, &'static str)] = Box::leak(challenge.into());
    let answers: &'static [_] = Box::leak(Box::new([(401, challenge)]));
    let service = RetryLayer::new().layer(AuthLayer::new(origins, tokens).layer(answering(answers)));
    let _ = service.oneshot(get()).await;
}

async fn webhooks(metrics: Metrics) {
    let passes = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::default())));
    let slack = SignatureFormat::slack();
    let (signer, verifier) = (slack.clone().signer(["s"]).unwrap(), slack.verifier(["s"]).unwrap());
    let clock = WallClock::fixed(SystemTime::UNIX_EPOCH + 3600 * SECOND);
    let service = VerifyLayer::new(verifier).wall_clock(clock.clone()).hook(metrics.clone()).layer(passes);
    for content in ["{}", r#"{"type":"url_verification","challenge":"c"}"#] {
        let mut signed = Request::post("/s3cret").body(Body::from(content)).unwrap();
        signer.sign(signed.headers_mut(), content.as_bytes(), clock.now()).unwrap();
        service.clone().oneshot(signed).await.unwrap();
    }
    service.oneshot(Request::new(Body::default())).await.unwrap();

    let inbox = VolatileInbox::new();
    for event_type in ["good", "bad", "ugly", "slow", "nobody", "again"] {
        inbox.put(Event::new("crm", event_type, clock.now(), "s3cret")).await.unwrap();
    }
    let processor = Processor::builder()
        .on("good", |_| async { Ok(()) })
        .on("bad", |_| async { Err(Failure::permanent("s3cret")) })
        .on("ugly", |_| async { panic!("s3cret") })
        .on("slow", |_| pending())
        .on("again", |_| async { Err(Failure::retry("s3cret")) })
        .handler_timeout(SECOND)
        .wall_clock(clock.clone())
        .hook(metrics.clone())
        .build()
        .unwrap();
    processor.clone().run(inbox.clone(), tokio::time::sleep(10 * SECOND)).await;
    metrics.inbox(&inbox.stats(clock.now()).await.unwrap());
    inbox.set_health(Health::Fails);
    processor.run(inbox, tokio::time::sleep(Duration::from_millis(1))).await;
}

async fn all(metrics: Metrics) {
    spans(metrics.clone()).await;
    retries(metrics.clone()).await;
    timeouts(metrics.clone()).await;
    circuits(metrics.clone()).await;
    limits(metrics.clone()).await;
    caches(metrics.clone()).await;
    tokens(metrics.clone()).await;
    webhooks(metrics).await;
}

#[test]
fn requests_and_calls_are_timed() {
    assert_eq!(
        lines(&text(spans)),
        [
            r#"bartizan_call_duration_count{http_request_method="GET",origin="API",status_class="2xx",error_type=""} 1"#,
            r#"bartizan_call_duration_count{http_request_method="GET",origin="API",status_class="4xx",error_type=""} 1"#,
            r#"bartizan_call_duration_count{http_request_method="GET",origin="API",status_class="5xx",error_type="503"} 2"#,
            r#"bartizan_call_duration_count{http_request_method="_OTHER",origin="API",status_class="",error_type="circuit_open"} 1"#,
            r#"bartizan_call_duration_count{http_request_method="_OTHER",origin="API",status_class="5xx",error_type="500"} 1"#,
            r#"http_client_request_duration_count{http_request_method="GET",origin="API",status_class="2xx",error_type=""} 1"#,
            r#"http_client_request_duration_count{http_request_method="GET",origin="API",status_class="4xx",error_type="404"} 1"#,
            r#"http_client_request_duration_count{http_request_method="GET",origin="API",status_class="5xx",error_type="503"} 2"#,
            r#"http_client_request_duration_count{http_request_method="_OTHER",origin="API",status_class="5xx",error_type="500"} 1"#,
        ]
    );
}

#[test]
fn retries_are_counted_by_why_and_result() {
    assert_eq!(
        lines(&text(retries)),
        [
            r#"bartizan_retry_budget{origin="API"} 1"#,
            r#"bartizan_retry_retries{origin="API",cause="failed",status_class="5xx",error_type=""} 2"#,
            r#"bartizan_retry_stopped{origin="API",why="budget",status_class="5xx",error_type=""} 1"#,
            r#"bartizan_retry_stopped{origin="API",why="method",status_class="",error_type="_OTHER"} 1"#,
        ]
    );
}

#[test]
fn time_outs_are_counted_by_kind() {
    assert_eq!(
        lines(&text(timeouts)),
        [r#"bartizan_timeouts{kind="attempt"} 1"#, r#"bartizan_timeouts{kind="deadline"} 2"#,]
    );
}

#[test]
fn circuits_have_a_state_and_changes() {
    assert_eq!(
        lines(&text(circuits)),
        [
            r#"bartizan_circuit_state{circuit="API"} 0"#,
            r#"bartizan_circuit_transitions{circuit="API",from="closed",to="open"} 1"#,
            r#"bartizan_circuit_transitions{circuit="API",from="half_open",to="closed"} 1"#,
            r#"bartizan_circuit_transitions{circuit="API",from="open",to="half_open"} 1"#,
        ]
    );
}

/// Trips at the first failure, and is well again after a second.
fn brief() -> Settings {
    Settings::new().trip(Trip::consecutive(NonZeroU32::MIN)).open_for(SECOND).without_ramp()
}

#[test]
fn a_change_that_is_told_late_leaves_the_state_alone() {
    let text = text(async |metrics| {
        let changes: Arc<Mutex<Vec<(Subject, Transition)>>> = Arc::default();
        let keep = changes.clone();
        let hook = move |subject: &Subject, change: &Transition| {
            keep.lock().unwrap().push((subject.clone(), *change));
        };
        let layer = CircuitBreakerLayer::with_settings(brief()).on_transition(Arc::new(hook));
        let _ = layer.layer(answering(&[(500, &[])])).oneshot(get()).await;
        tokio::time::sleep(5 * SECOND).await;
        let _ = layer.layer(answering(&[(200, &[])])).oneshot(get()).await;
        // Half-open first, and then that it has opened.
        for (subject, change) in changes.lock().unwrap().iter().rev() {
            metrics.transition(subject, change);
        }
    });
    assert!(lines(&text).contains(&r#"bartizan_circuit_state{circuit="API"} 1"#.to_owned()), "{text}");
}

#[test]
fn where_several_have_one_name_no_state_is_told() {
    let text = text(async |_| {
        let metrics = Metrics::with_max_names(1);
        for host in ["a", "b"] {
            let uri = format!("http://{host}.example/");
            let request = Request::get(uri).body(Body::default()).unwrap();
            let breaker = CircuitBreakerLayer::with_settings(brief()).on_transition(metrics.clone());
            let retry = RetryLayer::new().hook(metrics.clone());
            let _ = retry.layer(breaker.layer(answering(&[(500, &[])]))).oneshot(request).await;
        }
        let relative = Request::get("/").body(Body::default()).unwrap();
        let _ = RetryLayer::new().hook(metrics).layer(answering(&[(500, &[])])).oneshot(relative).await;
    });
    let states: Vec<String> = lines(&text)
        .into_iter()
        .filter(|line| {
            line.starts_with("bartizan_circuit_state") || line.starts_with("bartizan_retry_budget")
        })
        .map(|line| line.split('}').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        states,
        [
            r#"bartizan_circuit_state{circuit="http://a.example""#,
            r#"bartizan_retry_budget{origin="http://a.example""#
        ]
    );
    assert!(text.contains("circuit=\"other\"") && text.contains("origin=\"none\""), "{text}");
}

#[test]
fn waits_refusals_and_pauses_of_limits_are_counted() {
    assert_eq!(
        lines(&text(limits)),
        [
            r#"bartizan_bulkhead_refusals{bulkhead="API",why="full"} 1"#,
            r#"bartizan_limit_pauses{limit="API"} 1"#,
            r#"bartizan_limit_refusals{limit="API",why="quota"} 2"#,
            r#"bartizan_limit_wait_count 2"#,
        ]
    );
}

#[test]
fn what_a_cache_did_is_counted() {
    assert_eq!(
        lines(&text(caches)),
        [
            r#"bartizan_cache_answers{origin="API",result="hit"} 1"#,
            r#"bartizan_cache_answers{origin="API",result="method"} 1"#,
            r#"bartizan_cache_answers{origin="API",result="stale_hit"} 1"#,
            r#"bartizan_cache_answers{origin="API",result="uri-miss"} 2"#,
            r#"bartizan_cache_invalidations{origin="API"} 1"#,
            r#"bartizan_cache_not_refreshed{origin="API"} 1"#,
            r#"bartizan_cache_responses{origin="API",result="method"} 1"#,
            r#"bartizan_cache_responses{origin="API",result="no_store"} 1"#,
            r#"bartizan_cache_responses{origin="API",result="stored"} 1"#,
        ]
    );
}

#[test]
fn what_happens_to_tokens_is_counted() {
    assert_eq!(
        lines(&text(tokens)),
        [
            r#"bartizan_auth_tokens{event="failed"} 1"#,
            r#"bartizan_auth_tokens{event="refused"} 1"#,
            r#"bartizan_auth_tokens{event="renewed"} 1"#,
        ]
    );
}

#[test]
fn what_becomes_of_webhooks_is_counted() {
    assert_eq!(
        lines(&text(webhooks)),
        [
            r#"bartizan_webhook_events{source="crm",result="claimed"} 6"#,
            r#"bartizan_webhook_events{source="crm",result="dead"} 1"#,
            r#"bartizan_webhook_events{source="crm",result="done"} 1"#,
            r#"bartizan_webhook_events{source="crm",result="retried"} 3"#,
            r#"bartizan_webhook_events{source="crm",result="unhandled"} 1"#,
            r#"bartizan_webhook_handler_failures{handler="again",why="error"} 1"#,
            r#"bartizan_webhook_handler_failures{handler="bad",why="permanent"} 1"#,
            r#"bartizan_webhook_handler_failures{handler="slow",why="timed_out"} 1"#,
            r#"bartizan_webhook_handler_failures{handler="ugly",why="panicked"} 1"#,
            r#"bartizan_webhook_inbox_events{state="dead"} 1"#,
            r#"bartizan_webhook_inbox_events{state="leased"} 0"#,
            r#"bartizan_webhook_inbox_events{state="ready"} 0"#,
            r#"bartizan_webhook_inbox_events{state="waiting"} 3"#,
            r#"bartizan_webhook_inbox_failures{asked="claim"} 1"#,
            r#"bartizan_webhook_requests{scheme="slack",result="handshake"} 1"#,
            r#"bartizan_webhook_requests{scheme="slack",result="no_signature"} 1"#,
            r#"bartizan_webhook_requests{scheme="slack",result="passed"} 1"#,
        ]
    );
}

/// Of each metric its kind and its labels.
fn written(text: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut written = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            written.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
        } else if let Some((name, labels)) = line.split_once('{').filter(|_| !line.starts_with('#')) {
            let name =
                ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            let labels =
                labels.split_once('}').unwrap().0.split("\",").map(|label| label.split('=').next().unwrap());
            let known = written.get_mut(name).unwrap_or_else(|| panic!("no type: {line}"));
            known.1.extend(labels.filter(|label| *label != "le").map(str::to_owned));
        }
    }
    written
}

#[test]
fn the_table_has_what_is_written_and_nothing_else() {
    let table: BTreeMap<_, _> = TABLE
        .iter()
        .map(|metric| {
            let kind = match metric.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                _ => "histogram",
            };
            let labels = metric.labels.iter().map(|label| label.replace('.', "_")).collect();
            (metric.prometheus_name(), (kind.to_owned(), labels))
        })
        .collect();
    assert_eq!(written(&text(all)), table);
}

#[test]
fn no_label_shows_a_path_or_a_secret() {
    let text = text(all);
    for secret in ["s3cret", "users", "t0"] {
        assert!(
            !text.lines().any(|line| !line.starts_with('#') && line.contains(secret)),
            "{secret}: {text}"
        );
    }
}

#[test]
fn origins_are_labels_up_to_a_bound() {
    let text = text(async |_| {
        let layer = ObserveLayer::attempt().hook(Metrics::with_max_names(2));
        for host in ["a", "b", "c", "a", "d"] {
            let request = Request::get(format!("http://{host}.example/")).body(Body::default()).unwrap();
            let _ = layer.layer(answering(&[(200, &[])])).oneshot(request).await;
        }
        let relative = Request::get("/").body(Body::default()).unwrap();
        let _ = layer.layer(answering(&[(200, &[])])).oneshot(relative).await;
    });
    let origins: Vec<(String, String)> = lines(&text)
        .iter()
        .map(|line| {
            let origin = line.split("origin=\"").nth(1).unwrap().split('"').next().unwrap();
            (origin.to_owned(), line.rsplit(' ').next().unwrap().to_owned())
        })
        .collect();
    let expected = [("http://a.example", "2"), ("http://b.example", "1"), ("none", "1"), ("other", "2")];
    assert_eq!(origins, expected.map(|(origin, count)| (origin.to_owned(), count.to_owned())));
}

/// By which a query sums up, and by which it chooses; but for the bounds of buckets.
fn labels(query: &str) -> Vec<&str> {
    let by = query.split("by (").skip(1).flat_map(|rest| rest.split(')').next().unwrap().split(", "));
    let chosen = query.split('{').skip(1).flat_map(|rest| rest.split('}').next().unwrap().split(','));
    let name = |label: &str| label.find(['=', '!']).unwrap_or(label.len());
    by.chain(chosen).map(|label| &label[..name(label)]).filter(|label| *label != "le").collect()
}

#[test]
fn the_dashboard_asks_for_metrics_of_the_table_alone() {
    let dashboard: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/grafana.json")).unwrap();
    let names: BTreeSet<String> = TABLE
        .iter()
        .flat_map(|metric| {
            let name = metric.prometheus_name();
            match metric.kind {
                Kind::Histogram => ["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}")).to_vec(),
                _ => vec![name],
            }
        })
        .collect();
    let mut asked = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{}", panel["title"]);
        for target in targets {
            let query = target["expr"].as_str().unwrap();
            let words = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let metrics: Vec<&str> = words
                .filter(|word| word.starts_with("bartizan_") || word.starts_with("http_client_"))
                .collect();
            assert!(!metrics.is_empty(), "{query}");
            for metric in &metrics {
                assert!(names.contains(*metric), "{metric} in {query}");
                asked.insert((*metric).to_owned());
            }
            for label in labels(query) {
                let has_it = |metric: &&str| {
                    let of = |row: &&Metric| metric.starts_with(&row.prometheus_name());
                    let labels = TABLE.iter().filter(of).flat_map(|row| row.labels);
                    labels.map(|label| label.replace('.', "_")).any(|has| has == label)
                };
                assert!(metrics.iter().all(has_it), "{label} in {query}");
            }
        }
    }
    // Each of the table is on some panel.
    for metric in TABLE {
        let name = metric.prometheus_name();
        assert!(asked.iter().any(|asked| asked.starts_with(&name)), "{name} is on no panel");
    }
}
