//! What a scenario works with: fresh services over a fresh inner, on a runtime of their own.

use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use tokio::time::Instant;
use tower::BoxError;

use super::{
    Answer, Inner, Misuse, Probe, Readiness,
    drive::{Driver, let_tasks_run},
    rule::{Findings, Rule, Violation},
    subject::{Handle, Reached, Reply, Subject},
};

/// One run of one scenario.
pub(super) struct Bench<'a> {
    pub(super) probe: Probe,
    pub(super) handle: Handle,
    request: &'a dyn Fn(usize) -> Request<Full<Bytes>>,
    sent: Cell<usize>,
    permits_count: bool,
}

/// How a run is set up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    /// The situation, in words that fit after "when".
    pub(super) name: &'static str,
    /// `None` for permits without end.
    pub(super) permits: Option<usize>,
    pub(super) readiness: Readiness,
    pub(super) first_answer: Option<Answer>,
    pub(super) answers: Answer,
    pub(super) buffered: bool,
}

impl Setup {
    pub(super) const fn new(name: &'static str) -> Self {
        Self {
            name,
            permits: None,
            readiness: Readiness::Now,
            first_answer: None,
            answers: Answer::Now(StatusCode::OK),
            buffered: false,
        }
    }

    pub(super) const fn permits(self, permits: usize) -> Self {
        Self { permits: Some(permits), ..self }
    }

    pub(super) const fn readiness(self, readiness: Readiness) -> Self {
        Self { readiness, ..self }
    }

    pub(super) const fn first_answer(self, answer: Answer) -> Self {
        Self { first_answer: Some(answer), ..self }
    }

    pub(super) const fn answers(self, answers: Answer) -> Self {
        Self { answers, ..self }
    }

    pub(super) const fn buffered(self) -> Self {
        Self { buffered: true, ..self }
    }
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Status(StatusCode),
    Error,
}

/// An outcome, and the time that it took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timed {
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
}

impl Timed {
    /// Whether a call went as well as `expected`, which was made under better conditions.
    pub(super) fn is_as_good_as(&self, expected: &Self) -> bool {
        self.outcome == expected.outcome && self.took <= expected.took * 2
    }
}

/// Runs `scenario`, adds what went wrong to `findings`, and returns what went right.
pub(super) fn run<T>(
    subject: &Subject<'_>,
    findings: &mut Findings,
    setup: Setup,
    scenario: impl AsyncFnOnce(&mut Bench<'_>) -> Result<T, Violation>,
) -> Option<T> {
    run_as(subject, findings, setup, |rule| rule, scenario)
}

/// The same, where a scenario knows a better name for what happens in it.
pub(super) fn run_as<T>(
    subject: &Subject<'_>,
    findings: &mut Findings,
    setup: Setup,
    rename: impl Fn(Rule) -> Rule,
    scenario: impl AsyncFnOnce(&mut Bench<'_>) -> Result<T, Violation>,
) -> Option<T> {
    // Where idle handles keep permits, all else with few of them would say just that once more.
    let permits_count = !findings.has(Rule::StarvesOthers);
    let permits = setup.permits.filter(|_| permits_count);
    let (inner, probe) = permits.map_or_else(Inner::new, Inner::with_permits);
    probe.script_readiness([], setup.readiness);
    probe.script_answers(setup.first_answer, setup.answers);

    let ended = catch_unwind(AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime of one thread can be built");
        // Unconstrained, since tokio's budget for a task would make its types pending and waking for no reason.
        runtime.block_on(tokio::task::unconstrained(async {
            let make = if setup.buffered { subject.buffered } else { subject.plain };
            let mut bench = Bench {
                probe: probe.clone(),
                handle: make(inner),
                request: subject.request,
                sent: Cell::new(0),
                permits_count,
            };
            scenario(&mut bench).await
        }))
    }));

    let mut say = |rule: Rule, what: &str| {
        findings.add(Violation::new(rename(rule), format!("when {}: {what}", setup.name)));
    };
    for misuse in probe.misuses() {
        match misuse {
            Misuse::Unpolled => {
                say(
                    Rule::CallsUnpolled,
                    "called an inner instance that was not polled since it was made or called",
                );
            }
            Misuse::Pending => say(Rule::CallsPending, "called an inner instance that had just said Pending"),
            Misuse::Failed => say(Rule::CallsFailed, "called an inner instance whose poll_ready had failed"),
        }
    }
    match ended {
        Ok(Ok(value)) => return Some(value),
        Ok(Err(violation)) => say(violation.rule, &violation.detail),
        Err(panic) => say(Rule::Panics, &format!("panicked with `{}`", message(&*panic))),
    }
    None
}

fn message(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else {
        "something that is not text"
    }
}

impl Bench<'_> {
    /// Polls `handle` until it is ready, or has failed.
    pub(super) async fn ready(&self, handle: &mut Handle) -> Result<Result<(), BoxError>, Violation> {
        Driver::new(&self.probe).finish(|cx| handle.poll_ready(cx)).await
    }

    /// Calls `handle`, which must be ready, with the next request.
    pub(super) fn call(&self, handle: &mut Handle) -> Reply {
        let nth = self.sent.get();
        self.sent.set(nth + 1);
        handle.call((self.request)(nth))
    }

    pub(super) async fn finish(&self, mut reply: Reply) -> Result<Result<Reached, BoxError>, Violation> {
        Driver::new(&self.probe).finish(|cx| reply.as_mut().poll(cx)).await
    }

    /// Readiness, call and response; the body is dropped unread.
    pub(super) async fn round_trip(&self, handle: &mut Handle) -> Result<Timed, Violation> {
        let start = Instant::now();
        let result = match self.ready(handle).await? {
            Ok(()) => {
                let reply = self.call(handle);
                self.finish(reply).await?
            }
            Err(error) => Err(error),
        };
        let outcome = result.map_or(Outcome::Error, |reached| Outcome::Status(reached.status));
        Ok(Timed { outcome, took: start.elapsed() })
    }

    /// Lets everything that runs by itself come to its end, and an hour go by.
    pub(super) async fn settle(&self) {
        for _ in 0..8 {
            let_tasks_run().await;
            self.probe.release();
        }
        tokio::time::advance(Duration::from_secs(3_600)).await;
        let_tasks_run().await;
    }

    /// Permits that are held, unless it is known that idle handles hold some.
    pub(super) fn permits_held(&self) -> usize {
        if self.permits_count { self.probe.permits_held() } else { 0 }
    }

    /// What is alive, in words, if anything is.
    pub(super) fn leftovers(&self) -> Option<String> {
        let counts = [
            (self.permits_held(), "permits of the inner"),
            (self.probe.live_futures(), "futures of the inner"),
            (self.probe.live_responses(), "parts of responses"),
        ];
        let held: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        (!held.is_empty()).then(|| held.join(", "))
    }
}
