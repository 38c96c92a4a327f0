//! What the example prints.

use std::process::Command;

#[test]
fn the_layers_work_over_reqwest_and_know_its_errors() {
    let output = Command::new(env!("CARGO_BIN_EXE_reqwest_inner")).output().expect("the example runs");
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = printed.lines().collect();
    let [answer, body, failure] = lines[..] else { panic!("not three lines: {printed}") };
    assert_eq!((answer, body), ("200 OK after 2 attempts", "hello, alice"));
    // The number of the error is the system's.
    assert!(
        failure.starts_with("GET http://127.0.0.1:1/: error sending request: client error (Connect): "),
        "{failure}"
    );
    assert!(failure.contains(": Connection refused"), "{failure}");
    assert!(failure.ends_with(": is_connect true, is_timeout false"), "{failure}");
}
