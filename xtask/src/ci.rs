//! `cargo xtask ci`: all checks, one after the other, to the end even when one fails.

use crate::{
    clock::{Stopwatch, Took},
    failure::{Failure, Result},
    rules, shell, test,
    tools::Tools,
    workspace::Workspace,
};

struct Step {
    name: &'static str,
    run: fn(&Tools) -> Result<()>,
}

/// Cheap ones first. `rules` reads what `test` records.
const STEPS: &[Step] = &[
    Step { name: "fmt", run: |_| shell::run(shell::cargo().args(["fmt", "--all", "--", "--check"])) },
    Step { name: "typos", run: |tools| shell::run(&mut tools.command("typos")) },
    Step { name: "taplo", run: taplo },
    Step { name: "shear", run: |tools| shell::run(tools.cargo()?.arg("shear")) },
    Step { name: "deny", run: deny },
    Step { name: "clippy", run: clippy },
    Step { name: "features", run: features },
    Step { name: "docs", run: docs },
    Step { name: "loom", run: loom },
    Step { name: "test", run: |_| test::run() },
    Step { name: "rules", run: |_| rules::run() },
];

pub(crate) fn run() -> Result<()> {
    let total = Stopwatch::start();
    let tools = Tools::ensure()?;
    let outcomes: Vec<(&str, bool, Took)> = STEPS.iter().map(|step| take(step, &tools)).collect();

    println!();
    for (name, passed, took) in &outcomes {
        println!("{name:<10}{took:>9}  {}", if *passed { "pass" } else { "FAIL" });
    }
    println!("{:<10}{:>9}", "total", total.read());
    let failed: Vec<&str> =
        outcomes.iter().filter(|(_, passed, _)| !passed).map(|(name, ..)| *name).collect();
    if failed.is_empty() { Ok(()) } else { Err(Failure::new(format!("failed: {}", failed.join(", ")))) }
}

fn take(step: &Step, tools: &Tools) -> (&'static str, bool, Took) {
    println!("\n== {}", step.name);
    let stopwatch = Stopwatch::start();
    let outcome = (step.run)(tools);
    let took = stopwatch.read();
    match &outcome {
        Ok(()) => println!("== {} passed in {took}", step.name),
        Err(failure) => println!("{failure}\n== {} FAILED in {took}", step.name),
    }
    (step.name, outcome.is_ok(), took)
}

fn taplo(tools: &Tools) -> Result<()> {
    shell::run(tools.command("taplo").args(["fmt", "--check", "--diff"]))?;
    // Schemas would be fetched from the network.
    shell::run(tools.command("taplo").args(["lint", "--no-schema"]))
}

/// Not `advisories`: it fetches a database, and the same commit would pass one day and fail the next.
fn deny(tools: &Tools) -> Result<()> {
    shell::run(tools.cargo()?.args(["deny", "--workspace", "check", "licenses", "bans", "sources"]))
}

fn clippy(_: &Tools) -> Result<()> {
    let scope = ["clippy", "--workspace", "--all-targets", "--all-features"];
    shell::run(shell::cargo().args(scope).args(["--", "-D", "warnings"]))
}

/// Each feature of a published crate alone, none, and all. Resolver 3 keeps the features of dev-dependencies out of it,
/// so the manifests need no rewriting as `--no-dev-deps` would do.
fn features(tools: &Tools) -> Result<()> {
    let workspace = Workspace::load()?;
    let published = workspace.members.iter().filter(|member| member.is_published);
    let packages = published.flat_map(|member| ["--package", &member.name]);
    let mut cargo = tools.cargo()?;
    cargo.args(["hack", "clippy", "--each-feature"]).args(packages).args(["--", "-D", "warnings"]);
    shell::run(&mut cargo)
}

/// All orders in which threads may meet at a circuit. A build of its own, since it replaces the atomics.
fn loom(_: &Tools) -> Result<()> {
    let mut cargo = shell::cargo();
    cargo.env("RUSTFLAGS", "--cfg bartizan_loom").env("CARGO_TARGET_DIR", shell::root().join("target/loom"));
    let tests = ["test", "--release", "--package", "bartizan-circuit-breaker", "--lib", "loom"];
    shell::run(cargo.args(tests))
}

fn docs(_: &Tools) -> Result<()> {
    let mut cargo = shell::cargo();
    cargo.env("RUSTDOCFLAGS", "-D warnings");
    shell::run(cargo.args(["doc", "--workspace", "--no-deps", "--all-features"]))
}
