//! What is in order, what is refused, and what is shown. That it holds together is shown in `tests/stack.rs`.

use std::time::Duration;

use bartizan_auth::{ApiKey, AuthLayer, Origins};
use bartizan_cache::CacheLayer;
use bartizan_circuit_breaker::CircuitBreakerLayer;
use bartizan_core::KeyBy;
use bartizan_rate_limit::{Quota, RateLimitLayer};
use bartizan_retry::{Backoff, Budget, Jitter, MaxAttempts, RetryLayer};
use bartizan_timeout::{AttemptTimeoutLayer, BodyTimeoutLayer, DeadlineLayer};
use tower_layer::Identity;

use super::{InvalidStack, Own, Part, Stack};

const SECOND: Duration = Duration::from_secs(1);

fn auth() -> AuthLayer<ApiKey> {
    AuthLayer::new(Origins::new(["https://api.example.com"]).unwrap(), ApiKey::new("s3cr3t").unwrap())
}

fn by_tenant() -> KeyBy {
    KeyBy::header(http::HeaderName::from_static("x-tenant"))
}

/// A stack's refusal.
macro_rules! refused {
    ($stack:expr) => {
        $stack.build().map(drop).unwrap_err().to_string()
    };
}

/// What it warns of.
macro_rules! warnings {
    ($stack:expr) => {
        $stack.build().unwrap().warnings().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
}

#[test]
fn the_order_and_the_attempts_are_shown() {
    let stack = Stack::standard().cache(CacheLayer::rfc9111()).auth(auth()).build().unwrap();
    assert_eq!(
        format!("{stack:?}"),
        "Stack: identity > deadline of 30 s > cache > retry, 3 attempts, a budget by origin > auth > gate > rate limit, \
         without a quota > circuit breaker by origin > attempt timeout of 10 s > body timeout of 30 s\n\
         attempts: 0 s, ~0.05 s, ~0.15 s; at most 30 s"
    );
    let stack = Stack::classic().build().unwrap();
    assert_eq!(
        format!("{stack:?}"),
        "Stack: deadline of 127 s > cache > retry, 4 attempts, no budget > gate > rate limit by origin > circuit breaker \
         by origin > attempt timeout of 30 s > body timeout of 30 s\n\
         attempts: 0 s, ~1 s, ~3 s, ~7 s; at most 127 s\n\
         warning: retry has no budget: an origin that is down gets as many times its load as there are attempts; leave \
         `Budget::new()`"
    );
}

#[test]
fn what_is_left_out_disabled_or_ones_own_is_shown_as_that() {
    let own = Stack::empty()
        .calls(Own(tower::limit::ConcurrencyLimitLayer::new(1)))
        .deadline(DeadlineLayer::disabled());
    assert_eq!(
        format!("{:?}", own.build().unwrap()),
        "Stack: ConcurrencyLimitLayer > deadline, if the call has one"
    );
    assert_eq!(format!("{:?}", Own(Identity::new())), "Identity");
    let disabled = Stack::standard()
        .retry(RetryLayer::disabled())
        .breaker(CircuitBreakerLayer::disabled())
        .limit(RateLimitLayer::new(Quota::new(1, SECOND).unwrap()))
        .deadline(Identity::new())
        .attempt_timeout(AttemptTimeoutLayer::disabled())
        .body_timeout(BodyTimeoutLayer::disabled());
    let disabled = disabled.build().unwrap();
    assert_eq!(
        format!("{disabled:?}"),
        "Stack: retry, disabled > gate > rate limit by origin > circuit breaker, shared or disabled > attempt timeout, \
         disabled > body timeout, disabled\n\
         attempts: 0 s"
    );
    let many = Stack::empty().retry(RetryLayer::new().max_attempts(MaxAttempts::new(u32::MAX).unwrap()));
    let many = format!("{:?}", many.build().unwrap());
    assert!(
        many.starts_with("Stack: retry, more than 16 attempts\nattempts: 0 s, ~0.05 s")
            && many.ends_with(", ..."),
        "{many}"
    );
}

#[test]
fn before_it_is_checked_the_order_is_shown_too() {
    let twice = Stack::empty().retry(RetryLayer::disabled()).attempts(RetryLayer::disabled());
    assert_eq!(format!("{twice:?}"), "Stack: retry, disabled > retry, disabled\nattempts: 0 s");
}

#[test]
fn the_presets_are_sound() {
    assert!(warnings!(Stack::standard()).is_empty());
    assert!(warnings!(Stack::fleet()).is_empty());
    assert_eq!(warnings!(Stack::classic()).len(), 1);
    assert!(Stack::fleet().retry.facts().shown.contains("a budget by origin"));
}

#[test]
fn an_attempt_that_may_take_longer_than_the_call_is_refused() {
    let of = |attempt: u64, total: u64| {
        Stack::empty()
            .deadline(DeadlineLayer::new(SECOND * total as u32))
            .attempt_timeout(AttemptTimeoutLayer::new(SECOND * attempt as u32))
    };
    assert!(of(10, 10).build().is_ok());
    assert_eq!(
        refused!(of(11, 10)),
        "an attempt may take 11 s, and the whole call 10 s: give the call more time, or the attempt less"
    );
    assert!(of(11, 10).deadline(Identity::new()).build().is_ok());
    assert!(of(11, 10).attempt_timeout(AttemptTimeoutLayer::disabled()).build().is_ok());
}

#[test]
fn retry_in_two_places_is_refused() {
    let why =
        "retry stands in two places, so that attempts multiply: leave one out with `.retry(Identity::new())`";
    assert_eq!(refused!(Stack::standard().calls(RetryLayer::new())), why);
    assert_eq!(refused!(Stack::standard().attempts(RetryLayer::new())), why);
    assert!(Stack::standard().retry(Identity::new()).attempts(RetryLayer::new()).build().is_ok());
}

#[test]
fn a_cache_that_does_not_know_whose_a_call_is_is_refused() {
    let why = |refused: String| {
        assert!(refused.starts_with("the cache does not know whose a call is"), "{refused}");
    };
    why(refused!(Stack::standard().cache(CacheLayer::rfc9111()).attempts(auth())));
    why(refused!(Stack::standard().auth(auth()).calls(CacheLayer::rfc9111())));
    assert!(Stack::standard().attempts(auth()).build().is_ok());
    assert!(Stack::standard().calls(CacheLayer::rfc9111()).build().is_ok());
    assert!(Stack::standard().cache(CacheLayer::rfc9111()).auth(auth()).build().is_ok());
}

#[test]
fn a_layer_in_the_place_of_another_is_refused() {
    let misplaced = |refused: String| {
        assert!(refused.ends_with("stands in a place that is not its own; in `Own` it may"), "{refused}");
    };
    misplaced(refused!(Stack::empty().retry(DeadlineLayer::default())));
    misplaced(refused!(Stack::empty().deadline(AttemptTimeoutLayer::default())));
    misplaced(refused!(Stack::empty().cache(auth())));
    misplaced(refused!(Stack::empty().auth(CacheLayer::rfc9111())));
    misplaced(refused!(Stack::empty().limit(CircuitBreakerLayer::new())));
    misplaced(refused!(Stack::empty().breaker(RateLimitLayer::classic())));
    misplaced(refused!(Stack::empty().attempt_timeout(DeadlineLayer::default())));
    let refused: InvalidStack = Stack::empty().retry(DeadlineLayer::default()).build().map(drop).unwrap_err();
    assert!(refused.to_string().starts_with("`deadline of 30 s` stands"));
    assert!(Stack::empty().retry(Own(DeadlineLayer::default())).build().is_ok());
}

#[test]
fn keys_that_speak_of_different_things_are_warned_of() {
    let limit = || RateLimitLayer::classic().key_by(by_tenant());
    assert_eq!(
        warnings!(Stack::standard().limit(limit())),
        [
            "the budget of retry goes by origin and the rate limit by header x-tenant, so they speak of different things: \
             give both the same `key_by`",
            "the rate limit goes by header x-tenant and the circuit breaker by origin, so they speak of different things: \
             give both the same `key_by`",
        ]
    );
    let all = Stack::standard()
        .limit(limit())
        .retry(RetryLayer::new().key_by(by_tenant()))
        .breaker(CircuitBreakerLayer::new().key_by(by_tenant()));
    assert!(warnings!(all).is_empty());
    // What is not kept by a key speaks of nothing else.
    assert!(
        warnings!(Stack::standard().limit(RateLimitLayer::without_quota().key_by(by_tenant()))).is_empty()
    );
    assert!(warnings!(Stack::standard().breaker(CircuitBreakerLayer::disabled())).is_empty());
    assert_eq!(
        warnings!(Stack::standard().breaker(CircuitBreakerLayer::new().key_by(KeyBy::nothing()))).len(),
        1
    );
}

#[test]
fn attempts_that_come_too_late_and_those_without_a_budget_are_warned_of() {
    let wait = |wait| Backoff::exponential(wait, wait).unwrap().jitter(Jitter::None);
    let retry = |seconds| RetryLayer::new().backoff(wait(SECOND * seconds));
    assert!(warnings!(Stack::standard().retry(retry(14))).is_empty());
    assert_eq!(
        warnings!(Stack::standard().retry(retry(15))),
        [
            "attempt 3 may come 30 s after the first, and the call has 30 s: shorten the backoff, or make fewer"
        ]
    );
    assert!(warnings!(Stack::standard().retry(retry(15)).deadline(Identity::new())).is_empty());
    let none = RetryLayer::new().budget(Budget::none());
    assert!(warnings!(Stack::standard().retry(none.clone()))[0].starts_with("retry has no budget"));
    assert!(warnings!(Stack::standard().retry(none.max_attempts(MaxAttempts::new(1).unwrap()))).is_empty());
}
