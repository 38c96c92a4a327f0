//! Retry that has to send again, under paused time.

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fmt, io};

use bartizan_core::Chance;
use bartizan_retry::{Backoff, Budget, RetryLayer};
use http::{Request, Response, StatusCode};
use tokio::time::sleep;
use tower_layer::Layer;
use tower_service::Service;

use crate::drive::get;
use crate::rows::peers::{Body, again_after, resilience_builder};
use crate::upstream::{self, Answer};
use crate::{Group, Row};

/// The finest that tokio's timer knows: each wait is one of its ticks.
const WAIT: Duration = Duration::from_millis(1);

/// See the title.
pub const GROUPS: &[Group] = &[Group {
    title: "Retry once: 503, a wait of one millisecond, 200",
    note: "For information. Under tokio's paused clock, on a current-thread runtime, in the build with the test clock and the \
           counting allocator, so its figures do not compare with the others. The bare service is called twice by a \
           hand-written loop with a clone and the same wait. Ours draws its wait from `[0, 1 ms)`.",
    paused: true,
    at_most: None,
    rows: &[
        Row::new("bare service, called twice by hand", |n| paused(by_hand(n))),
        Row::new("`RetryLayer`", |n| {
            let backoff = Backoff::exponential(WAIT, WAIT).expect("base and cap are the same");
            let chance = Chance::from_seed(1);
            let layer = RetryLayer::new().backoff(backoff).chance(chance).budget(Budget::none());
            paused(through(layer.layer(FailsEveryOther::default()), n));
        }),
        Row::new("tower `RetryLayer`, a hand-written policy that sleeps", |n| {
            let policy = again_after(|| sleep(WAIT));
            paused(through(tower::retry::RetryLayer::new(policy).layer(FailsEveryOther::default()), n));
        }),
        Row::new("tower-resilience `RetryLayer`, fixed backoff", |n| {
            let layer = resilience_builder().fixed_backoff(WAIT).build();
            paused(through(layer.layer(FailsEveryOther::default()), n));
        }),
    ],
}];

fn paused(calls: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime needs no more than memory").block_on(calls);
}

async fn through<S>(mut service: S, calls: u64)
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Error: fmt::Debug,
{
    let request = get();
    for _ in 0..calls {
        poll_fn(|cx| service.poll_ready(cx)).await.expect("the upstream is always ready");
        let answer = service.call(black_box(request.clone())).await.expect("the upstream answers");
        assert_eq!(answer.status(), StatusCode::OK, "the second attempt is answered with 200");
    }
}

async fn by_hand(calls: u64) {
    let (mut service, request) = (FailsEveryOther::default(), get());
    for _ in 0..calls {
        let first = black_box(request.clone());
        let second = first.clone();
        let answer = service.call(first).await.expect("the upstream answers");
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "the first attempt fails");
        sleep(WAIT).await;
        let answer = service.call(second).await.expect("the upstream answers");
        assert_eq!(answer.status(), StatusCode::OK, "the second attempt is answered with 200");
    }
}

/// Answers 503 and 200 in turn, in the first poll.
#[derive(Clone, Default)]
struct FailsEveryOther {
    called: Arc<AtomicU64>,
}

impl Service<Request<Body>> for FailsEveryOther {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = std::future::Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let is_first = self.called.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        let status = if is_first { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        std::future::ready(upstream::answer(status))
    }
}
