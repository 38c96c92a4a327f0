//! Five ways to call the server. Each is a service that answers with a status once the body is complete.

use std::num::NonZeroU32;
use std::time::Duration;

use bartizan_cache::{CacheBody, CacheLayer};
use bartizan_circuit_breaker::{CircuitBreakerLayer, CountedBody, OnTransition, Settings, Trip};
use bartizan_core::{BoxError, ByStatus, Chance, Refuse};
use bartizan_retry::{Backoff, Budget, RetryLayer};
use bartizan_timeout::{AttemptTimeoutLayer, DeadlineBody, DeadlineLayer};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, connect::Connect};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::counts::Counts;

pub(crate) type Body = Full<Bytes>;

/// How long an attempt may take. Of the healthy server's answers, 99 in 100 come within half of it.
const ATTEMPT: Duration = Duration::from_secs(1);

/// A little less than a caller's patience, so that the caller learns why.
const WHOLE_CALL: Duration = Duration::from_millis(2900);

/// Nothing around hyper's client. It keeps its habit of sending again what a closing connection never took.
pub(crate) fn bare<C: Connect + Clone + Send + Sync + 'static>(connector: C) -> Client<C, Body> {
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector)
}

/// What people write: three attempts of everything, at once, after any error and any 429 or 5xx. An attempt ends with the
/// body, so a torn body is tried again too.
pub(crate) async fn naive<C>(http: Client<C, Body>, request: Request<Body>) -> Result<StatusCode, BoxError>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let mut attempts = 0;
    loop {
        attempts += 1;
        let result = match timeout(ATTEMPT, whole(http.clone(), request.clone())).await {
            Ok(result) => result,
            Err(elapsed) => Err(elapsed.into()),
        };
        let failed = result.as_ref().map_or(true, |status| status.is_server_error() || *status == 429);
        if !failed || attempts == 3 {
            return result;
        }
    }
}

/// The stack.
pub(crate) fn stack<S>(http: S, seed: u64, counts: &Counts) -> impl Calls<StackBody<Counts>>
where
    S: Service<Request<Body>, Response = Response<Incoming>, Error: Into<BoxError>> + Clone + Send + 'static,
    S::Future: Send,
{
    let breaker = CircuitBreakerLayer::with_settings(brief_outages(seed));
    layers(http, seed, counts, breaker.on_transition(counts.clone()))
}

/// The stack with a cache, as a browser has one.
pub(crate) fn cached<S>(http: S, seed: u64, counts: &Counts) -> impl Calls<CachedBody>
where
    S: Service<Request<Body>, Response = Response<Incoming>, Error: Into<BoxError>> + Clone + Send + 'static,
    S::Future: Send,
{
    let breaker = CircuitBreakerLayer::with_settings(brief_outages(seed));
    ServiceBuilder::new()
        .layer(DeadlineLayer::new(WHOLE_CALL).hook(counts.clone()))
        .layer(CacheLayer::rfc9111().hook(counts.clone()))
        .service(tried_again(http, seed, counts, breaker.on_transition(counts.clone())))
}

/// The stack without its circuit breaker.
pub(crate) fn retry<S>(http: S, seed: u64, counts: &Counts) -> impl Calls<StackBody<()>>
where
    S: Service<Request<Body>, Response = Response<Incoming>, Error: Into<BoxError>> + Clone + Send + 'static,
    S::Future: Send,
{
    layers(http, seed, counts, CircuitBreakerLayer::disabled())
}

type StackBody<H> = DeadlineBody<CountedBody<Incoming, H>, Counts>;
type CachedBody = DeadlineBody<CacheBody<CountedBody<Incoming, Counts>>, Counts>;

/// The defaults are made for outages of minutes: they look back 30 s and stay open for 5 s and more. This outage lasts 8 s after
/// 23 s with many successes, so by default the circuit stays closed while the server is down, and for one seed in three opens
/// when it is back already.
///
/// Here a server is down when nothing gets through for a second. Bursts of errors and cold caches are what retries are for, and in
/// both some requests succeed; by a share of failures the circuit would open there too. It stays open for a second at most,
/// however often probes fail: retry waits for up to half as long again, and a call has 2.9 s. All else is the default.
fn brief_outages(seed: u64) -> Settings {
    const TWENTY: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
    let second = Duration::from_secs(1);
    let nothing_gets_through = Trip::consecutive(TWENTY).spread_over(second);
    Settings::new()
        .trip(nothing_gets_through)
        .open_for(second)
        .at_most(second)
        .chance(Chance::from_seed(seed))
}

/// The layers without a cache, outermost first.
fn layers<S, H>(
    http: S,
    seed: u64,
    counts: &Counts,
    breaker: CircuitBreakerLayer<ByStatus, Refuse, H>,
) -> impl Calls<StackBody<H>>
where
    S: Service<Request<Body>, Response = Response<Incoming>, Error: Into<BoxError>> + Clone + Send + 'static,
    S::Future: Send,
    H: OnTransition + Clone + Send + Sync + 'static,
{
    ServiceBuilder::new()
        .layer(DeadlineLayer::new(WHOLE_CALL).hook(counts.clone()))
        .service(tried_again(http, seed, counts, breaker))
}

/// What stands inside the deadline and the cache. The three attempts are retry's default, and as many as the naive client's.
fn tried_again<S, H>(
    http: S,
    seed: u64,
    counts: &Counts,
    breaker: CircuitBreakerLayer<ByStatus, Refuse, H>,
) -> impl Calls<CountedBody<Incoming, H>>
where
    S: Service<Request<Body>, Response = Response<Incoming>, Error: Into<BoxError>> + Clone + Send + 'static,
    S::Future: Send,
    H: OnTransition + Clone + Send + Sync + 'static,
{
    let backoff = Backoff::exponential(Duration::from_millis(200), Duration::from_secs(1));
    // This server throttles and drops far more than it is overloaded, and most of its failures cost it nothing. By default it
    // would be a fifth: safe without such knowledge, and here some six points of goodput less.
    let budget = Budget::new().ratio(0.5);
    ServiceBuilder::new()
        .layer(
            RetryLayer::new()
                .backoff(backoff.expect("200 ms are more than nothing and less than a second"))
                .budget(budget.expect("a half lies between 0.01 and 1"))
                .chance(Chance::from_seed(seed))
                .hook(counts.clone()),
        )
        // Here stands the rate limit, where there is a quota to keep.
        .layer(breaker)
        .layer(AttemptTimeoutLayer::new(ATTEMPT).hook(counts.clone()))
        .service(http)
}

/// What a client must be to be called from many tasks.
pub(crate) trait Calls<R>:
    Service<Request<Body>, Response = Response<R>, Error: Into<BoxError>, Future: Send> + Clone + Send + 'static
{
}

impl<S, R> Calls<R> for S
where
    S: Service<Request<Body>, Response = Response<R>, Error: Into<BoxError>> + Clone + Send + 'static,
    S::Future: Send,
{
}

/// One call, to the end of the answer's body.
pub(crate) async fn whole<R>(client: impl Calls<R>, request: Request<Body>) -> Result<StatusCode, BoxError>
where
    R: http_body::Body<Error: Into<BoxError>>,
{
    let response = client.oneshot(request).await.map_err(Into::into)?;
    let status = response.status();
    response.into_body().collect().await.map_err(Into::into)?;
    Ok(status)
}
