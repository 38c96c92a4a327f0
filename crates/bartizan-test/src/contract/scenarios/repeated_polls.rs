//! `poll_ready` is polled more often than needed, which must make no difference.

use std::task::Poll;

use crate::contract::{
    Readiness,
    bench::{Bench, Setup, Timed, run},
    drive::Driver,
    rule::{Findings, Rule, Violation},
    subject::{Handle, Subject},
};

const ROUNDS: usize = 10;
const POLLS: usize = 20;

pub(super) fn run_all(subject: &Subject<'_>, findings: &mut Findings) {
    for readiness in [Readiness::Now, Readiness::After(1)] {
        let setup = Setup::new("polled ready just once").permits(1).readiness(readiness);
        let Some(once) = run(subject, findings, setup, async |bench| rounds(bench, 0).await) else { return };

        let setup = Setup::new("polled ready many times").permits(1).readiness(readiness);
        run(subject, findings, setup, async |bench| {
            let often =
                rounds(bench, POLLS).await.map_err(|violation| violation.hang_as(Rule::TakesTwice))?;
            for (nth, (often, once)) in often.iter().zip(&once).enumerate() {
                if !often.is_as_good_as(once) {
                    let detail =
                        format!("call {nth} ended as {often:?}, but as {once:?} when polled just once");
                    return Err(Violation::new(Rule::TakesTwice, detail));
                }
            }
            Ok(())
        });
    }
}

/// Calls of two handles by turns, with `extra` polls before each one.
async fn rounds(bench: &Bench<'_>, extra: usize) -> Result<Vec<Timed>, Violation> {
    let mut handles = [bench.handle.clone(), bench.handle.clone()];
    let mut timed = Vec::new();
    for nth in 0..ROUNDS {
        let handle = &mut handles[nth % 2];
        if bench.ready(handle).await?.is_ok() {
            poll_on(bench, handle, extra)?;
        }
        timed.push(bench.round_trip(handle).await?);
    }
    Ok(timed)
}

fn poll_on(bench: &Bench<'_>, handle: &mut Handle, times: usize) -> Result<(), Violation> {
    for nth in 0..times {
        match Driver::new(&bench.probe).poll(|cx| handle.poll_ready(cx))? {
            Poll::Ready(Ok(())) => {}
            // An instance may fail at any time.
            Poll::Ready(Err(_)) => return Ok(()),
            Poll::Pending => {
                let detail =
                    format!("was ready, and Pending at poll {nth} after that, without a call between");
                return Err(Violation::new(Rule::TakesTwice, detail));
            }
        }
    }
    let held = bench.permits_held();
    if held > 1 {
        let detail = format!("one handle holds {held} permits of the inner after {times} polls");
        return Err(Violation::new(Rule::TakesTwice, detail));
    }
    Ok(())
}
