//! A clone of a ready service is a service that is not ready yet.

use crate::contract::{
    Readiness,
    bench::{Bench, Setup, run_as},
    rule::{Findings, Rule, Violation},
    subject::Subject,
};

pub(super) fn run_all(subject: &Subject<'_>, findings: &mut Findings) {
    // What goes wrong here and went well before, goes wrong because of the clone.
    let known: Vec<Rule> = [Rule::CallsUnpolled, Rule::CallsPending, Rule::Panics, Rule::Hangs]
        .into_iter()
        .filter(|rule| findings.has(*rule))
        .collect();
    let rename = |rule| match rule {
        Rule::CallsUnpolled | Rule::CallsPending | Rule::Panics | Rule::Hangs if !known.contains(&rule) => {
            Rule::CopiesReadiness
        }
        other => other,
    };
    let setup = Setup::new("cloned while ready");
    run_as(subject, findings, setup, rename, clone_first);
    run_as(subject, findings, setup.readiness(Readiness::After(2)), rename, clone_first);
    run_as(subject, findings, setup, rename, original_first);
}

/// The clone is polled and called, then the original, which is still ready.
async fn clone_first(bench: &mut Bench<'_>) -> Result<(), Violation> {
    let mut original = bench.handle.clone();
    if bench.ready(&mut original).await?.is_err() {
        return Ok(());
    }
    let mut clone = original.clone();
    match bench.round_trip(&mut clone).await {
        // The original is ready, for which it may hold the last permit of the layer's own.
        Err(violation) if violation.rule == Rule::Hangs => return Ok(()),
        ended => ended?,
    };
    let reply = bench.call(&mut original);
    let _ = bench.finish(reply).await?;
    Ok(())
}

async fn original_first(bench: &mut Bench<'_>) -> Result<(), Violation> {
    let mut original = bench.handle.clone();
    if bench.ready(&mut original).await?.is_err() {
        return Ok(());
    }
    let mut clone = original.clone();
    let reply = bench.call(&mut original);
    let _ = bench.finish(reply).await?;
    bench.round_trip(&mut clone).await?;
    Ok(())
}
