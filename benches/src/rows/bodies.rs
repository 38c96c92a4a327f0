//! Timeouts of a response's body.

use bartizan_timeout::{BodyTimeoutLayer, DeadlineLayer};
use tower_http::timeout::ResponseBodyTimeoutLayer;
use tower_layer::Layer;

use super::{LIMIT, TOTAL};
use crate::drive::{get, reads};
use crate::upstream::Streams;
use crate::{Group, Row};

const TOWER_HTTP: &str = "tower-http `ResponseBodyTimeoutLayer`";

const NOTE: &str = "The peer bounds each frame too, names no host in its error and counts no bytes; it makes its timer anew for each \
    frame, in place, ours is boxed once and moved. The deadline through the body is for the whole of it, no peer has one; three \
    of its allocations are the request's extensions.";

/// See the titles.
pub const GROUPS: &[Group] = &[
    Group {
        title: "Body timeout, eight frames that are there",
        note: NOTE,
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, eight frames", |n| reads(Streams::default(), &get(), n)),
            Row::new("`BodyTimeoutLayer`", |n| {
                reads(BodyTimeoutLayer::new(LIMIT).layer(Streams::default()), &get(), n);
            }),
            Row::new("`DeadlineLayer`, through the body", |n| {
                reads(DeadlineLayer::new(TOTAL).through_body().layer(Streams::default()), &get(), n);
            }),
            Row::new(TOWER_HTTP, |n| {
                reads(ResponseBodyTimeoutLayer::new(LIMIT).layer(Streams::default()), &get(), n);
            }),
        ],
    },
    Group {
        title: "Body timeout, eight frames that are waited for",
        note: NOTE,
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, eight frames with pauses", |n| reads(Streams::with_pauses(), &get(), n)),
            Row::new("`BodyTimeoutLayer`", |n| {
                reads(BodyTimeoutLayer::new(LIMIT).layer(Streams::with_pauses()), &get(), n);
            }),
            Row::new("`DeadlineLayer`, through the body", |n| {
                reads(DeadlineLayer::new(TOTAL).through_body().layer(Streams::with_pauses()), &get(), n);
            }),
            Row::new(TOWER_HTTP, |n| {
                reads(ResponseBodyTimeoutLayer::new(LIMIT).layer(Streams::with_pauses()), &get(), n);
            }),
        ],
    },
];
