//! `cargo xtask sim`: the simulations that the defaults of the layers rest on.

use std::{fs, process::Stdio};

use crate::{failure::Result, shell, workspace::Workspace};

pub(crate) const NAMES: &[&str] = &["breaker", "budget", "jitter"];

/// # Errors
///
/// When the program does not build, or fails.
pub(crate) fn run(name: &str) -> Result<()> {
    shell::run(shell::cargo().args(["build", "--release", "--package", "bartizan-sims"]))?;
    let docs = shell::root().join("docs");
    let mut program = shell::command(Workspace::load()?.target.join("release/bartizan-sims"));
    program.arg(name).arg(&docs).stderr(Stdio::inherit());
    shell::echo(&program);
    let document = shell::output(&mut program)?;
    println!("\n{}", String::from_utf8_lossy(&document));
    let report = docs.join(match name {
        "breaker" => "circuit-breaker.md".to_owned(),
        _ => format!("retry-{name}.md"),
    });
    fs::write(&report, document)?;
    println!("written to {}", report.display());
    Ok(())
}
