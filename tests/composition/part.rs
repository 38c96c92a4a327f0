//! The layers, one after the other in a list, with their types erased.

use std::num::NonZeroUsize;
use std::time::Duration;

use bartizan_auth::{ApiKey, AuthLayer, IdentityLayer, Origins, Refreshing, Token, TokenError};
use bartizan_cache::CacheLayer;
use bartizan_circuit_breaker::{CircuitBreakerLayer, GateLayer};
use bartizan_client::intercept::InterceptLayer;
use bartizan_client::log::LogLayer;
use bartizan_client::{BaseUrl, BaseUrlLayer, DefaultHeadersLayer};
use bartizan_core::{BoxError, Chance, Header, Refuse};
use bartizan_rate_limit::bulkhead::BulkheadLayer;
use bartizan_rate_limit::{Quota, RateLimitLayer};
use bartizan_retry::{Backoff, Budget, IdempotencyKeyLayer, Jitter, RetryLayer};
use bartizan_timeout::{AttemptTimeoutLayer, BodyTimeoutLayer, DeadlineLayer};
use bytes::Bytes;
use http::{HeaderName, Request, Response};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use tower::util::BoxCloneService;
use tower::{Layer, Service, ServiceExt};

use crate::origin::MS;

pub const BASE: &str = "https://api.example.com";

pub const DEADLINE: u64 = 30_000;
pub const ATTEMPT: u64 = 2_000;
pub const IDLE: u64 = 5_000;
pub const BACKOFF: u64 = 50;
pub const FETCH: u64 = 7;
pub const RESERVE: u16 = 5;
pub const TOKENS: u32 = 50;

pub type AnyBody = UnsyncBoxBody<Bytes, BoxError>;
pub type AnyService = BoxCloneService<Request<Full<Bytes>>, Response<AnyBody>, BoxError>;

/// Which layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    BaseUrl,
    DefaultHeaders,
    Interceptor,
    Log,
    IdempotencyKey,
    Identity,
    Deadline,
    Cache,
    Retry,
    Refreshing,
    ApiKey,
    Gate,
    RateLimit,
    Feedback,
    Bulkhead,
    Breaker,
    AttemptTimeout,
    BodyTimeout,
}

pub const KINDS: [Kind; 18] = [
    Kind::BaseUrl,
    Kind::DefaultHeaders,
    Kind::Interceptor,
    Kind::Log,
    Kind::IdempotencyKey,
    Kind::Identity,
    Kind::Deadline,
    Kind::Cache,
    Kind::Retry,
    Kind::Refreshing,
    Kind::ApiKey,
    Kind::Gate,
    Kind::RateLimit,
    Kind::Feedback,
    Kind::Bulkhead,
    Kind::Breaker,
    Kind::AttemptTimeout,
    Kind::BodyTimeout,
];

/// A layer with its state.
#[derive(Clone)]
pub enum Part {
    BaseUrl(BaseUrlLayer),
    DefaultHeaders(DefaultHeadersLayer),
    Interceptor,
    Log(LogLayer),
    IdempotencyKey(IdempotencyKeyLayer),
    Identity(IdentityLayer<Refreshing>),
    IdentityOfKey(IdentityLayer<ApiKey>),
    Deadline(DeadlineLayer),
    Cache(CacheLayer),
    Retry(RetryLayer),
    Refreshing(AuthLayer<Refreshing>),
    ApiKey(AuthLayer<ApiKey>),
    Gate(GateLayer<Refuse, ()>),
    RateLimit(RateLimitLayer),
    Bulkhead(BulkheadLayer),
    Breaker(CircuitBreakerLayer),
    AttemptTimeout(AttemptTimeoutLayer),
    BodyTimeout(BodyTimeoutLayer),
}

pub fn base_url() -> BaseUrlLayer {
    BaseUrlLayer::new(BaseUrl::new(BASE).expect("a URL"))
}

pub fn default_headers() -> DefaultHeadersLayer {
    let accept = Header::new("accept", "text/plain").expect("a field");
    DefaultHeadersLayer::new().if_absent(accept)
}

pub fn deadline() -> DeadlineLayer {
    DeadlineLayer::new(DEADLINE as u32 * MS)
}

pub fn retry() -> RetryLayer {
    let backoff = Backoff::exponential(BACKOFF as u32 * MS, BACKOFF as u32 * MS).expect("it does not fall");
    RetryLayer::new()
        .chance(Chance::from_seed(7))
        .backoff(backoff.jitter(Jitter::None))
        .budget(Budget::new().ratio(0.01).expect("a ratio").reserve(RESERVE))
}

pub fn refreshing() -> AuthLayer<Refreshing> {
    let fetched = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let tokens = Refreshing::new(move |_| {
        let number = fetched.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        async move {
            tokio::time::sleep(FETCH as u32 * MS).await;
            Token::new(format!("token-{number}")).map_err(TokenError::permanent)
        }
    });
    AuthLayer::new(Origins::new([BASE]).expect("an origin"), tokens)
}

pub fn api_key() -> AuthLayer<ApiKey> {
    AuthLayer::new(Origins::new([BASE]).expect("an origin"), ApiKey::new("s3cr3t").expect("a key"))
}

/// None of its tokens comes back within a test.
pub fn rate_limit() -> RateLimitLayer {
    RateLimitLayer::new(Quota::new(TOKENS, Duration::from_secs(90 * 86_400)).expect("a quota"))
}

pub fn bulkhead() -> BulkheadLayer {
    BulkheadLayer::new(NonZeroUsize::MIN).queue(0)
}

pub fn attempt_timeout() -> AttemptTimeoutLayer {
    AttemptTimeoutLayer::new(ATTEMPT as u32 * MS)
}

pub fn body_timeout() -> BodyTimeoutLayer {
    BodyTimeoutLayer::new(IDLE as u32 * MS)
}

/// Of these kinds, outermost first. The halves of auth and breaker belong together where both are there.
pub fn parts(kinds: &[Kind]) -> Vec<Part> {
    let (tokens, key, breaker) = (refreshing(), api_key(), CircuitBreakerLayer::new());
    let (mut tokens_given, mut keys_given, mut breakers_given) = (0, 0, 0);
    let first = |count: &mut u32| {
        *count += 1;
        *count == 1
    };
    kinds
        .iter()
        .map(|kind| match kind {
            Kind::BaseUrl => Part::BaseUrl(base_url()),
            Kind::DefaultHeaders => Part::DefaultHeaders(default_headers()),
            Kind::Interceptor => Part::Interceptor,
            Kind::Log => Part::Log(LogLayer::call()),
            Kind::IdempotencyKey => Part::IdempotencyKey(IdempotencyKeyLayer::new()),
            Kind::Identity if kinds.contains(&Kind::ApiKey) => Part::IdentityOfKey(key.identity_layer()),
            Kind::Identity => Part::Identity(tokens.identity_layer()),
            Kind::Deadline => Part::Deadline(deadline()),
            // What it notes of changes grows with its memory.
            Kind::Cache => Part::Cache(CacheLayer::rfc9111().max_bytes(256 * 1024)),
            Kind::Retry => Part::Retry(retry()),
            Kind::Refreshing => {
                Part::Refreshing(if first(&mut tokens_given) { tokens.clone() } else { refreshing() })
            }
            Kind::ApiKey => Part::ApiKey(if first(&mut keys_given) { key.clone() } else { api_key() }),
            Kind::Gate => Part::Gate(breaker.gate()),
            Kind::RateLimit => Part::RateLimit(rate_limit()),
            Kind::Feedback => Part::RateLimit(RateLimitLayer::without_quota()),
            Kind::Bulkhead => Part::Bulkhead(bulkhead()),
            Kind::Breaker => Part::Breaker(if first(&mut breakers_given) {
                breaker.clone()
            } else {
                CircuitBreakerLayer::new()
            }),
            Kind::AttemptTimeout => Part::AttemptTimeout(attempt_timeout()),
            Kind::BodyTimeout => Part::BodyTimeout(body_timeout()),
        })
        .collect()
}

pub fn erased<S, R>(service: S) -> AnyService
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>, Error: Into<BoxError>, Future: Send>,
    S: Clone + Send + 'static,
    R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    BoxCloneService::new(
        service
            .map_response(|response: Response<R>| {
                response.map(|body| body.map_err(Into::into).boxed_unsync())
            })
            .map_err(Into::into),
    )
}

impl Part {
    pub fn around(&self, inner: AnyService) -> AnyService {
        match self {
            Self::BaseUrl(layer) => erased(layer.layer(inner)),
            Self::DefaultHeaders(layer) => erased(layer.layer(inner)),
            Self::Interceptor => {
                let touch = HeaderName::from_static("x-touched");
                let layer = InterceptLayer::new()
                    .on_request(move |mut request: Request<Full<Bytes>>| {
                        request.headers_mut().insert(touch.clone(), http::HeaderValue::from_static("yes"));
                        std::future::ready(Ok::<_, BoxError>(request))
                    })
                    .on_response(|response: Response<AnyBody>| {
                        std::future::ready(Ok::<_, BoxError>(response))
                    });
                erased(layer.layer(inner))
            }
            Self::Log(layer) => erased(layer.layer(inner)),
            Self::IdempotencyKey(layer) => erased(layer.layer(inner)),
            Self::Identity(layer) => erased(layer.layer(inner)),
            Self::IdentityOfKey(layer) => erased(layer.layer(inner)),
            Self::Deadline(layer) => erased(layer.layer(inner)),
            Self::Cache(layer) => erased(layer.layer(inner)),
            Self::Retry(layer) => erased(layer.layer(inner)),
            Self::Refreshing(layer) => erased(layer.layer(inner)),
            Self::ApiKey(layer) => erased(layer.layer(inner)),
            Self::Gate(layer) => erased(layer.layer(inner)),
            Self::RateLimit(layer) => erased(layer.layer(inner)),
            Self::Bulkhead(layer) => erased(layer.layer(inner)),
            Self::Breaker(layer) => erased(layer.layer(inner)),
            Self::AttemptTimeout(layer) => erased(layer.layer(inner)),
            Self::BodyTimeout(layer) => erased(layer.layer(inner)),
        }
    }

    /// A permit that is taken, or somebody who waits, though no call is under way.
    pub fn complaint(&self) -> Option<String> {
        match self {
            Self::Bulkhead(layer) => {
                let held = layer.bulkheads().iter().map(|it| it.taken() + it.waiting()).sum::<usize>();
                (held > 0).then(|| format!("{held} permits of the bulkhead are taken"))
            }
            Self::RateLimit(layer) => {
                let waiting = layer.limiters().iter().map(|limiter| limiter.waiting()).sum::<usize>();
                (waiting > 0).then(|| format!("{waiting} wait in the rate limit's line"))
            }
            _ => None,
        }
    }

    /// Calls and failures in the window.
    pub fn votes(&self) -> Option<(u32, u32)> {
        let Self::Breaker(layer) = self else { return None };
        let circuits = layer.circuits();
        Some(circuits.first().map_or((0, 0), |circuit| {
            let snapshot = circuit.snapshot();
            (snapshot.calls, snapshot.failures)
        }))
    }

    /// Tokens that are spent, where there is a quota.
    pub fn spent(&self) -> Option<u32> {
        let Self::RateLimit(layer) = self else { return None };
        layer.key()?;
        Some(layer.limiters().first().map_or(0, |limiter| TOKENS - limiter.tokens()))
    }
}
