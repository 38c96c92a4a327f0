//! The mistakes that people make most, and what the compiler tells them.
//!
//! The snapshots are those of the compiler that builds the project. After another one, or after a change to a message, write
//! them anew and read the difference: `TRYBUILD=overwrite cargo test -p bartizan --test ui`.
//!
//! It needs no network beyond what the build of this test had: `trybuild` works offline, with the workspace's `Cargo.lock`. The
//! first run compiles the dependencies once more, into `target/tests/trybuild`; later ones take a few seconds. So that these are
//! few, the cases belong to a package of their own, `tests/compile-fail`, which has the facade with its default features.
#![cfg(all(feature = "retry", feature = "timeout"))]

use std::env;
use std::path::Path;
use std::process::Command;

/// Set in the process that runs the cases.
const INSIDE: &str = "BARTIZAN_UI_CASES";

#[test]
fn the_compiler_names_the_fix() {
    if env::var_os(INSIDE).is_some() {
        trybuild::TestCases::new().compile_fail("cases/*.rs");
        return;
    }
    // In a process of its own: it reports past libtest's capture, in lines that read like results of tests.
    let this = env::current_exe().expect("a running test is a file");
    let mut cases = Command::new(this);
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/compile-fail");
    // The compiler says it without the dots, and they would stand in the snapshots.
    let package = package.canonicalize().expect("the cases are there");
    // `trybuild` takes the dependencies of the package that this variable names.
    cases.env(INSIDE, "1").env("CARGO_MANIFEST_DIR", &package).current_dir(&package);
    let output = cases.args(["--exact", "the_compiler_names_the_fix"]).output();
    let output = output.expect("this binary runs once more");
    let report = String::from_utf8_lossy(&output.stderr);
    println!("{report}");
    assert!(report.contains("cases/"), "no case ran");
    assert!(output.status.success(), "see the report above");
}
