//! What the example prints.

use std::process::Command;

#[test]
fn flaky_answers_are_hidden_and_a_hang_is_a_504() {
    let output = Command::new(env!("CARGO_BIN_EXE_axum_outbound")).output().expect("the example runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(lines[0], "/users/1: 200 OK: alice");
    assert_eq!(lines[1], "/users/2: 200 OK: alice");
    assert!(
        lines[2].starts_with("/users/3: 504 Gateway Timeout: not sent again: attempt at 127.0.0.1:"),
        "{}",
        lines[2]
    );
    assert!(lines[2].ends_with("(limit 200ms)"), "{}", lines[2]);
    assert_eq!(lines[3], "the upstream saw 4 requests");
}
