//! Ordinary use, over an inner that takes its time and fails now and then.
//!
//! What an inner instance was called with is recorded by the inner; who holds the waker is seen to by the driver. So
//! there is little to do here but to call.

use std::task::{Context, Poll};

use http::StatusCode;

use crate::contract::{
    Answer, Readiness,
    bench::{Bench, Setup, run},
    drive::Driver,
    rule::{Findings, Violation},
    subject::{Handle, Reply, Subject},
};

const OK: StatusCode = StatusCode::OK;

const SETUPS: [Setup; 8] = [
    Setup::new("the inner is quick"),
    Setup::new("the inner is slow to be ready").readiness(Readiness::After(1)),
    Setup::new("the inner is woken several times before it is ready").readiness(Readiness::After(3)),
    Setup::new("the inner is slow to answer").answers(Answer::After(2, OK)),
    Setup::new("the inner is slow in all it does")
        .readiness(Readiness::After(2))
        .answers(Answer::After(2, OK)),
    Setup::new("the inner fails its first call").first_answer(Answer::Fails(0)),
    Setup::new("the inner fails its first call and is slow")
        .readiness(Readiness::After(2))
        .first_answer(Answer::Fails(1))
        .answers(Answer::After(1, OK)),
    Setup::new("the inner answers 503 first and is slow to be ready")
        .readiness(Readiness::After(1))
        .first_answer(Answer::Now(StatusCode::SERVICE_UNAVAILABLE)),
];

pub(super) fn run_all(subject: &Subject<'_>, findings: &mut Findings) {
    for setup in SETUPS {
        run(subject, findings, setup, in_turn);
        run(subject, findings, setup.permits(1), in_turn);
        run(subject, findings, setup, side_by_side);
    }
}

/// Three calls of one handle and one of its clone, one after the other, bodies read to their end.
async fn in_turn(bench: &mut Bench<'_>) -> Result<(), Violation> {
    let mut handle = bench.handle.clone();
    for _ in 0..3 {
        read_one(bench, &mut handle).await?;
    }
    read_one(bench, &mut handle.clone()).await
}

async fn read_one(bench: &Bench<'_>, handle: &mut Handle) -> Result<(), Violation> {
    if bench.ready(handle).await?.is_err() {
        return Ok(());
    }
    let reply = bench.call(handle);
    if let Ok(mut reached) = bench.finish(reply).await? {
        Driver::new(&bench.probe).finish(|cx| reached.body.as_mut().poll_end(cx)).await?;
    }
    Ok(())
}

/// Two handles make two calls each, all at the same time and in one task; the last is polled first.
async fn side_by_side(bench: &mut Bench<'_>) -> Result<(), Violation> {
    let mut callers = [Caller::new(bench.handle.clone()), Caller::new(bench.handle.clone())];
    Driver::new(&bench.probe)
        .finish(|cx| {
            let mut polled = Poll::Ready(());
            for caller in &mut callers {
                if caller.poll(bench, cx).is_pending() {
                    polled = Poll::Pending;
                }
            }
            polled
        })
        .await
}

struct Caller {
    handle: Handle,
    still_to_call: usize,
    replies: Vec<Reply>,
}

impl Caller {
    fn new(handle: Handle) -> Self {
        Self { handle, still_to_call: 2, replies: Vec::new() }
    }

    fn poll(&mut self, bench: &Bench<'_>, cx: &mut Context<'_>) -> Poll<()> {
        while self.still_to_call > 0 {
            match self.handle.poll_ready(cx) {
                Poll::Ready(Ok(())) => {
                    self.still_to_call -= 1;
                    self.replies.push(bench.call(&mut self.handle));
                }
                Poll::Ready(Err(_)) => self.still_to_call = 0,
                Poll::Pending => break,
            }
        }
        for nth in (0..self.replies.len()).rev() {
            if self.replies[nth].as_mut().poll(cx).is_ready() {
                drop(self.replies.remove(nth));
            }
        }
        if self.still_to_call == 0 && self.replies.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }
}
