//! What the layers promise to ask of the heap and of the service inside, exactly. Real time and valgrind are not needed.

use std::cell::Cell;
use std::io;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan::Stack;
use bartizan::observe::ObserveLayer;
use bartizan_benches::drive::{call, get, post, request};
use bartizan_benches::rows::graphql;
use bartizan_benches::rows::webhooks::{PLAIN, STANDARD, layer, pieces, signed, whole};
use bartizan_benches::upstream::{OneFrame, PendingOnce, Reader, ReadyAtOnce};
use bartizan_circuit_breaker::CircuitBreakerLayer;
use bartizan_core::{Delivery, KeyBy, RequestHead};
use bartizan_rate_limit::bulkhead::BulkheadLayer;
use bartizan_rate_limit::{Quota, RateLimitLayer};
use bartizan_retry::{Attempt, Policy, ReplayLayer, Resend, RetryLayer, Verdict};
use bartizan_test::alloc::{self, CountingAllocator};
use bartizan_timeout::{AttemptTimeoutLayer, BodyTimeoutLayer, DeadlineLayer};
use http::{HeaderName, Method, Request};
use http_body_util::Full;
use tower_layer::Layer;
use tower_service::Service;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

/// Of the innermost service; `Rc`, since no layer may ask for `Send`.
#[derive(Default)]
struct Clones(Rc<Cell<u64>>);

struct Counted<S> {
    inner: S,
    clones: Rc<Cell<u64>>,
}

impl Clones {
    fn of<S>(&self, inner: S) -> Counted<S> {
        Counted { inner, clones: self.0.clone() }
    }
}

impl<S: Clone> Clone for Counted<S> {
    fn clone(&self) -> Self {
        self.clones.set(self.clones.get() + 1);
        Self { inner: self.inner.clone(), clones: self.clones.clone() }
    }
}

impl<S: Service<R>, R> Service<R> for Counted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.inner.call(request)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    allocations: u64,
    clones: u64,
}

const NOTHING: Cost = Cost { allocations: 0, clones: 0 };

/// What one call costs through the stack that `build` makes, once a first one has met the origin: the second of four, and the
/// later ones have to cost the same.
fn cost<S, C, B>(inner: S, build: impl FnOnce(Counted<S>) -> C, request: &Request<B>) -> Cost
where
    C: Service<Request<B>>,
    C::Error: std::fmt::Debug,
    B: Clone,
{
    // For the timers, which no runtime turns.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("memory");
    let _entered = runtime.enter();
    let clones = Clones::default();
    let mut service = build(clones.of(inner));
    let costs = [(); 4].map(|()| {
        let (request, before) = (request.clone(), clones.0.get());
        let (answer, counts) = alloc::count(|| call(&mut service, request));
        answer.expect("the upstream answers");
        let allocations = counts.allocations + counts.reallocations;
        Cost { allocations, clones: clones.0.get() - before }
    });
    let [_, second, third, fourth] = costs;
    assert!(second == third && third == fourth, "calls differ: {second:?} {third:?} {fourth:?}");
    second
}

const SECOND: Duration = Duration::from_secs(1);

/// Whether the answer is there at once or has to be waited for, with a timer.
macro_rules! both {
    ($build:expr, $request:expr) => {
        [cost(ReadyAtOnce::default(), $build, $request), cost(PendingOnce::default(), $build, $request)]
    };
}

#[test]
fn the_bare_service_costs_nothing() {
    assert_eq!(both!(|inner| inner, &get()), [NOTHING, NOTHING]);
}

#[test]
fn an_attempt_timeout_costs_neither_heap_nor_clone() {
    let layer = AttemptTimeoutLayer::new(SECOND);
    assert_eq!(both!(|inner| layer.layer(inner), &get()), [NOTHING, NOTHING]);
    assert_eq!(both!(|inner| AttemptTimeoutLayer::disabled().layer(inner), &get()), [NOTHING, NOTHING]);
}

#[test]
fn a_deadline_costs_the_requests_extensions() {
    let layer = DeadlineLayer::new(SECOND);
    let extensions = Cost { allocations: 3, clones: 0 };
    assert_eq!(both!(|inner| layer.layer(inner), &get()), [extensions, extensions]);
    assert_eq!(both!(|inner| DeadlineLayer::disabled().layer(inner), &get()), [NOTHING, NOTHING]);
}

/// A policy under which a request without a key is never sent again.
#[derive(Clone)]
struct OnlyRepeatable;

impl Policy for OnlyRepeatable {
    fn resend(&self, request: &RequestHead<'_>) -> Resend {
        if request.is_repeatable() { Resend::Freely } else { Resend::Never }
    }

    fn judge(&self, attempt: &Attempt<'_>) -> Verdict {
        attempt.standard()
    }
}

#[test]
fn what_may_not_be_sent_again_costs_neither_heap_nor_clone() {
    let layer = RetryLayer::with_policy(OnlyRepeatable);
    assert_eq!(both!(|inner| layer.layer(inner), &post()), [NOTHING, NOTHING]);
}

#[test]
fn a_post_costs_a_copy_only_where_the_transport_can_tell_that_it_was_not_processed() {
    let copy = Cost { allocations: 2, clones: 1 };
    let expected = if Delivery::READS_HYPER { copy } else { NOTHING };
    assert_eq!(both!(|inner| RetryLayer::new().layer(inner), &post()), [expected, expected]);
}

#[test]
fn a_deadline_through_the_body_costs_no_more() {
    let layer = DeadlineLayer::new(SECOND).through_body();
    let extensions = Cost { allocations: 3, clones: 0 };
    assert_eq!(both!(|inner| layer.layer(inner), &get()), [extensions, extensions]);
}

#[test]
fn a_body_timeout_costs_neither_heap_nor_clone() {
    let layer = BodyTimeoutLayer::new(SECOND);
    assert_eq!(both!(|inner| layer.layer(inner), &get()), [NOTHING, NOTHING]);
    assert_eq!(both!(|inner| BodyTimeoutLayer::disabled().layer(inner), &get()), [NOTHING, NOTHING]);
}

#[test]
fn a_retry_that_is_off_costs_neither_heap_nor_clone() {
    assert_eq!(both!(|inner| RetryLayer::disabled().layer(inner), &get()), [NOTHING, NOTHING]);
}

#[test]
fn a_get_costs_the_copy_of_its_header_fields() {
    // The two pieces of a `HeaderMap`. The target, the values and the body are counted references.
    let copy = Cost { allocations: 2, clones: 1 };
    let costs = both!(|inner| RetryLayer::new().layer(inner), &get());
    assert!(costs.iter().all(|cost| *cost == copy), "{costs:?}");
}

#[test]
fn a_get_without_header_fields_costs_no_heap() {
    let request = Request::get("http://api.example.com/").body(get().into_body()).unwrap();
    let costs = both!(|inner| RetryLayer::new().layer(inner), &request);
    assert!(costs.iter().all(|cost| cost.allocations == 0), "{costs:?}");
}

#[test]
fn with_a_deadline_outside_a_get_costs_at_most_five_pieces() {
    let costs = both!(|inner| DeadlineLayer::new(SECOND).layer(RetryLayer::new().layer(inner)), &get());
    assert!(costs.iter().all(|cost| cost.allocations <= 5 && cost.clones <= 1), "{costs:?}");
}

#[test]
fn an_attempt_timeout_inside_adds_nothing_to_them() {
    let (deadline, retry) = (DeadlineLayer::new(SECOND), RetryLayer::new());
    let attempt = AttemptTimeoutLayer::new(SECOND);
    let costs = both!(|inner| deadline.layer(retry.layer(attempt.layer(inner))), &get());
    assert!(costs.iter().all(|cost| cost.allocations <= 5 && cost.clones <= 1), "{costs:?}");
}

#[test]
fn a_kept_stream_costs_its_state_and_its_list_of_frames() {
    let request = request(Method::PUT, OneFrame::new(b"a frame"));
    let alone = cost(Reader::default(), |inner| ReplayLayer::default().layer(inner), &request);
    // Nobody can ask for a copy, so no list is kept.
    assert_eq!(alone, Cost { allocations: 1, clones: 0 });

    let stack = |inner| ReplayLayer::default().layer(RetryLayer::new().layer(inner));
    assert_eq!(cost(Reader::default(), stack, &request), Cost { allocations: 2 + 2, clones: 1 });
}

#[test]
fn a_closed_circuit_costs_neither_heap_nor_clone() {
    let layer = CircuitBreakerLayer::new();
    assert_eq!(both!(|inner| layer.layer(inner), &get()), [NOTHING, NOTHING]);
    assert_eq!(both!(|inner| layer.gate().layer(inner), &get()), [NOTHING, NOTHING]);
    assert_eq!(both!(|inner| CircuitBreakerLayer::disabled().layer(inner), &get()), [NOTHING, NOTHING]);
}

#[test]
fn a_token_that_is_there_costs_neither_heap_nor_clone() {
    let quota = Quota::per_second(1_000_000).expect("a quota");
    for layer in [RateLimitLayer::new(quota), RateLimitLayer::without_quota(), RateLimitLayer::disabled()] {
        assert_eq!(both!(|inner| layer.layer(inner), &get()), [NOTHING, NOTHING]);
    }
    let layer = BulkheadLayer::new(NonZeroUsize::MIN);
    assert_eq!(both!(|inner| layer.layer(inner), &get()), [NOTHING, NOTHING]);
}

#[test]
fn a_key_that_is_known_costs_no_heap_beyond_the_first_either() {
    let quota = Quota::per_second(1_000_000).expect("a quota");
    let mut request = get();
    request.headers_mut().insert("x-tenant", "acme".parse().expect("a value"));
    for by in [KeyBy::origin(), KeyBy::header(HeaderName::from_static("x-tenant")), KeyBy::path_template()] {
        let limit = RateLimitLayer::new(quota).key_by(by.clone());
        let breaker = CircuitBreakerLayer::new().key_by(by);
        let first = Request::get("http://first.example.com/")
            .header("x-tenant", "other")
            .body(Full::<bytes::Bytes>::default());
        let first = first.expect("a request");
        let stack = |inner| {
            let mut stack = limit.layer(breaker.layer(inner));
            call(&mut stack, first).expect("the upstream answers");
            stack
        };
        assert_eq!(cost(ReadyAtOnce::default(), stack, &request), NOTHING);
    }
}

#[test]
fn a_piece_and_a_clone_are_seen() {
    /// Boxes the request and clones the inner in each call.
    struct Wasteful<S>(S);

    impl<S: Service<Request<B>, Error = io::Error> + Clone, B> Service<Request<B>> for Wasteful<S> {
        type Response = S::Response;
        type Error = io::Error;
        type Future = S::Future;

        fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
            self.0.poll_ready(cx)
        }

        fn call(&mut self, request: Request<B>) -> S::Future {
            self.0 = self.0.clone();
            self.0.call(*std::hint::black_box(Box::new(request)))
        }
    }

    assert_eq!(cost(ReadyAtOnce::default(), Wasteful, &get()), Cost { allocations: 1, clones: 1 });
}

#[test]
fn spans_that_nobody_sees_cost_neither_heap_nor_clone() {
    let stack = Stack::standard().build().expect("the preset is sound");
    let spans = Stack::standard().calls(ObserveLayer::call()).attempts(ObserveLayer::attempt());
    let spans = spans.build().expect("the preset is sound");
    let without = both!(|inner| stack.layer(inner), &get());
    assert_eq!(both!(|inner| spans.layer(inner), &get()), without);
}

#[test]
fn a_webhook_is_verified_for_the_head_the_signatures_and_what_the_app_is_told() {
    let costs = [PLAIN, STANDARD].map(|format| {
        let mut first = layer(format).layer(ReadyAtOnce::default());
        // A refusal would be an answer too, and for less.
        assert_eq!(call(&mut first, signed(whole())).expect("it answers").status(), 200);
        let of = |cost: Cost| [cost.allocations, cost.clones];
        [
            of(cost(ReadyAtOnce::default(), |inner| layer(format).layer(inner), &signed(whole()))),
            of(cost(ReadyAtOnce::default(), |inner| layer(format).layer(inner), &signed(pieces()))),
        ]
    });
    assert_eq!(costs, [[[13, 1], [18, 1]], [[15, 1], [20, 1]]]);
}

#[test]
fn a_query_copies_no_data() {
    let document = std::sync::Arc::<str>::from(graphql::DOCUMENT);
    let bytes = |size| {
        let client = graphql::client(size);
        let ask = || graphql::query::<serde::de::IgnoredAny>(&client, document.clone());
        // The first reads the document.
        ask();
        let (_, counts) = alloc::count(ask);
        (counts.allocations, counts.bytes)
    };
    assert_eq!(bytes(4096), bytes(1 << 20));
}
