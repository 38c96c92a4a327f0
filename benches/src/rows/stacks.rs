//! Several layers.

use bartizan::Stack;
use bartizan::observe::ObserveLayer;
use bartizan_retry::RetryLayer;
use bartizan_timeout::{AttemptTimeoutLayer, DeadlineLayer};
use tower::timeout::TimeoutLayer;
use tower_layer::Layer;

use super::peers::{again, resilience_limit, resilience_retry};
use super::{LIMIT, TOTAL};
use crate::drive::{calls, get};
use crate::upstream::{PendingOnce, ReadyAtOnce};
use crate::{Group, Row};

/// See the titles.
pub const GROUPS: &[Group] = &[
    Group {
        title: "Retry with a deadline outside, a GET that succeeds at the first poll",
        note: "Our retry reads the deadline and keeps it with the request; the peers' do not know of it.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, ready at once", |n| calls(ReadyAtOnce::default(), &get(), n)),
            Row::new("`DeadlineLayer`, `RetryLayer`", |n| {
                let retry = RetryLayer::new().layer(ReadyAtOnce::default());
                calls(DeadlineLayer::new(TOTAL).layer(retry), &get(), n);
            }),
            Row::new("tower `TimeoutLayer`, `RetryLayer`", |n| {
                let retry = tower::retry::RetryLayer::new(again()).layer(ReadyAtOnce::default());
                calls(TimeoutLayer::new(TOTAL).layer(retry), &get(), n);
            }),
            Row::new("tower-resilience `TimeLimiterLayer`, `RetryLayer`", |n| {
                let retry = resilience_retry().layer(ReadyAtOnce::default());
                calls(resilience_limit().layer(retry), &get(), n);
            }),
        ],
    },
    Group {
        title: "Deadline, retry, attempt timeout; a GET that succeeds after it was pending once",
        note: "The stack as it is used.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, pending once", |n| calls(PendingOnce::default(), &get(), n)),
            Row::new("`DeadlineLayer`, `RetryLayer`, `AttemptTimeoutLayer`", |n| {
                let attempt = AttemptTimeoutLayer::new(LIMIT).layer(PendingOnce::default());
                let retry = RetryLayer::new().layer(attempt);
                calls(DeadlineLayer::new(TOTAL).layer(retry), &get(), n);
            }),
            Row::new("tower `TimeoutLayer`, `RetryLayer`, `TimeoutLayer`", |n| {
                let attempt = TimeoutLayer::new(LIMIT).layer(PendingOnce::default());
                let retry = tower::retry::RetryLayer::new(again()).layer(attempt);
                calls(TimeoutLayer::new(TOTAL).layer(retry), &get(), n);
            }),
            Row::new("tower-resilience `TimeLimiterLayer`, `RetryLayer`, `TimeLimiterLayer`", |n| {
                let attempt = resilience_limit().layer(PendingOnce::default());
                let retry = resilience_retry::<_>().layer(attempt);
                calls(resilience_limit().layer(retry), &get(), n);
            }),
        ],
    },
    Group {
        title: "`Stack::standard()` with and without spans, while nobody listens",
        note: "All layers in their order; a GET that succeeds after it was pending once. `tracing` is compiled in, and there is no \
               subscriber. The spans may cost a tenth of the stack at most.",
        paused: false,
        at_most: Some(1.1),
        rows: &[
            Row::new("bare service, pending once", |n| calls(PendingOnce::default(), &get(), n)),
            Row::new("the stack", |n| {
                let stack = Stack::standard().build().expect("the preset is sound");
                calls(stack.layer(PendingOnce::default()), &get(), n);
            }),
            Row::new("the stack with `ObserveLayer::call` and `::attempt`", |n| {
                let stack = Stack::standard().calls(ObserveLayer::call()).attempts(ObserveLayer::attempt());
                let stack = stack.build().expect("the preset is sound");
                calls(stack.layer(PendingOnce::default()), &get(), n);
            }),
        ],
    },
];
