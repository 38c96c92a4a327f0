//! What the errors of each layer are called: the layers themselves are driven.

#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_auth::{AuthLayer, Authorizer, Basic, Origins, Refreshing, Secret, Token, TokenError};
use bartizan_circuit_breaker::{CircuitBreakerLayer, Settings, Trip};
use bartizan_core::BoxError;
use bartizan_observe::{Hook, ObserveLayer, Record};
use bartizan_rate_limit::bulkhead::BulkheadLayer;
use bartizan_rate_limit::{Quota, RateLimitLayer};
use bartizan_retry::RetryLayer;
use bartizan_timeout::{AttemptTimeoutLayer, DeadlineLayer};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt, service_fn};

type Body = Full<Bytes>;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Default)]
struct Named(Arc<Mutex<Vec<(String, bool)>>>);

impl Hook for Named {
    fn finished(&self, record: &Record<'_>) {
        let name = record.error.map(|error| error.to_string()).unwrap_or_default();
        self.0.lock().unwrap().push((name, record.is_refused));
    }
}

/// What the calls through `service` came to, one after the other: the name, and whether nothing was sent.
async fn named<S, R>(service: S, calls: usize) -> Vec<(String, bool)>
where
    S: Service<Request<Body>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
{
    let named = Named::default();
    let service = ObserveLayer::call().hook(named.clone()).layer(service);
    for _ in 0..calls {
        let request = Request::get("https://api.example.com/").body(Body::default()).unwrap();
        let _ = service.clone().oneshot(request).await;
    }
    std::mem::take(&mut *named.0.lock().unwrap())
}

fn name(name: &str, is_refused: bool) -> (String, bool) {
    (name.to_owned(), is_refused)
}

async fn hanging(_: Request<Body>) -> Result<Response<Body>, BoxError> {
    pending().await
}

async fn answering(_: Request<Body>) -> Result<Response<Body>, BoxError> {
    Ok(Response::new(Body::default()))
}

async fn failing(_: Request<Body>) -> Result<Response<Body>, BoxError> {
    Err("no".into())
}

#[tokio::test(start_paused = true)]
async fn time_outs() {
    let attempt = AttemptTimeoutLayer::new(SECOND).layer(service_fn(hanging));
    assert_eq!(named(attempt.clone(), 1).await, [name("attempt_timeout", false)]);
    let retried = RetryLayer::new().layer(attempt);
    assert_eq!(named(retried, 1).await, [name("attempt_timeout", false)], "inside of what retry says");
    let call = DeadlineLayer::new(SECOND).layer(service_fn(hanging));
    assert_eq!(named(call, 1).await, [name("deadline_exceeded", false)]);
    let at_once = DeadlineLayer::new(Duration::ZERO).layer(service_fn(hanging));
    assert_eq!(named(at_once, 1).await, [name("deadline_exceeded", true)]);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit() {
    let settings = Settings::new().trip(Trip::consecutive(std::num::NonZeroU32::MIN));
    let service = CircuitBreakerLayer::with_settings(settings).layer(service_fn(failing));
    assert_eq!(named(service, 2).await, [name("_OTHER", false), name("circuit_open", true)]);
}

#[tokio::test(start_paused = true)]
async fn limits() {
    let quota = Quota::new(1, SECOND).unwrap();
    let limit = RateLimitLayer::new(quota).max_wait(Duration::ZERO).layer(service_fn(answering));
    assert_eq!(named(limit, 2).await, [name("", false), name("rate_limited", true)]);
    let bulkhead = BulkheadLayer::new(NonZeroUsize::MIN).queue(0).layer(service_fn(hanging));
    let request = Request::get("https://api.example.com/").body(Body::default()).unwrap();
    let first = tokio::spawn(bulkhead.clone().oneshot(request));
    tokio::task::yield_now().await;
    assert_eq!(named(bulkhead, 1).await, [name("bulkhead_full", true)]);
    first.abort();
}

fn with_auth(
    origin: &str,
    authorizer: impl Authorizer,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone {
    let layer = AuthLayer::new(Origins::new([origin]).unwrap(), authorizer).refuse_elsewhere();
    layer.layer(service_fn(answering))
}

#[tokio::test(start_paused = true)]
async fn credentials() {
    let none = |_: Option<Secret>| async { Err::<Token, _>(TokenError::permanent("no")) };
    let service = with_auth("https://api.example.com", Refreshing::new(none));
    assert_eq!(named(service, 1).await, [name("no_credential", true)]);
    let elsewhere = with_auth("https://other.example.com", Basic::new("me", "pw").unwrap());
    assert_eq!(named(elsewhere, 1).await, [name("other_origin", true)]);
}
