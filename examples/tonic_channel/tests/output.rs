//! What the example prints.

use std::process::Command;

#[test]
fn what_the_head_tells_is_acted_on_and_what_the_trailers_tell_is_not() {
    let output = Command::new(env!("CARGO_BIN_EXE_tonic_channel")).output().expect("the example runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    // Ten attempts open the circuit: two counts, of which one failed, one watch, which was good to its layers, what hung, and six that took in vain.
    assert_eq!(
        text,
        "Stack: ReplayLayer > deadline of 2 s > retry, 3 attempts, a budget by origin > gate > circuit breaker by origin > attempt timeout of 0.3 s\n\
         attempts: 0 s, ~0.05 s, ~0.15 s; at most 2 s\n\
         \n\
         Count:   5 apples, after 2 requests\n\
         Take:    Unavailable, after 1 request\n\
         Watch:   5 apples, then Unavailable, after 1 request\n\
         Hang:    Unknown, timed out: true, after 1 request\n\
         Take:    Unknown, circuit open: true, after 5 more requests\n"
    );
}
