//! What the example prints.

use std::process::Command;

#[test]
fn each_client_gets_what_the_quota_allows_and_no_more() {
    let output = Command::new(env!("CARGO_BIN_EXE_axum_rate_limit")).output().expect("the example runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<&str> = text.lines().collect();
    let allowed: u32 = lines[6].rsplit(' ').next().unwrap().parse().unwrap();
    for (client, lines) in ["2001:db8::1", "203.0.113.1", "203.0.113.2"].iter().zip(lines.chunks(2)) {
        let count = |line: &str, status: &str| -> u32 {
            let count =
                line.strip_prefix(&format!("{client}: ")).unwrap().strip_suffix(&format!(" x {status}"));
            count.unwrap().parse().unwrap()
        };
        let good = count(lines[0], "200 OK");
        assert!(good >= 10 && good <= allowed, "{text}");
        assert_eq!(good + count(lines[1], "429 Too Many Requests"), 500, "{text}");
    }
}
