//! `cargo xtask fuzz`: libFuzzer over the functions of `fuzz/`, on the toolchain that is here.

use std::fs;
use std::path::Path;

use crate::{
    failure::{Failure, Result},
    needs::{self, User},
    shell,
    workspace::Workspace,
};

const TARGETS: &[&str] = &[
    "cache_response",
    "cache_request",
    "challenge",
    "graphql_merge",
    "http_date",
    "oauth_redirect",
    "oauth_token",
    "retry_after",
    "webhook_head",
    "webhook_json",
    "webhook_template",
];

const SECONDS: u32 = 60;

/// What has the compiler count which edges run, and tell what is compared. None of it needs a nightly toolchain.
const INSTRUMENTED: &str = "--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

/// # Errors
///
/// When the programs do not build, or one finds an input that fails. The input is kept.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (seconds, targets) = read(arguments)?;
    needs::ensure(User::Fuzz)?;
    let folder = Workspace::load()?.target.join("fuzz");
    let host = host()?;
    let mut cargo = shell::cargo();
    cargo.env("RUSTFLAGS", INSTRUMENTED).env("CARGO_TARGET_DIR", &folder);
    // With a target of its own: build scripts are not to be instrumented.
    cargo.args(["build", "--locked", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", &host]);
    shell::run(&mut cargo)?;
    targets
        .into_iter()
        .try_for_each(|target| fuzz(target, seconds, &folder.join(&host).join("release"), &folder))
}

/// What is found goes into the target folder; what is worth keeping is put into `fuzz/corpus` by hand.
fn fuzz(target: &str, seconds: u32, programs: &Path, folder: &Path) -> Result<()> {
    let (found, failed) = (folder.join("corpus").join(target), folder.join("failed").join(target));
    fs::create_dir_all(&found)?;
    fs::create_dir_all(&failed)?;
    let mut program = shell::command(programs.join(target));
    program.arg(&found).arg(shell::root().join("fuzz/corpus").join(target));
    program.arg(format!("-artifact_prefix={}/", failed.display()));
    program.arg(format!("-max_total_time={seconds}"));
    shell::run(program.args(["-max_len=1024", "-timeout=10", "-print_final_stats=1", "-verbosity=0"]))
}

fn read(arguments: &[String]) -> Result<(u32, Vec<&str>)> {
    let usage = || {
        Failure::usage(format!(
            "`fuzz` takes [--seconds N] [TARGET], where TARGET is one of {}",
            TARGETS.join(", ")
        ))
    };
    let (mut seconds, mut targets) = (SECONDS, TARGETS.to_vec());
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if word == "--seconds" {
            seconds = words.next().and_then(|number| number.parse().ok()).ok_or_else(usage)?;
        } else {
            targets = TARGETS.iter().filter(|target| **target == word).copied().collect();
        }
    }
    if targets.is_empty() { Err(usage()) } else { Ok((seconds, targets)) }
}

fn host() -> Result<String> {
    let version = shell::output(shell::command("rustc").arg("-vV"))?;
    let version = String::from_utf8_lossy(&version);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::new("`rustc -vV` names no host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn without_arguments_all_targets_run_for_a_minute() {
        assert_eq!(read(&words("")).expect("nothing is enough"), (60, TARGETS.to_vec()));
    }

    #[test]
    fn seconds_and_a_target_come_in_any_order() {
        for line in ["--seconds 5 http_date", "http_date --seconds 5"] {
            assert_eq!(read(&words(line)).expect("both are there"), (5, vec!["http_date"]), "{line}");
        }
    }

    #[test]
    fn what_is_no_target_or_no_number_is_refused() {
        for line in ["html", "--seconds", "--seconds soon"] {
            assert!(read(&words(line)).is_err(), "{line}");
        }
    }
}
