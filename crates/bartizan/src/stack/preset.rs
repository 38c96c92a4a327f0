use std::time::Duration;

use bartizan_cache::CacheLayer;
use bartizan_circuit_breaker::CircuitBreakerLayer;
use bartizan_rate_limit::RateLimitLayer;
use bartizan_retry::{Budget, RetryLayer};
use bartizan_timeout::{AttemptTimeoutLayer, BodyTimeoutLayer, DeadlineLayer};
use tower_layer::Identity;

use super::Stack;

/// A stack with what most clients have.
type Usual<Cache> = Stack<
    Identity,
    DeadlineLayer,
    Cache,
    RetryLayer,
    Identity,
    RateLimitLayer,
    CircuitBreakerLayer,
    Identity,
    AttemptTimeoutLayer,
    BodyTimeoutLayer,
>;

impl Stack {
    /// The defaults of each crate: a deadline of 30 s, 3 attempts within a budget, a rate limit that heeds the origin's 429 and quotas, a circuit breaker, 10 s for an attempt,
    /// 30 s for the next frame of a body. No cache and no auth, which have to know more.
    pub fn standard() -> Usual<Identity> {
        Stack::empty()
            .deadline(DeadlineLayer::default())
            .retry(RetryLayer::new())
            .limit(RateLimitLayer::without_quota().without_pause_on_503())
            .breaker(CircuitBreakerLayer::new())
            .attempt_timeout(AttemptTimeoutLayer::default())
            .body_timeout(BodyTimeoutLayer::default())
    }

    /// What many write by hand, for those who port such code: three retries 1 s, 2 s and 4 s apart without jitter and budget, 60 calls a minute,
    /// answers kept for 5 minutes, 100 of them, and 30 s for an attempt. The whole call has 127 s, since four attempts and their waits have to fit.
    /// Building it warns of the budget that it lacks. Go on to [`standard`](Self::standard) when you can.
    pub fn classic() -> Usual<CacheLayer> {
        Stack::standard()
            .deadline(DeadlineLayer::new(Duration::from_secs(127)))
            .cache(CacheLayer::classic())
            .retry(RetryLayer::classic())
            .limit(RateLimitLayer::classic())
            .attempt_timeout(AttemptTimeoutLayer::new(Duration::from_secs(30)))
    }

    /// For one of many machines that call the same origin: as [`standard`](Self::standard), but before its first success such a client retries
    /// nothing ([`Budget::fleet`]), since a thousand of them that start together have a thousand reserves.
    pub fn fleet() -> Usual<Identity> {
        Stack::standard().retry(RetryLayer::new().budget(Budget::fleet()))
    }
}
