//! The mistakes that people make most, and what the compiler tells them.
//!
//! The snapshots are those of the compiler that builds the project. After another one, or after a change to a message, write
//! them anew and read the difference: `TRYBUILD=overwrite cargo test -p bartizan --test ui`.
#![cfg(all(feature = "retry", feature = "timeout"))]

#[test]
fn the_compiler_names_the_fix() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
