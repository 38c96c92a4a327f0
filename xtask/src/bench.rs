//! `cargo xtask bench`: what the layers cost beside their peers.

use std::{fs, process::Stdio};

use crate::{
    failure::{Failure, Result},
    needs::{self, User},
    shell,
    workspace::Workspace,
};

const REPORT: &str = "docs/benchmarks.md";

/// # Errors
///
/// When the programs do not build, or one of them fails.
pub(crate) fn run(is_quick: bool) -> Result<()> {
    needs::ensure(User::Benches)?;
    // Two builds: the test clock and the counting allocator would show in the instructions.
    shell::run(&mut build("bartizan-benches"))?;
    shell::run(build("bartizan-benches-counted").args(["--features", "counted"]))?;

    let program = Workspace::load()?.target.join("release/bartizan-benches-counted");
    let mut table = shell::command(program);
    table.args(["table", if is_quick { "quick" } else { "full" }]).stderr(Stdio::inherit());
    shell::echo(&table);
    let document = shell::output(&mut table)?;
    println!("\n{}", String::from_utf8_lossy(&document));
    if is_quick {
        println!("{REPORT} stays as it is: the run was short");
        return Ok(());
    }
    let report = shell::root().join(REPORT);
    fs::create_dir_all(report.parent().ok_or_else(|| Failure::new("the report has no folder"))?)?;
    fs::write(report, document)?;
    println!("written to {REPORT}");
    Ok(())
}

fn build(program: &str) -> std::process::Command {
    let mut cargo = shell::cargo();
    cargo.args(["build", "--profile", "bench", "--package", "bartizan-benches", "--bin", program]);
    cargo
}
