//! A response future that is dropped before its first poll was never a call.

use http::StatusCode;

use super::Baseline;
use crate::contract::{
    Answer, Readiness,
    bench::{Bench, Setup, run},
    drive::let_tasks_run,
    rule::{Findings, Rule, Violation},
    subject::Subject,
};

const NEVER_POLLED: usize = 100;

pub(super) fn run_all(subject: &Subject<'_>, findings: &mut Findings, baseline: &Baseline) {
    let setup = Setup::new("a hundred futures are dropped unpolled");
    for readiness in [Readiness::Now, Readiness::After(1)] {
        for setup in [setup, setup.permits(1)] {
            run(subject, findings, setup.readiness(readiness), async |bench| {
                drop_unpolled(bench, baseline).await
            });
        }
    }
    run(subject, findings, setup.permits(1).answers(Answer::After(2, StatusCode::OK)), async |bench| {
        drop_unpolled(bench, baseline).await
    });
}

async fn drop_unpolled(bench: &Bench<'_>, baseline: &Baseline) -> Result<(), Violation> {
    let charged = |violation: Violation| violation.hang_as(Rule::ChargesNeverPolled);
    let mut handle = bench.handle.clone();
    for nth in 0..NEVER_POLLED {
        if bench.ready(&mut handle).await.map_err(charged)?.is_err() {
            let detail = format!("poll_ready fails after {nth} of them");
            return Err(Violation::new(Rule::ChargesNeverPolled, detail));
        }
        drop(bench.call(&mut handle));
    }
    let_tasks_run().await;
    if let Some(held) = bench.leftovers() {
        return Err(Violation::new(Rule::ChargesNeverPolled, format!("still held: {held}")));
    }
    let mut other = handle.clone();
    let timed = bench.round_trip(&mut other).await.map_err(charged)?;
    if !timed.is_as_good_as(&baseline.timed) {
        let detail = format!("the next call ended as {timed:?}, but as {:?} without them", baseline.timed);
        return Err(Violation::new(Rule::ChargesNeverPolled, detail));
    }
    Ok(())
}
