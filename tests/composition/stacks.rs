//! The whole stack: by hand, and by `Stack`.

use bartizan::{Own, Stack};
use bartizan_auth::{AuthLayer, Authorizer};
use bartizan_cache::CacheLayer;
use bartizan_circuit_breaker::{CircuitBreakerLayer, GateLayer};
use bartizan_client::{BaseUrlLayer, DefaultHeadersLayer};
use bartizan_core::{CallContext, Deadline, Outcome, Refuse};
use bartizan_rate_limit::RateLimitLayer;
use bartizan_rate_limit::bulkhead::BulkheadLayer;
use bartizan_retry::{IdempotencyKeyLayer, RetryLayer};
use bartizan_timeout::{AttemptTimeoutLayer, BodyTimeoutLayer, DeadlineLayer};
use tokio::time::{Instant, sleep};
use tower::{Layer, ServiceBuilder};

use crate::Table;
use crate::cell::{Stacked, called, quiet, request_for, until_over};
use crate::model::End;
use crate::origin::{MS, Origin};
use crate::part::{AnyService, Kind, Part, erased, parts};

/// The place of auth in it.
const AUTH: usize = 7;

/// In the standard order.
fn whole(auth: Kind) -> [Kind; 14] {
    [
        Kind::BaseUrl,
        Kind::DefaultHeaders,
        Kind::IdempotencyKey,
        Kind::Identity,
        Kind::Deadline,
        Kind::Cache,
        Kind::Retry,
        auth,
        Kind::Gate,
        Kind::Feedback,
        Kind::Breaker,
        Kind::Bulkhead,
        Kind::AttemptTimeout,
        Kind::BodyTimeout,
    ]
}

/// The parts of those kinds, but for the halves of auth.
struct Rest<'a> {
    base_url: &'a BaseUrlLayer,
    headers: &'a DefaultHeadersLayer,
    key: &'a IdempotencyKeyLayer,
    deadline: &'a DeadlineLayer,
    cache: &'a CacheLayer,
    retry: &'a RetryLayer,
    gate: &'a GateLayer<Refuse, ()>,
    limit: &'a RateLimitLayer,
    breaker: &'a CircuitBreakerLayer,
    bulkhead: &'a BulkheadLayer,
    attempt: &'a AttemptTimeoutLayer,
    body: &'a BodyTimeoutLayer,
}

impl<'a> Rest<'a> {
    fn of(parts: &'a [Part]) -> Self {
        let [
            Part::BaseUrl(base_url),
            Part::DefaultHeaders(headers),
            Part::IdempotencyKey(key),
            _,
            Part::Deadline(deadline),
            Part::Cache(cache),
            Part::Retry(retry),
            _,
            Part::Gate(gate),
            Part::RateLimit(limit),
            Part::Breaker(breaker),
            Part::Bulkhead(bulkhead),
            Part::AttemptTimeout(attempt),
            Part::BodyTimeout(body),
        ] = parts
        else {
            unreachable!("they are made of those kinds")
        };
        Self { base_url, headers, key, deadline, cache, retry, gate, limit, breaker, bulkhead, attempt, body }
    }

    fn by_hand<A: Authorizer>(self, auth: &AuthLayer<A>, origin: Origin) -> AnyService {
        erased(
            ServiceBuilder::new()
                .layer(self.base_url.clone())
                .layer(self.headers.clone())
                .layer(*self.key)
                .layer(auth.identity_layer())
                .layer(self.deadline.clone())
                .layer(self.cache.clone())
                .layer(self.retry.clone())
                .layer(auth.clone())
                .layer(self.gate.clone())
                .layer(self.limit.clone())
                .layer(self.breaker.clone())
                .layer(self.bulkhead.clone())
                .layer(self.attempt.clone())
                .layer(self.body.clone())
                .service(origin),
        )
    }

    fn by_stack<A: Authorizer>(self, auth: &AuthLayer<A>, origin: Origin) -> AnyService {
        let around = ServiceBuilder::new().layer(self.base_url.clone());
        let stack = Stack::standard()
            .calls(Own(around.layer(self.headers.clone()).layer(*self.key)))
            .deadline(self.deadline.clone())
            .cache(self.cache.clone())
            .retry(self.retry.clone())
            .auth(auth.clone())
            .limit(self.limit.clone())
            .breaker(self.breaker.clone())
            .attempts(Own(self.bulkhead.clone()))
            .attempt_timeout(self.attempt.clone())
            .body_timeout(self.body.clone())
            .build()
            .expect("it can be meant");
        assert!(stack.warnings().is_empty(), "{:?}", stack.warnings());
        erased(stack.layer(origin))
    }
}

fn table(auth: Kind, make: &dyn Fn(&[Part], Origin) -> AnyService) -> Table {
    let kinds = whole(auth);
    let mut table = Table::default();
    table.add_all(&Stacked { kinds: &kinds, parts: &|| parts(&kinds), make });
    table
}

/// What a stack whose circuit is open answers from memory, and refuses.
async fn while_open(make: &dyn Fn(&[Part], Origin) -> AnyService) {
    let parts = parts(&whole(Kind::Refreshing));
    let (origin, watch) = Origin::new();
    let service = make(&parts, origin);
    let ask = async |number| {
        let mut request = request_for(number, true);
        let deadline = Deadline::after(Instant::now().into_std(), 500 * MS).expect("the clock goes so far");
        // Too little to wait until the circuit lets a call through.
        CallContext::edit(request.extensions_mut()).shorten_deadline(deadline);
        called(&mut service.clone(), request).await.0
    };
    assert_eq!(ask(0).await, End::Status(200));

    let breaker = parts.iter().find_map(|part| match part {
        Part::Breaker(layer) => layer.circuits().pop(),
        _ => None,
    });
    let breaker = breaker.expect("there is one by now");
    while let Ok(permit) = breaker.admit() {
        permit.end(Outcome::Failure);
    }
    let votes = breaker.snapshot();
    assert_eq!(ask(0).await, End::Status(200), "a hit needs no origin");
    for _ in 0..3 {
        assert_eq!(ask(1).await, End::Refused);
    }
    assert_eq!(watch.requests(), 1);
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().failures), (votes.calls, votes.failures));
    quiet(&parts, &watch).await.expect("nothing is held");

    sleep(40_000 * MS).await;
    assert_eq!(ask(1).await, End::Status(200));
}

#[test]
fn while_the_circuit_is_open_hits_are_answered_and_all_else_is_refused() {
    for by_stack in [false, true] {
        until_over(while_open(&|parts, origin| match &parts[AUTH] {
            Part::Refreshing(auth) if by_stack => Rest::of(parts).by_stack(auth, origin),
            Part::Refreshing(auth) => Rest::of(parts).by_hand(auth, origin),
            _ => unreachable!("they are made with tokens"),
        }));
    }
}

#[test]
fn the_whole_stack_by_hand_is_as_the_docs_say() {
    let make = |parts: &[Part], origin| match &parts[AUTH] {
        Part::Refreshing(auth) => Rest::of(parts).by_hand(auth, origin),
        Part::ApiKey(auth) => Rest::of(parts).by_hand(auth, origin),
        _ => unreachable!("one of them is there"),
    };
    table(Kind::Refreshing, &make).and(table(Kind::ApiKey, &make)).hold(142, 200);
}

#[test]
fn the_whole_stack_by_stack_is_the_one_by_hand() {
    let make = |parts: &[Part], origin| match &parts[AUTH] {
        Part::Refreshing(auth) => Rest::of(parts).by_stack(auth, origin),
        Part::ApiKey(auth) => Rest::of(parts).by_stack(auth, origin),
        _ => unreachable!("one of them is there"),
    };
    table(Kind::Refreshing, &make).and(table(Kind::ApiKey, &make)).hold(142, 200);
}
