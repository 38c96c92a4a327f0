//! What the example prints.

use std::process::Command;

#[test]
fn each_layer_answers_in_its_turn() {
    let output = Command::new(env!("CARGO_BIN_EXE_axum_inbound")).output().expect("the example runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    // The breaker opens at the tenth call that it sees, eight of which failed: one report each, what hung, and seven that broke. A hit it does not see.
    // Each costs a token, those that the breaker refused too:
    // of 20 an hour billing has spent 11 by then.
    assert_eq!(
        text,
        "stranger 401\n\
         billing  200: report 1, for billing\n\
         billing  200, with age: report 1, for billing\n\
         search   200: report 2, for search\n\
         billing  504\n\
         billing  7 x 500, then 503, with retry-after\n\
         billing  9 x 200, with age: report 1, for billing, then 429, with retry-after\n\
         search   200, with age: report 2, for search\n"
    );
}
