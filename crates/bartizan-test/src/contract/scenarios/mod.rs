//! The situations that a layer is put into. Each file holds one idea, and adds to the findings.

mod abandoned;
mod behind_buffer;
mod calls;
mod clones;
mod failing;
mod idle;
mod never_polled;
mod repeated_polls;

use super::{
    bench::{Setup, Timed, run},
    rule::Findings,
    subject::Subject,
};

/// A plain call of a fresh service, which the others are compared with.
#[derive(Clone, Copy, Debug)]
struct Baseline {
    timed: Timed,
    reached_inner: bool,
}

pub(super) fn run_all(subject: &Subject<'_>) -> Findings {
    let mut findings = Findings::default();
    let setup = Setup::new("called for the first time");
    let baseline = run(subject, &mut findings, setup, async |bench| {
        let mut handle = bench.handle.clone();
        let timed = bench.round_trip(&mut handle).await?;
        Ok(Baseline { timed, reached_inner: bench.probe.calls() > 0 })
    });
    // Without one plain call that works, all else would say the same once more.
    let Some(baseline) = baseline else { return findings };

    // Before all others that use few permits.
    idle::run_all(subject, &mut findings);
    calls::run_all(subject, &mut findings);
    clones::run_all(subject, &mut findings);
    repeated_polls::run_all(subject, &mut findings);
    behind_buffer::run_all(subject, &mut findings);
    never_polled::run_all(subject, &mut findings, &baseline);
    abandoned::run_all(subject, &mut findings, &baseline);
    failing::run_all(subject, &mut findings, &baseline);
    findings
}
