//! What the peers need to do as ours does out of the box.

use std::future::{self, Future};
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::retry::Policy;
use tower::retry::budget::{Budget, TpsBudget};
use tower_resilience_retry::RetryBudgetBuilder;
use tower_resilience_timelimiter::{FixedTimeout, TimeLimiterLayer};

use super::LIMIT;

pub(crate) type Body = Full<Bytes>;

pub(crate) fn is_failure(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// A policy for `tower::retry` as its docs teach it: a number of attempts, a clone of the request; by the same status
/// codes and methods as ours.
#[derive(Clone)]
pub(crate) struct Again<N, W> {
    left: u32,
    budget: N,
    wait: W,
}

/// Permission for a retry, or none asked.
pub(crate) trait Purse: Clone {
    fn succeeded(&self);
    fn may_retry(&self) -> bool;
}

impl Purse for () {
    fn succeeded(&self) {}
    fn may_retry(&self) -> bool {
        true
    }
}

impl Purse for Arc<TpsBudget> {
    fn succeeded(&self) {
        self.deposit();
    }
    fn may_retry(&self) -> bool {
        self.withdraw()
    }
}

/// Three attempts in all, and no wait between them.
pub(crate) fn again() -> Again<(), fn() -> future::Ready<()>> {
    again_after(|| future::ready(()))
}

pub(crate) fn again_with_budget() -> Again<Arc<TpsBudget>, fn() -> future::Ready<()>> {
    Again { left: 2, budget: Arc::new(TpsBudget::default()), wait: || future::ready(()) }
}

/// Three attempts in all, after waits.
pub(crate) fn again_after<W>(wait: W) -> Again<(), W> {
    Again { left: 2, budget: (), wait }
}

impl<E, N, W, F> Policy<Request<Body>, Response<Body>, E> for Again<N, W>
where
    N: Purse,
    W: Fn() -> F,
    F: Future<Output = ()>,
{
    type Future = F;

    fn retry(&mut self, _: &mut Request<Body>, result: &mut Result<Response<Body>, E>) -> Option<F> {
        if result.as_ref().is_ok_and(|response| !is_failure(response.status())) {
            self.budget.succeeded();
            return None;
        }
        if self.left == 0 || !self.budget.may_retry() {
            return None;
        }
        self.left -= 1;
        Some((self.wait)())
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        request.method().is_idempotent().then(|| request.clone())
    }
}

type ResilienceRetry<E> = tower_resilience_retry::RetryLayer<Request<Body>, Response<Body>, E>;
type ResilienceBuilder<E> = tower_resilience_retry::RetryConfigBuilder<Request<Body>, Response<Body>, E>;

/// Three attempts of idempotent requests, by the same status codes as ours.
pub(crate) fn resilience_builder<E>() -> ResilienceBuilder<E> {
    ResilienceRetry::builder()
        .max_attempts_fn(|request: &Request<Body>| if request.method().is_idempotent() { 3 } else { 1 })
        .retry_on_response(|response: &Response<Body>| is_failure(response.status()))
}

pub(crate) fn resilience_retry<E>() -> ResilienceRetry<E> {
    resilience_builder().build()
}

pub(crate) fn resilience_retry_with_budget() -> ResilienceRetry<io::Error> {
    let budget = RetryBudgetBuilder::new().token_bucket().tokens_per_second(10.0).max_tokens(100).build();
    resilience_builder().budget(budget.expect("a valid budget")).build()
}

pub(crate) fn resilience_limit() -> TimeLimiterLayer<FixedTimeout> {
    TimeLimiterLayer::builder().timeout_duration(LIMIT).build()
}
