//! `tower::buffer::Buffer` polls readiness in one task and the response futures in others, and takes an error of
//! `poll_ready` for the end of the service.

use http::StatusCode;

use crate::contract::{
    Answer, Readiness,
    bench::{Bench, Outcome, Setup, run},
    drive::let_tasks_run,
    rule::{Findings, Rule, Violation},
    subject::Subject,
};

/// Enough for most breakers to open.
const FAILURES: usize = 64;

pub(super) fn run_all(subject: &Subject<'_>, findings: &mut Findings) {
    // A service that hangs or loops by itself does so here, too.
    if findings.has(Rule::Hangs) || findings.has(Rule::LostWakeUp) {
        return;
    }
    let slow = Answer::After(1, StatusCode::OK);
    let setup = Setup::new("behind a buffer").buffered();
    run(subject, findings, setup.permits(1).readiness(Readiness::After(1)).answers(slow), calls);
    run(subject, findings, setup.permits(1), calls);
    run(subject, findings, setup.answers(Answer::Fails(0)), survives_failed_calls);
}

async fn calls(bench: &mut Bench<'_>) -> Result<(), Violation> {
    let hang = |violation: Violation| violation.hang_as(Rule::FailsBehindBuffer);
    let mut first = bench.handle.clone();
    let mut second = first.clone();
    for handle in [&mut first, &mut second] {
        bench.round_trip(handle).await.map_err(hang)?;
    }

    // The first is dropped when the buffer has made its call already, and nobody has polled that.
    if bench.ready(&mut first).await.map_err(hang)?.is_err()
        || bench.ready(&mut second).await.map_err(hang)?.is_err()
    {
        return Ok(());
    }
    let abandoned = bench.call(&mut first);
    let wanted = bench.call(&mut second);
    let_tasks_run().await;
    drop(abandoned);
    drop(bench.finish(wanted).await.map_err(hang)?);
    Ok(())
}

/// After any number of calls that failed, and a rest, the buffer's worker still lives.
async fn survives_failed_calls(bench: &mut Bench<'_>) -> Result<(), Violation> {
    let hang = |violation: Violation| violation.hang_as(Rule::FailsBehindBuffer);
    let mut handle = bench.handle.clone();
    for _ in 0..FAILURES {
        bench.round_trip(&mut handle).await.map_err(hang)?;
    }
    bench.probe.script_answers([], Answer::Now(StatusCode::OK));
    bench.settle().await;
    if let (Outcome::Error, Some(error)) = last_call(bench).await.map_err(hang)? {
        let detail = format!("calls failed, and since then poll_ready does, an hour later still: {error}");
        return Err(Violation::new(Rule::FailsBehindBuffer, detail));
    }
    Ok(())
}

/// The outcome, and the error if it came from the buffer and not from the service's call.
async fn last_call(bench: &Bench<'_>) -> Result<(Outcome, Option<String>), Violation> {
    let mut handle = bench.handle.clone();
    let result = match bench.ready(&mut handle).await? {
        Ok(()) => {
            let reply = bench.call(&mut handle);
            bench.finish(reply).await?
        }
        Err(error) => Err(error),
    };
    Ok(match result {
        Ok(reached) => (Outcome::Status(reached.status), None),
        Err(error) => {
            let of_buffer = error.is::<tower::buffer::error::ServiceError>()
                || error.is::<tower::buffer::error::Closed>();
            (Outcome::Error, of_buffer.then(|| error.to_string()))
        }
    })
}
