//! The caller goes away: response futures and services are dropped after any number of polls.

use std::task::{Context, Poll};

use http::StatusCode;

use super::Baseline;
use crate::contract::{
    Answer, Readiness,
    bench::{Bench, Setup, run},
    drive::{Driver, let_tasks_run},
    rule::{Findings, Rule, Violation},
    subject::{Handle, Subject},
};

const SLOW: Answer = Answer::After(2, StatusCode::OK);
/// More polls than any call needs here that is not retried for ever.
const MAX_POLLS: usize = 64;
const MANY: usize = 100;

/// Where exactly the future is dropped.
#[derive(Clone, Copy, Debug)]
struct Point {
    polls: usize,
    /// After the last poll its task was woken, but did not come to poll again.
    woken: bool,
}

/// What may be asked of the call after the drop.
#[derive(Clone, Copy, Debug)]
enum Next<'a> {
    /// It goes as well as the first call ever.
    Succeeds(&'a Baseline),
    /// It ends; the layer may have learned from the inner's errors.
    Ends,
}

pub(super) fn run_all(subject: &Subject<'_>, findings: &mut Findings, baseline: &Baseline) {
    let succeeds = Next::Succeeds(baseline);
    let slow = Setup::new("dropped midway").readiness(Readiness::After(2)).answers(SLOW);
    let failing = slow.first_answer(Answer::Fails(1));
    let failing_at_once = Setup::new("dropped midway after a failed call").first_answer(Answer::Fails(0));
    for (setup, next) in [
        (slow, succeeds),
        (slow.permits(1), succeeds),
        (Setup::new("dropped midway").permits(1).answers(SLOW), succeeds),
        (failing.permits(1), Next::Ends),
        (failing_at_once.permits(1), Next::Ends),
    ] {
        drop_everywhere(subject, findings, setup, next);
    }
    let handles = Setup::new("dropped before it was ready").permits(1).readiness(Readiness::After(3));
    run(subject, findings, handles, drop_handles);
    // Where an unpolled future costs something already, a polled one will as well.
    if findings.has(Rule::ChargesNeverPolled) {
        return;
    }
    let made = Setup::new("a hundred calls were dropped midway").answers(SLOW);
    run(subject, findings, made, async |bench| drop_many(bench, baseline).await);
    let not_made =
        Setup::new("a hundred calls were dropped before they were made").readiness(Readiness::After(1));
    run(subject, findings, not_made, async |bench| drop_many_not_made(bench, baseline).await);
}

fn drop_everywhere(subject: &Subject<'_>, findings: &mut Findings, setup: Setup, next: Next<'_>) {
    for polls in 0..MAX_POLLS {
        for woken in [false, true] {
            let point = Point { polls, woken };
            let dropped = run(subject, findings, setup, async |bench| drop_at(bench, point, next).await);
            match dropped {
                Some(Dropped::Midway) => {}
                // All further ones would be the same.
                Some(Dropped::Complete) | None => return,
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dropped {
    Midway,
    Complete,
}

async fn drop_at(bench: &mut Bench<'_>, point: Point, next: Next<'_>) -> Result<Dropped, Violation> {
    let mut idle = bench.handle.clone();
    if bench.ready(&mut idle).await?.is_err() {
        return Ok(Dropped::Complete);
    }
    let dropped = abandon(bench, &mut idle, point).await?;

    bench.settle().await;
    if let Some(held) = bench.leftovers() {
        let detail = format!("after {} polls of the response future, still held: {held}", point.polls);
        return Err(Violation::new(Rule::LeaksOnDrop, detail));
    }
    let leaks = |violation: Violation| violation.hang_as(Rule::LeaksOnDrop);
    for handle in [&mut idle.clone(), &mut idle] {
        let timed = bench.round_trip(handle).await.map_err(leaks)?;
        let Next::Succeeds(baseline) = next else { continue };
        if timed.outcome != baseline.timed.outcome {
            let detail = format!(
                "after {} polls of the response future; an hour later the next call ended as {:?} instead of {:?}",
                point.polls, timed.outcome, baseline.timed.outcome
            );
            return Err(Violation::new(Rule::LeaksOnDrop, detail));
        }
        // A call each hour, since a limit may allow no more.
        bench.settle().await;
    }
    Ok(dropped)
}

/// Calls, polls as often as `point` says, and drops the future, complete or not.
async fn abandon(bench: &Bench<'_>, handle: &mut Handle, point: Point) -> Result<Dropped, Violation> {
    let mut reply = bench.call(handle);
    let mut driver = Driver::new(&bench.probe);
    let mut poll = |cx: &mut Context<'_>| reply.as_mut().poll(cx);
    for _ in 0..point.polls {
        driver.progress(&mut poll).await?;
        if let Poll::Ready(result) = driver.poll(&mut poll)? {
            drop(result);
            return Ok(Dropped::Complete);
        }
    }
    if point.woken {
        driver.progress(&mut poll).await?;
    }
    Ok(Dropped::Midway)
}

/// A handle whose readiness was given up, by dropping it, leaves nothing behind.
async fn drop_handles(bench: &mut Bench<'_>) -> Result<(), Violation> {
    for polls in 0..5 {
        let mut handle = bench.handle.clone();
        let mut driver = Driver::new(&bench.probe);
        let mut poll = |cx: &mut Context<'_>| handle.poll_ready(cx);
        for _ in 0..polls {
            driver.progress(&mut poll).await?;
            if driver.poll(&mut poll)?.is_ready() {
                break;
            }
        }
        drop(handle);
        bench.settle().await;
        if let Some(held) = bench.leftovers() {
            let detail =
                format!("a handle was dropped after {polls} polls of poll_ready; still held: {held}");
            return Err(Violation::new(Rule::LeaksOnDrop, detail));
        }
    }
    Ok(())
}

/// What a layer counts itself, such as permits of its own, shows only when it has run out.
async fn drop_many(bench: &Bench<'_>, baseline: &Baseline) -> Result<(), Violation> {
    let leaks = |violation: Violation| violation.hang_as(Rule::LeaksOnDrop);
    let mut handle = bench.handle.clone();
    for _ in 0..MANY {
        if bench.ready(&mut handle).await.map_err(leaks)?.is_err() {
            break;
        }
        abandon(bench, &mut handle, Point { polls: 1, woken: false }).await.map_err(leaks)?;
    }
    bench.settle().await;
    let timed = bench.round_trip(&mut handle.clone()).await.map_err(leaks)?;
    if timed.outcome != baseline.timed.outcome {
        let detail = format!(
            "an hour later the next call ended as {:?} instead of {:?}",
            timed.outcome, baseline.timed.outcome
        );
        return Err(Violation::new(Rule::LeaksOnDrop, detail));
    }
    Ok(())
}

/// A call that was waited for, and in the end not made, costs no more than one that was never polled.
async fn drop_many_not_made(bench: &Bench<'_>, baseline: &Baseline) -> Result<(), Violation> {
    let leaks = |violation: Violation| violation.hang_as(Rule::LeaksOnDrop);
    let mut handle = bench.handle.clone();
    for _ in 0..MANY {
        if bench.ready(&mut handle).await.map_err(leaks)?.is_err() {
            break;
        }
        abandon(bench, &mut handle, Point { polls: 1, woken: false }).await.map_err(leaks)?;
        if bench.probe.calls() > 0 {
            // A layer that passes readiness through has made its call by now.
            return Ok(());
        }
    }
    let_tasks_run().await;
    let timed = bench.round_trip(&mut handle.clone()).await.map_err(leaks)?;
    if !timed.is_as_good_as(&baseline.timed) {
        let detail = format!("the next call ended as {timed:?}, but as {:?} without them", baseline.timed);
        return Err(Violation::new(Rule::LeaksOnDrop, detail));
    }
    Ok(())
}
