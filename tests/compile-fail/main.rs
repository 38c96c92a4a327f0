//! Does nothing: the cases are beside it, and `crates/bartizan/tests/ui.rs` has them compiled.

fn main() {}
