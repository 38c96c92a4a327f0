//! What the example prints.

use std::process::Command;

#[test]
fn the_layers_work_over_reqwest_and_know_its_errors() {
    let output = Command::new(env!("CARGO_BIN_EXE_reqwest_inner")).output().expect("the example runs");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "200 OK after 3 attempts\n\
         hello, alice\n\
         GET http://127.0.0.1:1/: error sending request: is_connect true, is_timeout false\n"
    );
}
