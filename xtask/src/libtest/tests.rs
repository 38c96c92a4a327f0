use super::{
    Origin::{Binary, Doctests},
    Parser, Run,
    Verdict::{self, Failed, Ignored, Ok},
};

const CLEAN: &str = "
    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.05s
     Running unittests src/lib.rs (target/debug/deps/wall-3f2a)

running 3 tests
test gate::tests::opens ... ok
test gate::tests::breaks - should panic ... ok
test gate::tests::asks_the_network ... ignored, needs a network: cargo xtask test

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running tests/siege.rs (/elsewhere/debug/deps/siege-77b0)

running 1 test
test holds ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s

   Doc-tests wall

running 2 tests
test src/lib.rs - gate::Gate (line 12) - compile fail ... ok
test src/lib.rs - gate::Gate (line 31) - compile ... ok

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

running 1 test
test src/lib.rs - (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

fn parse(output: &str) -> Vec<Run> {
    let mut parser = Parser::default();
    output.lines().for_each(|line| parser.feed(line));
    parser.finish()
}

/// Everything that is read from one binary whose output between header and summary is `body`.
fn parse_body(announced: usize, body: &str, summary: &str) -> Run {
    let head = format!("     Running tests/a.rs (target/debug/deps/a-1)\n\nrunning {announced} tests\n");
    let mut runs = parse(&format!("{head}{body}\ntest result: {summary}; 0 measured; 0 filtered out"));
    assert_eq!(runs.len(), 1);
    runs.remove(0)
}

fn results(run: &Run) -> Vec<(&str, Verdict)> {
    run.results.iter().map(|(name, verdict)| (name.as_str(), *verdict)).collect()
}

#[test]
fn each_run_knows_where_it_came_from() {
    let runs = parse(CLEAN);
    let origins: Vec<_> = runs.iter().map(|run| run.origin.clone().unwrap()).collect();
    let (wall, siege) = (Binary("wall-3f2a".into()), Binary("siege-77b0".into()));
    assert_eq!(origins, [wall, siege, Doctests("wall".into()), Doctests("wall".into())]);
}

#[test]
fn names_lose_their_mode_and_keep_their_verdict() {
    let runs = parse(CLEAN);
    let unit =
        [("gate::tests::opens", Ok), ("gate::tests::breaks", Ok), ("gate::tests::asks_the_network", Ignored)];
    assert_eq!(results(&runs[0]), unit);
    let doc = [("src/lib.rs - gate::Gate (line 12)", Ok), ("src/lib.rs - gate::Gate (line 31)", Ok)];
    assert_eq!(results(&runs[2]), doc);
}

#[test]
fn a_clean_run_is_complete() {
    assert!(parse(CLEAN).iter().all(Run::is_complete));
}

#[test]
fn captured_output_of_a_failure_adds_no_results() {
    let body = "test a ... FAILED\ntest b ... ok\n\nfailures:\n\n---- a stdout ----\n\
                \x20    Running tests/z.rs (z-9)\nrunning 9 tests\ntest c ... ok\n\
                test result: ok. 9 passed; 0 failed; 0 ignored\n\n\nfailures:\n    a\n";
    let run = parse_body(2, body, "FAILED. 1 passed; 1 failed; 0 ignored");
    assert_eq!(results(&run), [("a", Failed), ("b", Ok)]);
    assert!(run.is_complete());
}

#[test]
fn a_verdict_is_found_below_what_the_test_printed() {
    let run =
        parse_body(2, "test a ... noise\nmore ok\nok\ntest b ... ok\n", "ok. 2 passed; 0 failed; 0 ignored");
    assert_eq!(results(&run), [("a", Ok), ("b", Ok)]);
    assert!(run.is_complete());
}

#[test]
fn a_torn_line_makes_the_run_incomplete() {
    let run = parse_body(2, "noisetest a ... ok\ntest b ... ok\n", "ok. 2 passed; 0 failed; 0 ignored");
    assert_eq!(results(&run), [("b", Ok)]);
    assert!(!run.is_complete());
}

#[test]
fn a_verdict_that_the_summary_denies_makes_the_run_incomplete() {
    let run = parse_body(1, "test a ... noise\nok\nFAILED\n", "FAILED. 0 passed; 1 failed; 0 ignored");
    assert!(!run.is_complete());
}

#[test]
fn a_binary_that_dies_leaves_an_incomplete_run_and_the_next_is_read() {
    let runs = parse(
        "     Running tests/a.rs (target/debug/deps/a-1)\n\nrunning 2 tests\ntest x ... ok\n\
         error: test failed, to rerun pass `--test a`\n\
         \x20    Running tests/b.rs (target/debug/deps/b-2)\n\nrunning 1 test\ntest y ... ok\n\
         \ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
    );
    assert_eq!(runs.iter().map(Run::is_complete).collect::<Vec<_>>(), [false, true]);
    assert_eq!(runs[1].origin, Some(Binary("b-2".into())));
}

#[test]
fn an_empty_binary_is_complete() {
    assert!(parse_body(0, "", "ok. 0 passed; 0 failed; 0 ignored").is_complete());
}
