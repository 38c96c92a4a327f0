//! Five ways to call the server. Each is a service that answers with a status once the body is complete.

use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use bartizan::Stack;
use bartizan_cache::{CacheBody, CacheLayer};
use bartizan_circuit_breaker::{CircuitBreakerLayer, CountedBody, Settings, Trip};
use bartizan_core::{BoxError, ByStatus, Chance, Refuse, WallClock};
use bartizan_rate_limit::{Quota, RateLimitLayer};
use bartizan_retry::{Backoff, Budget, RetryLayer, Standard};
use bartizan_timeout::{AttemptTimeoutLayer, BodyTimeoutLayer, DeadlineBody, DeadlineLayer, TimeoutBody};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, connect::Connect};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout};
use tower::layer::util::Identity;
use tower::{Layer, Service, ServiceExt};

use crate::counts::Counts;
use crate::scenario::WORKERS;

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

/// The whole stack.
pub(crate) fn stack<S>(http: S, seed: u64, counts: &Counts) -> impl Calls<WholeBody>
where
    S: Service<Request<Body>, Response = Response<Incoming>, Error: Into<BoxError>> + Clone + Send + 'static,
    S::Future: Send,
{
    all_layers(seed, counts).build().expect(IN_ORDER).layer(http)
}

/// The whole stack with a cache, as a browser has one.
pub(crate) fn cached<S>(http: S, seed: u64, counts: &Counts) -> impl Calls<CachedBody>
where
    S: Service<Request<Body>, Response = Response<Incoming>, Error: Into<BoxError>> + Clone + Send + 'static,
    S::Future: Send,
{
    // The server tells no date, so any will do that goes with the time of the run, which may be virtual.
    let begun = Instant::now();
    let clock = WallClock::from_fn(move || SystemTime::UNIX_EPOCH + begun.elapsed());
    let cache = CacheLayer::rfc9111().wall_clock(clock).hook(counts.clone());
    all_layers(seed, counts).cache(cache).build().expect(IN_ORDER).layer(http)
}

/// Deadline, retry and attempt timeout alone.
pub(crate) fn retry<S>(http: S, seed: u64, counts: &Counts) -> impl Calls<DeadlineBody<Incoming, Counts>>
where
    S: Service<Request<Body>, Response = Response<Incoming>, Error: Into<BoxError>> + Clone + Send + 'static,
    S::Future: Send,
{
    let (deadline, retry, attempt_timeout) = clocks_and_retry(seed, counts);
    Stack::empty()
        .deadline(deadline)
        .retry(retry)
        .attempt_timeout(attempt_timeout)
        .build()
        .expect(IN_ORDER)
        .layer(http)
}

const IN_ORDER: &str = "an attempt is shorter than the call, and nothing stands twice";

/// All that `Stack::standard()` has.
type AllLayers = Stack<
    Identity,
    DeadlineLayer<Refuse, Counts>,
    Identity,
    RetryLayer<Standard, Counts>,
    Identity,
    RateLimitLayer<Refuse, Counts>,
    CircuitBreakerLayer<ByStatus, Refuse, Counts>,
    Identity,
    AttemptTimeoutLayer<Refuse, Counts>,
    BodyTimeoutLayer,
>;

type WholeBody = DeadlineBody<CountedBody<TimeoutBody<Incoming>, Counts>, Counts>;
type CachedBody = DeadlineBody<CacheBody<CountedBody<TimeoutBody<Incoming>, Counts>>, Counts>;

fn all_layers(seed: u64, counts: &Counts) -> AllLayers {
    let (deadline, retry, attempt_timeout) = clocks_and_retry(seed, counts);
    let breaker = CircuitBreakerLayer::with_settings(brief_outages(seed));
    Stack::standard()
        .deadline(deadline)
        .retry(retry)
        .limit(RateLimitLayer::new(documented_quota()).hook(counts.clone()))
        .breaker(breaker.on_transition(counts.clone()))
        .attempt_timeout(attempt_timeout)
}

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

/// What the server's documentation would say: as much a second as all its workers can do, and as many at once as there are workers.
///
/// Without it the limit goes by the server's word alone, and that is not enough here. When the line is full a 503 with `Retry-After: 1` makes all
/// callers pause, and at the end of the pause those who waited come within a tenth of a second: a hundred requests, which fill the line again.
fn documented_quota() -> Quota {
    const A_SECOND: u32 = 160;
    let quota = Quota::per_second(A_SECOND).and_then(|quota| quota.burst(WORKERS as u32));
    quota.expect("160 a second, and 16 at once")
}

type ClocksAndRetry =
    (DeadlineLayer<Refuse, Counts>, RetryLayer<Standard, Counts>, AttemptTimeoutLayer<Refuse, Counts>);

/// What all three have. The three attempts are retry's default, and as many as the naive client's.
fn clocks_and_retry(seed: u64, counts: &Counts) -> ClocksAndRetry {
    let backoff = Backoff::exponential(Duration::from_millis(200), Duration::from_secs(1));
    // This server throttles and drops far more than it is overloaded, and most of its failures cost it nothing. By default it
    // would be a fifth: safe without such knowledge, and here some six points of goodput less.
    let budget = Budget::new().ratio(0.5);
    let retry = RetryLayer::new()
        .backoff(backoff.expect("200 ms are more than nothing and less than a second"))
        .budget(budget.expect("a half lies between 0.01 and 1"))
        .chance(Chance::from_seed(seed))
        .hook(counts.clone());
    (
        DeadlineLayer::new(WHOLE_CALL).hook(counts.clone()),
        retry,
        AttemptTimeoutLayer::new(ATTEMPT).hook(counts.clone()),
    )
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
