//! Retry where nothing has to be sent again, and the body that is kept for it.

use bartizan_retry::{Budget, ReplayLayer, RetryLayer};
use http::Method;
use tower_layer::Layer;

use super::peers::{again, again_with_budget, resilience_retry, resilience_retry_with_budget};
use crate::drive::{calls, get, post, request};
use crate::upstream::{OneFrame, Reader, ReadyAtOnce};
use crate::{Group, Row};

const FRAME: OneFrame = OneFrame::new(b"one frame of a streamed body");

/// See the titles.
pub const GROUPS: &[Group] = &[
    Group {
        title: "Retry, a GET that succeeds: two header fields, a `Full` body",
        note: "All keep a copy of the request and decide by method and status alike. Ours keeps a budget for each origin, whose \
               deposits expire: it reads the clock, as `TpsBudget` does (behind a mutex), and looks the origin up. The token \
               bucket of tower-resilience is one for all origins.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, ready at once", |n| calls(ReadyAtOnce::default(), &get(), n)),
            Row::new("`RetryLayer`", |n| calls(RetryLayer::new().layer(ReadyAtOnce::default()), &get(), n)),
            Row::new("the same with `Budget::none()`", |n| {
                let layer = RetryLayer::new().budget(Budget::none());
                calls(layer.layer(ReadyAtOnce::default()), &get(), n);
            }),
            Row::new("tower `RetryLayer`, a hand-written policy", |n| {
                calls(tower::retry::RetryLayer::new(again()).layer(ReadyAtOnce::default()), &get(), n);
            }),
            Row::new("tower's with `TpsBudget`", |n| {
                let layer = tower::retry::RetryLayer::new(again_with_budget());
                calls(layer.layer(ReadyAtOnce::default()), &get(), n);
            }),
            Row::new("tower-resilience `RetryLayer`", |n| {
                calls(resilience_retry().layer(ReadyAtOnce::default()), &get(), n);
            }),
            Row::new("tower-resilience's with its token bucket", |n| {
                calls(resilience_retry_with_budget().layer(ReadyAtOnce::default()), &get(), n);
            }),
        ],
    },
    Group {
        title: "Retry, a POST without `Idempotency-Key` that succeeds",
        note: "It may not be sent twice. Without the feature `hyper`, by which ours could tell that it was not processed, no copy \
               is kept; with it such a POST costs what a GET does. tower-resilience clones every request, even for one attempt.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, ready at once", |n| calls(ReadyAtOnce::default(), &post(), n)),
            Row::new("`RetryLayer`", |n| calls(RetryLayer::new().layer(ReadyAtOnce::default()), &post(), n)),
            Row::new("tower `RetryLayer`, whose policy declines", |n| {
                calls(tower::retry::RetryLayer::new(again()).layer(ReadyAtOnce::default()), &post(), n);
            }),
            Row::new("tower-resilience `RetryLayer`, one attempt", |n| {
                calls(resilience_retry().layer(ReadyAtOnce::default()), &post(), n);
            }),
        ],
    },
    Group {
        title: "Retry turned off",
        note: "`tower` has no such value, but an optional layer; tower-resilience has neither.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, ready at once", |n| calls(ReadyAtOnce::default(), &get(), n)),
            Row::new("`RetryLayer::disabled()`", |n| {
                calls(RetryLayer::disabled().layer(ReadyAtOnce::default()), &get(), n);
            }),
            Row::new("tower `option_layer(None)`", |n| {
                let off =
                    Some(tower::retry::RetryLayer::new(again())).filter(|_| std::hint::black_box(false));
                calls(tower::util::option_layer(off).layer(ReadyAtOnce::default()), &get(), n);
            }),
        ],
    },
    Group {
        title: "A streamed body of one frame that is kept for a replay",
        note: "No peer has it: with `tower` one collects the body before the call, and the upstream waits for all of it.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, reads the body", |n| {
                calls(Reader::default(), &request(Method::PUT, FRAME), n);
            }),
            Row::new("`ReplayLayer`", |n| {
                calls(ReplayLayer::default().layer(Reader::default()), &request(Method::PUT, FRAME), n);
            }),
            Row::new("`ReplayLayer`, `RetryLayer`", |n| {
                let retry = RetryLayer::new().layer(Reader::default());
                calls(ReplayLayer::default().layer(retry), &request(Method::PUT, FRAME), n);
            }),
        ],
    },
];
