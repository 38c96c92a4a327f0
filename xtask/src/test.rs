//! `cargo xtask test`: everything, once, with a record of what passed.

mod binaries;

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
    process::{Command, ExitStatus},
};

use crate::{
    clock::Stopwatch,
    failure::{Failure, Result},
    libtest::{Counts, Origin, Parser, Run, Verdict},
    needs::{self, User},
    results::{DOCTESTS, Results, Row},
    shell, sources,
    upstreams::Upstreams,
    workspace::Workspace,
};

use binaries::Binaries;

pub(crate) fn record_path(workspace: &Workspace) -> PathBuf {
    workspace.target.join("xtask/results.tsv")
}

/// # Errors
///
/// When a test failed or was ignored, or when a result could not be read.
pub(crate) fn run() -> Result<()> {
    needs::ensure(User::Tests)?;
    let upstreams = Upstreams::ensure()?;
    let stopwatch = Stopwatch::start();
    let workspace = Workspace::load()?;
    let record = record_path(&workspace);
    if record.exists() {
        fs::remove_file(&record)?;
    }

    let sources_before = sources::fingerprint().ok();
    let binaries = Binaries::build(&workspace)?;
    let (status, runs) =
        watch(upstreams.tell(&mut cargo_test()).args(["--no-fail-fast", "--", "--include-ignored"]))?;
    let sources = sources_before.filter(|before| sources::fingerprint().is_ok_and(|after| after == *before));

    let (mut rows, mut torn) = (Vec::new(), Vec::new());
    for run in runs {
        let (package, target) = owner(&run, &binaries, &workspace);
        if !run.is_complete() {
            torn.push(format!("{package} {target}: {} of {} results", run.results.len(), run.announced));
        }
        rows.extend(run.results.into_iter().map(|(test, verdict)| Row {
            package: package.clone(),
            target: target.clone(),
            test,
            verdict,
        }));
    }
    let results = Results { sources, rows };
    results.save(&record)?;

    let counts = Counts::of(results.rows.iter().map(|row| row.verdict));
    println!();
    report(&results, &torn);
    println!(
        "{} passed, {} failed, {} ignored in {}; recorded in {}",
        counts.ok,
        counts.failed,
        counts.ignored,
        stopwatch.read(),
        record.strip_prefix(shell::root()).unwrap_or(&record).display(),
    );
    if status.success() && torn.is_empty() && counts.failed + counts.ignored == 0 {
        Ok(())
    } else {
        Err(Failure::new("the tests did not all pass"))
    }
}

fn cargo_test() -> Command {
    let mut cargo = shell::cargo();
    cargo.args(["test", "--workspace", "--all-features"]);
    // The parser reads cargo's own lines, plain and in their usual form.
    cargo.env("CARGO_TERM_COLOR", "never").env_remove("CARGO_TERM_QUIET").env_remove("CARGO_TERM_VERBOSE");
    cargo
}

/// Passes the child's output on, both streams in the order in which they were written, and reads it on the way.
fn watch(command: &mut Command) -> Result<(ExitStatus, Vec<Run>)> {
    shell::echo(command);
    let (reader, writer) = io::pipe()?;
    let mut child = command.stdout(writer.try_clone()?).stderr(writer).spawn()?;
    // The command still holds the write ends: without this the reader would never see the end.
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());

    let (mut reader, mut stdout) = (BufReader::new(reader), io::stdout().lock());
    let (mut parser, mut line) = (Parser::default(), Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 {
        stdout.write_all(&line)?;
        stdout.flush()?;
        parser.feed(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok((child.wait()?, parser.finish()))
}

/// Package and target of a run, as they are recorded.
fn owner(run: &Run, binaries: &Binaries, workspace: &Workspace) -> (String, String) {
    let owner = match &run.origin {
        Some(Origin::Binary(file)) => binaries.owner(file).cloned(),
        Some(Origin::Doctests(library)) => {
            workspace.by_library(library).map(|member| (member.name.clone(), DOCTESTS.to_owned()))
        }
        None => None,
    };
    owner.unwrap_or_else(|| ("?".to_owned(), "?".to_owned()))
}

/// Names what went wrong.
fn report(results: &Results, torn: &[String]) {
    for Row { package, target, test, verdict } in &results.rows {
        match verdict {
            Verdict::Ok => {}
            Verdict::Failed => println!("FAILED   {package} {target} {test}"),
            Verdict::Ignored => println!("ignored  {package} {target} {test}"),
        }
    }
    for run in torn {
        println!("unread   {run}; the binary died, or a test writes past libtest's capture");
    }
    if results.sources.is_none() {
        println!(
            "the sources changed while the tests ran, or git cannot list them: this record is good for no check"
        );
    }
}
