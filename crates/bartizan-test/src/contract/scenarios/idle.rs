//! Two handles and one permit: a handle that was called and now sits idle must leave it to the other.

use std::task::Poll;

use http::StatusCode;

use crate::contract::{
    Answer, Readiness,
    bench::{Bench, Setup, run},
    drive::{Driver, let_tasks_run},
    rule::{Findings, Rule, Violation},
    subject::Subject,
};

/// Enough for most limits and breakers to refuse.
const ROUNDS: usize = 64;

pub(super) fn run_all(subject: &Subject<'_>, findings: &mut Findings) {
    let slow = Readiness::After(1);
    let in_turn = [
        Setup::new("a handle sits idle after a call"),
        Setup::new("a handle sits idle after a call over a slow inner").readiness(slow),
        Setup::new("a handle sits idle after calls that failed").answers(Answer::Fails(0)),
        Setup::new("a handle sits idle after calls that failed over a slow inner")
            .answers(Answer::Fails(0))
            .readiness(slow),
    ];
    for setup in in_turn {
        run(subject, findings, setup.permits(1), idle_after_call);
    }
    let slow_answer = Answer::After(1, StatusCode::OK);
    let setup = Setup::new("two handles contend for one permit").permits(1).answers(slow_answer);
    run(subject, findings, setup, contending);
    run(subject, findings, setup.readiness(slow), contending);
}

/// Calls one handle again and again, which breakers and limiters will refuse at some point. After each call the handle
/// is idle and may hold nothing, and another handle gets on.
async fn idle_after_call(bench: &mut Bench<'_>) -> Result<(), Violation> {
    let mut idle = bench.handle.clone();
    for nth in 0..ROUNDS {
        let calls = bench.probe.calls();
        if bench.ready(&mut idle).await?.is_err() {
            return Ok(());
        }
        let reply = bench.call(&mut idle);
        drop(bench.finish(reply).await?);
        let_tasks_run().await;
        let held = bench.probe.permits_held();
        if held > 0 {
            let refused = bench.probe.calls() == calls;
            let what = if refused { "was refused locally" } else { "reached the inner" };
            let detail = format!("call {nth} {what} and is over, but its handle keeps a permit of the inner");
            return Err(Violation::new(Rule::StarvesOthers, detail));
        }
        let mut other = idle.clone();
        bench.round_trip(&mut other).await.map_err(|violation| violation.hang_as(Rule::StarvesOthers))?;
    }
    Ok(())
}

/// A second handle waits for the permit of a call in flight, and is woken when that is over. If instead it was refused
/// while its inner waited in the queue, it must have left the queue.
async fn contending(bench: &mut Bench<'_>) -> Result<(), Violation> {
    let starves = |violation: Violation| violation.hang_as(Rule::StarvesOthers);
    let mut first = bench.handle.clone();
    for _ in 0..3 {
        let mut second = first.clone();
        if bench.ready(&mut first).await?.is_err() {
            return Ok(());
        }
        let mut in_flight = bench.call(&mut first);
        let mut flight = Driver::new(&bench.probe);
        let first_poll = flight.poll(|cx| in_flight.as_mut().poll(cx))?;

        let mut readiness = Driver::new(&bench.probe);
        let mut waiting = None;
        let polled = readiness.poll(|cx| second.poll_ready(cx))?;
        if polled.is_ready() {
            let mut reply = bench.call(&mut second);
            let mut driver = Driver::new(&bench.probe);
            if driver.poll(|cx| reply.as_mut().poll(cx))?.is_pending() {
                waiting = Some((reply, driver));
            }
        }

        let first_ends = async {
            if first_poll.is_pending() {
                drop(flight.finish(|cx| in_flight.as_mut().poll(cx)).await?);
            }
            drop(in_flight);
            Ok(())
        };
        let second_ends = async {
            match (polled, waiting) {
                (Poll::Pending, _) => {
                    if readiness.finish(|cx| second.poll_ready(cx)).await?.is_ok() {
                        let reply = bench.call(&mut second);
                        drop(bench.finish(reply).await?);
                    }
                }
                (_, Some((mut reply, driver))) => {
                    drop(driver.finish(|cx| reply.as_mut().poll(cx)).await?);
                }
                (_, None) => {}
            }
            Ok(())
        };
        // Side by side, since a first call that is made again may have to wait for the second one in its turn.
        let (first_ended, second_ended): (Result<(), Violation>, Result<(), Violation>) =
            tokio::join!(first_ends, second_ends);
        first_ended?;
        second_ended.map_err(starves)?;
        let_tasks_run().await;
        let held = bench.probe.permits_held();
        if held > 0 {
            let detail = "both calls are over, but a handle keeps a permit of the inner";
            return Err(Violation::new(Rule::StarvesOthers, detail));
        }
    }
    Ok(())
}
