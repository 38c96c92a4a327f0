//! Circuit breakers whose circuit is closed, as it nearly always is.

use std::hint::black_box;
use std::time::Duration;

use bartizan_circuit_breaker::{CircuitBreaker, CircuitBreakerLayer, Settings};
use bartizan_core::Outcome;
use failsafe::CircuitBreaker as _;
use failsafe::backoff::{self, Constant};
use failsafe::failure_policy::{self, SuccessRateOverTimeWindow};
use recloser::Recloser;
use tower_layer::Layer;
use tower_resilience_circuitbreaker::{CircuitBreakerLayer as ResilienceLayer, SlidingWindowType};

use crate::drive::{by_all, by_one, calls, get};
use crate::upstream::ReadyAtOnce;
use crate::{Group, Row};

const WINDOW: Duration = Duration::from_secs(30);
const OPEN: Duration = Duration::from_secs(5);

/// See the titles.
pub const GROUPS: &[Group] = &[
    Group {
        title: "Circuit breaker, closed, a GET that succeeds",
        note: "All open at half of at least ten calls in 30 s. Ours has a circuit for each origin and counts the answer's status and \
               body; the peer's has one circuit, and counts errors unless it is told otherwise.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, ready at once", |n| calls(ReadyAtOnce::default(), &get(), n)),
            Row::new("`CircuitBreakerLayer`", |n| {
                calls(CircuitBreakerLayer::new().layer(ReadyAtOnce::default()), &get(), n);
            }),
            Row::new("tower-resilience `CircuitBreakerLayer`", |n| {
                let layer = ResilienceLayer::builder()
                    .failure_rate_threshold(0.5)
                    .minimum_number_of_calls(10)
                    .sliding_window_type(SlidingWindowType::TimeBased)
                    .sliding_window_duration(WINDOW)
                    .wait_duration_in_open(OPEN)
                    .build();
                calls(layer.expect("a valid configuration").layer(ReadyAtOnce::default()), &get(), n);
            }),
        ],
    },
    Group {
        title: "The engine: leave, and a success, without HTTP",
        note: "failsafe's success rate is an average that fades and not a window. recloser looks back at the last 100 calls and \
               knows no time while it is closed, so it reads no clock.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("nothing", |n| by_one(n, || {})),
            Row::new("`CircuitBreaker`", |n| {
                let breaker = CircuitBreaker::new(Settings::new());
                by_one(n, || succeed(&breaker));
            }),
            Row::new("failsafe", |n| {
                let breaker = failsafe();
                by_one(n, || assert!(breaker.call(|| Ok::<_, ()>(())).is_ok()));
            }),
            Row::new("recloser", |n| {
                let breaker = recloser();
                by_one(n, || assert!(breaker.call(|| Ok::<_, ()>(())).is_ok()));
            }),
        ],
    },
    Group {
        title: "The same a hundred times, half of them from each of two threads at one circuit",
        note: "What the threads wait for is the same words of memory, or a lock. Instructions do not show it; the time does.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("nothing", |n| by_all(n, || {})),
            Row::new("`CircuitBreaker`", |n| {
                let breaker = CircuitBreaker::new(Settings::new());
                by_all(n, || succeed(&breaker));
            }),
            Row::new("failsafe", |n| {
                let breaker = failsafe();
                by_all(n, || assert!(breaker.call(|| Ok::<_, ()>(())).is_ok()));
            }),
            Row::new("recloser", |n| {
                let breaker = recloser();
                by_all(n, || assert!(breaker.call(|| Ok::<_, ()>(())).is_ok()));
            }),
        ],
    },
];

fn succeed(breaker: &CircuitBreaker) {
    breaker.admit().expect("it is closed").end(black_box(Outcome::Success));
}

type Failsafe = failsafe::StateMachine<SuccessRateOverTimeWindow<Constant>, ()>;

fn failsafe() -> Failsafe {
    let policy = failure_policy::success_rate_over_time_window(0.5, 10, WINDOW, backoff::constant(OPEN));
    failsafe::Config::new().failure_policy(policy).build()
}

fn recloser() -> Recloser {
    Recloser::custom().error_rate(0.5).closed_len(100).open_wait(OPEN).build()
}
