//! Timeouts.

use bartizan_timeout::{AttemptTimeoutLayer, DeadlineLayer};
use tower::timeout::TimeoutLayer;
use tower_layer::Layer;

use super::peers::resilience_limit;
use super::{LIMIT, TOTAL};
use crate::drive::{calls, get};
use crate::upstream::{PendingOnce, ReadyAtOnce};
use crate::{Group, Row};

const TOWER_TIMEOUT: &str = "tower `TimeoutLayer`";
const RESILIENCE_LIMIT: &str = "tower-resilience `TimeLimiterLayer`";

const NO_TARGET: &str = "The peers' errors name no host and carry no limit; ours copies host and port into the future for \
    that, and looks for a deadline in the request.";
const NO_DEADLINE: &str = "No peer has a deadline that travels with the request: `tower` and tower-resilience only start a \
    timer here, which inner layers cannot see. The allocations are the request's extensions.";

/// See the titles.
pub const GROUPS: &[Group] = &[
    Group {
        title: "Attempt timeout, the answer is there at the first poll",
        note: NO_TARGET,
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, ready at once", |n| calls(ReadyAtOnce::default(), &get(), n)),
            Row::new("`AttemptTimeoutLayer`", |n| {
                calls(AttemptTimeoutLayer::new(LIMIT).layer(ReadyAtOnce::default()), &get(), n);
            }),
            Row::new(TOWER_TIMEOUT, |n| {
                calls(TimeoutLayer::new(LIMIT).layer(ReadyAtOnce::default()), &get(), n);
            }),
            Row::new(RESILIENCE_LIMIT, |n| {
                calls(resilience_limit().layer(ReadyAtOnce::default()), &get(), n);
            }),
        ],
    },
    Group {
        title: "Attempt timeout, the answer is pending once",
        note: "As every call over a socket is: here a timer is registered.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, pending once", |n| calls(PendingOnce::default(), &get(), n)),
            Row::new("`AttemptTimeoutLayer`", |n| {
                calls(AttemptTimeoutLayer::new(LIMIT).layer(PendingOnce::default()), &get(), n);
            }),
            Row::new(TOWER_TIMEOUT, |n| {
                calls(TimeoutLayer::new(LIMIT).layer(PendingOnce::default()), &get(), n);
            }),
            Row::new(RESILIENCE_LIMIT, |n| {
                calls(resilience_limit().layer(PendingOnce::default()), &get(), n);
            }),
        ],
    },
    Group {
        title: "Deadline, the answer is there at the first poll",
        note: NO_DEADLINE,
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, ready at once", |n| calls(ReadyAtOnce::default(), &get(), n)),
            Row::new("`DeadlineLayer`", |n| {
                calls(DeadlineLayer::new(TOTAL).layer(ReadyAtOnce::default()), &get(), n);
            }),
            Row::new(TOWER_TIMEOUT, |n| {
                calls(TimeoutLayer::new(TOTAL).layer(ReadyAtOnce::default()), &get(), n);
            }),
            Row::new(RESILIENCE_LIMIT, |n| {
                calls(resilience_limit().layer(ReadyAtOnce::default()), &get(), n);
            }),
        ],
    },
    Group {
        title: "Deadline, the answer is pending once",
        note: NO_DEADLINE,
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, pending once", |n| calls(PendingOnce::default(), &get(), n)),
            Row::new("`DeadlineLayer`", |n| {
                calls(DeadlineLayer::new(TOTAL).layer(PendingOnce::default()), &get(), n);
            }),
            Row::new(TOWER_TIMEOUT, |n| {
                calls(TimeoutLayer::new(TOTAL).layer(PendingOnce::default()), &get(), n);
            }),
            Row::new(RESILIENCE_LIMIT, |n| {
                calls(resilience_limit().layer(PendingOnce::default()), &get(), n);
            }),
        ],
    },
    Group {
        title: "Deadline and attempt timeout, the answer is pending once",
        note: "The peers: two of their timeouts.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, pending once", |n| calls(PendingOnce::default(), &get(), n)),
            Row::new("`DeadlineLayer`, `AttemptTimeoutLayer`", |n| {
                let attempt = AttemptTimeoutLayer::new(LIMIT).layer(PendingOnce::default());
                calls(DeadlineLayer::new(TOTAL).layer(attempt), &get(), n);
            }),
            Row::new("tower `TimeoutLayer` twice", |n| {
                let attempt = TimeoutLayer::new(LIMIT).layer(PendingOnce::default());
                calls(TimeoutLayer::new(TOTAL).layer(attempt), &get(), n);
            }),
            Row::new("tower-resilience `TimeLimiterLayer` twice", |n| {
                let attempt = resilience_limit().layer(PendingOnce::default());
                calls(resilience_limit().layer(attempt), &get(), n);
            }),
        ],
    },
];
