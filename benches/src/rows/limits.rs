//! Rate limits that have a token, as they mostly do.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_rate_limit::{Quota, RateLimitLayer, RateLimiter};
use bytes::Bytes;
use governor::middleware::NoOpMiddleware;
use http::{HeaderName, Request, Response};
use http_body_util::Full;
use tokio::runtime::Builder;
use tower::limit::RateLimitLayer as TowerLayer;
use tower::{ServiceBuilder, ServiceExt};
use tower_governor::GovernorLayer;
use tower_governor::governor::{GovernorConfig, GovernorConfigBuilder};
use tower_governor::key_extractor::{GlobalKeyExtractor, SmartIpKeyExtractor};
use tower_layer::Layer;
use tower_resilience_ratelimiter::RateLimiterLayer as ResilienceLayer;
use tower_service::Service;

use crate::drive::{by_all, by_one, calls, get};
use crate::{Group, Row};

/// More than any run asks for.
const MANY: u32 = 1_000_000_000;
const SECOND: Duration = Duration::from_secs(1);

/// See the titles.
pub const GROUPS: &[Group] = &[
    Group {
        title: "Rate limit, a token is there, one key",
        note: "Ours has a bucket for each origin and heeds what the server says, which it reads in each answer; tower's and \
               tower-resilience's have one window for all, tower_governor one bucket. tower's is not `Clone` and needs the buffer, whose \
               worker is a task.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, ready at once", |n| calls(Axum, &get(), n)),
            Row::new("`RateLimitLayer`", |n| {
                calls(RateLimitLayer::new(quota()).layer(Axum), &get(), n);
            }),
            Row::new("`RateLimitLayer`, without feedback", |n| {
                let layer = RateLimitLayer::new(quota()).without_feedback();
                calls(layer.layer(Axum), &get(), n);
            }),
            Row::new("tower_governor, one key", |n| {
                let config = config(GovernorConfigBuilder::default().key_extractor(GlobalKeyExtractor));
                calls(GovernorLayer::new(config).layer(Axum), &get(), n);
            }),
            Row::new("tower `RateLimit`, alone", |n| {
                calls(TowerLayer::new(MANY.into(), SECOND).layer(Axum), &get(), n);
            }),
            Row::new("tower `RateLimit` in a `Buffer`", |n| {
                let runtime = Builder::new_current_thread().enable_time().build().expect("memory");
                runtime.block_on(async {
                    let stack = ServiceBuilder::new().buffer(64).layer(TowerLayer::new(MANY.into(), SECOND));
                    let request = get();
                    let mut service = stack.service(Axum);
                    for _ in 0..n {
                        let ready = service.ready().await.expect("its worker is there");
                        black_box(ready.call(black_box(request.clone())).await.expect("it answers"));
                    }
                });
            }),
            Row::new("tower-resilience `RateLimiterLayer`", |n| {
                let layer = ResilienceLayer::builder().limit_for_period(MANY as usize).refresh_period(SECOND);
                calls(layer.build().expect("a valid configuration").layer(Axum), &get(), n);
            }),
        ],
    },
    Group {
        title: "Rate limit, a token is there, one of a hundred keys from a header",
        note: "Both take the address from `X-Forwarded-For`. tower_governor parses it; ours here takes the field as it is, and hashes it twice.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, ready at once", |n| by_key(Axum, n)),
            Row::new("`RateLimitLayer`, by header", |n| {
                let layer = RateLimitLayer::new(quota()).without_feedback();
                let layer = layer.key_by(bartizan_core::KeyBy::header(FORWARDED));
                by_key(layer.layer(Axum), n);
            }),
            Row::new("tower_governor, by address", |n| {
                let config = config(GovernorConfigBuilder::default().key_extractor(SmartIpKeyExtractor));
                by_key(GovernorLayer::new(config).layer(Axum), n);
            }),
        ],
    },
    Group {
        title: "The engine: a token, without HTTP",
        note: "governor's arithmetic is in both. Ours has one word more to look at, tokio's clock, and counts the handles.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("nothing", |n| by_one(n, || {})),
            Row::new("`RateLimiter`", |n| {
                let limiter = RateLimiter::new(quota());
                by_one(n, || drop(black_box(limiter.try_acquire(NonZeroU32::MIN).expect("there are many"))));
            }),
            Row::new("governor", |n| {
                let limiter = governor();
                by_one(n, || limiter.check().expect("there are many"));
            }),
        ],
    },
    Group {
        title: "The same a hundred times, half of them from each of two threads at one bucket",
        note: "What the threads wait for is one word of memory. Instructions do not show it; the time does.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("nothing", |n| by_all(n, || {})),
            Row::new("`RateLimiter`", |n| {
                let limiter = RateLimiter::new(quota());
                by_all(n, || drop(black_box(limiter.try_acquire(NonZeroU32::MIN).expect("there are many"))));
            }),
            Row::new("governor", |n| {
                let limiter = governor();
                by_all(n, || limiter.check().expect("there are many"));
            }),
        ],
    },
];

/// tower_governor knows no other body.
#[derive(Clone, Debug)]
struct Axum;

impl<B> Service<Request<B>> for Axum {
    type Response = Response<axum::body::Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        drop(black_box(request));
        ready(Ok(Response::new(axum::body::Body::empty())))
    }
}

const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

fn quota() -> Quota {
    Quota::per_second(1_000_000).and_then(|quota| quota.burst(MANY)).expect("a quota")
}

fn governor() -> governor::DefaultDirectRateLimiter {
    let many = NonZeroU32::new(MANY).expect("more than nothing");
    governor::RateLimiter::direct(governor::Quota::per_second(many))
}

type Config<K> = GovernorConfig<K, NoOpMiddleware<governor::clock::QuantaInstant>>;

fn config<K>(
    mut builder: GovernorConfigBuilder<K, NoOpMiddleware<governor::clock::QuantaInstant>>,
) -> Arc<Config<K>>
where
    K: tower_governor::key_extractor::KeyExtractor,
{
    Arc::new(builder.per_nanosecond(1_000).burst_size(MANY).finish().expect("a valid configuration"))
}

/// A hundred callers in turn.
fn by_key<S>(mut service: S, n: u64)
where
    S: Service<Request<Full<Bytes>>>,
    S::Error: std::fmt::Debug,
{
    let requests: Vec<_> = (0..100)
        .map(|host| {
            let mut request = get();
            let address = format!("203.0.113.{host}").parse().expect("an address");
            request.headers_mut().insert(FORWARDED, address);
            request
        })
        .collect();
    for request in requests.iter().cycle().take(usize::try_from(n).expect("few")) {
        black_box(crate::drive::call(&mut service, black_box(request.clone())).expect("it answers"));
    }
}
