//! Ordinary use, over an inner that takes its time and fails now and then.
//!
//! What an inner instance was called with is recorded by the inner; who holds the waker is seen to by the driver. So
//! there is little to do here but to call.

use http::StatusCode;

use crate::contract::{
    Answer, Readiness,
    bench::{Bench, Setup, run},
    drive::Driver,
    rule::{Findings, Violation},
    subject::{Handle, Subject},
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

/// Three handles make two calls each, all at the same time, each in a task of its own as far as wakers go.
async fn side_by_side(bench: &mut Bench<'_>) -> Result<(), Violation> {
    let [mut first, mut second, mut third] = [(); 3].map(|()| bench.handle.clone());
    let ended = tokio::join!(twice(bench, &mut first), twice(bench, &mut second), twice(bench, &mut third));
    ended.0.and(ended.1).and(ended.2)
}

async fn twice(bench: &Bench<'_>, handle: &mut Handle) -> Result<(), Violation> {
    for _ in 0..2 {
        // Whether it ends well is the layer's affair.
        bench.round_trip(handle).await?;
    }
    Ok(())
}
