//! `cargo xtask rules`: every rule of a crate names a test, and that test ran and passed.

mod table;
#[cfg(test)]
mod tests;
mod verify;

use std::{fs, path::Path};

use crate::{
    failure::{Failure, Result},
    results::Results,
    shell, sources, test,
    workspace::Workspace,
};

/// What is wrong, and in which line.
#[derive(Debug, PartialEq, Eq)]
struct Complaint {
    line: usize,
    text: String,
}

pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::load()?;
    let results = fresh_results(&workspace)?;
    let harness = workspace.harness().map_or("", |member| &member.name);

    let (mut rules, mut complaints) = (0, 0);
    for member in workspace.crates() {
        let path = member.folder.join("RULES.md");
        let (found, wrong) = match fs::read_to_string(&path) {
            Ok(text) => check(&text, &member.name, harness, &results),
            Err(_) => (0, vec![without_rules()]),
        };
        rules += found;
        complaints += wrong.len();
        for Complaint { line, text } in wrong {
            println!("{}:{line}: {text}", shown(&path));
        }
    }
    println!("{rules} rules, {complaints} complaints");
    if complaints == 0 {
        Ok(())
    } else {
        Err(Failure::new("the rules do not hold; CONTRIBUTING.md has the format"))
    }
}

/// The record of the last full run; another run when there is none of these sources.
fn fresh_results(workspace: &Workspace) -> Result<Results> {
    let sources = sources::fingerprint()?;
    let load = || {
        Results::load(&test::record_path(workspace))
            .filter(|results| results.sources.as_ref() == Some(&sources))
    };
    if let Some(results) = load() {
        return Ok(results);
    }
    println!("no test results of these sources: running `cargo xtask test` first");
    if let Err(failure) = test::run() {
        println!("{failure}; the rules are checked against what was recorded");
    }
    load().ok_or_else(|| Failure::new("no test results of these sources: the tests did not run to the end"))
}

/// The number of rules in the text, and what is wrong with them.
fn check(text: &str, package: &str, harness: &str, results: &Results) -> (usize, Vec<Complaint>) {
    let (rules, mut complaints) = table::read(text);
    let suite = verify::Suite { package, harness, results };
    complaints.extend(rules.iter().flat_map(|rule| suite.verify(rule)));
    complaints.sort_by_key(|complaint| complaint.line);
    (rules.len(), complaints)
}

fn without_rules() -> Complaint {
    Complaint { line: 1, text: "no such file; write down what the crate promises".to_owned() }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(shell::root()).unwrap_or(path).display().to_string()
}
