//! The inner fails in `poll_ready`, for good. The inner itself records if it is called after that.

use std::error::Error;

use http::StatusCode;
use tower::BoxError;

use super::Baseline;
use crate::contract::{
    Answer, NotReady, Readiness,
    bench::{Bench, Setup, run},
    rule::{Findings, Rule, Violation},
    subject::{Handle, Reached, Subject},
};

pub(super) fn run_all(subject: &Subject<'_>, findings: &mut Findings, baseline: &Baseline) {
    // A layer that did not ask the inner for a plain call has nothing to say here.
    if !baseline.reached_inner {
        return;
    }
    let setup = Setup::new("the inner fails in poll_ready").readiness(Readiness::Fails);
    run(subject, findings, setup, async |bench| {
        let mut handle = bench.handle.clone();
        expect_error(bench, &mut handle, subject.can_fail).await
    });

    let setup = Setup::new("the inner fails in poll_ready after a call");
    run(subject, findings, setup, async |bench| {
        bench.probe.script_readiness([Readiness::Now], Readiness::Fails);
        let mut handle = bench.handle.clone();
        bench.round_trip(&mut handle).await?;
        bench.settle().await;
        expect_error(bench, &mut handle, subject.can_fail).await
    });

    // A retry may return what its first attempt brought, or this error; it must end.
    let setup = Setup::new("the inner fails its call and then in poll_ready");
    for first in [Answer::Fails(0), Answer::Now(StatusCode::SERVICE_UNAVAILABLE)] {
        run(subject, findings, setup.first_answer(first), async |bench| {
            bench.probe.script_readiness([Readiness::Now], Readiness::Fails);
            bench.round_trip(&mut bench.handle.clone()).await
        });
    }
}

async fn expect_error(bench: &Bench<'_>, handle: &mut Handle, can_fail: bool) -> Result<(), Violation> {
    let polls_before = bench.probe.failed_polls();
    let result: Result<Reached, BoxError> = match bench.ready(handle).await? {
        Ok(()) => {
            let reply = bench.call(handle);
            bench.finish(reply).await?
        }
        Err(error) => Err(error),
    };
    let refused_locally = bench.probe.failed_polls() == polls_before;
    let detail = match result {
        // Where there is no error to return, a bad answer is the way to say it.
        Ok(reached) if !can_fail && reached.status.is_server_error() => return Ok(()),
        Ok(reached) if !refused_locally => format!("the call was answered with {}", reached.status),
        Err(error) if !refused_locally && !comes_from_inner(&*error) => {
            format!("the inner's error is not among the sources of `{error}`")
        }
        _ => return Ok(()),
    };
    Err(Violation::new(Rule::HidesReadinessError, detail))
}

fn comes_from_inner(error: &(dyn Error + 'static)) -> bool {
    error.is::<NotReady>() || error.source().is_some_and(comes_from_inner)
}
