use crate::{
    libtest::Verdict::{self, Failed, Ignored, Ok},
    results::{Results, Row},
};

use super::check;

const RESULTS: &[(&str, &str, &str, Verdict)] = &[
    ("wall", "src/lib.rs", "gate::tests::opens", Ok),
    ("wall", "src/lib.rs", "gate::tests::breaks", Failed),
    ("wall", "src/lib.rs", "gate::tests::sleeps", Ignored),
    ("wall", "tests/siege.rs", "holds", Ok),
    ("wall", "tests/shared.rs", "both", Failed),
    ("wall", "doc", "src/gate.rs - gate::Gate (line 3)", Ok),
    ("wall", "doc", "src/gate.rs - gate::Arch (line 3)", Ok),
    ("wall", "doc", "src/gate.rs - gate::Arch (line 9)", Failed),
    ("tower", "src/lib.rs", "gate::tests::of_another_crate", Ok),
    ("harness", "tests/faults.rs", "no_post_twice", Ok),
    ("harness", "tests/shared.rs", "both", Ok),
];

/// The complaints about a whole file, as `line: text`.
fn complaints(text: &str) -> Vec<String> {
    let row = |(package, target, test, verdict): &(&str, &str, &str, Verdict)| Row {
        package: (*package).to_owned(),
        target: (*target).to_owned(),
        test: (*test).to_owned(),
        verdict: *verdict,
    };
    let results = Results { sources: None, rows: RESULTS.iter().map(row).collect() };
    let (_, complaints) = check(text, "wall", "harness", &results);
    complaints.iter().map(|complaint| format!("{}: {}", complaint.line, complaint.text)).collect()
}

/// The complaints about rows that start in line 3.
fn in_rows(rows: &str) -> Vec<String> {
    complaints(&format!("| # | Rule | Source | Test |\n|---|---|---|---|\n{rows}"))
}

/// Asserts that there is one complaint, in `line`, and that it says each of `words`.
#[track_caller]
fn assert_one(complaints: &[String], line: usize, words: &[&str]) {
    let [complaint] = complaints else { panic!("one complaint expected: {complaints:#?}") };
    assert!(complaint.starts_with(&format!("{line}: ")), "{complaint}");
    for word in words {
        assert!(complaint.contains(word), "{word:?} in {complaint:?}");
    }
}

#[test]
fn a_good_file_passes() {
    let text = "# Rules\n\nWords between.\n\n\
        | # | Rule | Source | Test |\n|--:|:--|---|---|\n\
        | 1 | The gate opens. | RFC 9110, 9.2.2 | `gate::tests::opens` |\n\
        | 2 | A \\| bar. | decision | `tests/siege.rs::holds`, `tests/faults.rs::no_post_twice` |\n\
        \n## More\n\n\
        | # | Rule | Source | Test |\n|---|---|---|---|\n\
        | 3 | A gate cannot be forged. | decision | `doctest::gate::Gate` |\n";
    assert_eq!(complaints(text), [""; 0]);
}

#[test]
fn a_rule_needs_a_test() {
    assert_one(&in_rows("| 1 | The gate opens. | decision | |"), 3, &["rule 1", "no test"]);
}

#[test]
fn a_rule_needs_a_source() {
    assert_one(&in_rows("| 1 | The gate opens. | | `gate::tests::opens` |"), 3, &["rule 1", "no source"]);
}

#[test]
fn a_rule_needs_a_sentence() {
    assert_one(&in_rows("| 1 | | decision | `gate::tests::opens` |"), 3, &["rule 1", "one sentence"]);
}

#[test]
fn a_test_that_did_not_run_is_no_proof() {
    let complaints = in_rows("| 1 | A. | b | `gate::tests::shuts` |");
    assert_one(&complaints, 3, &["rule 1", "gate::tests::shuts", "did not run", "write that test"]);
}

#[test]
fn a_misplaced_test_is_named_where_it_ran() {
    let complaints = in_rows("| 1 | A. | b | `tests/gate.rs::opens` |");
    assert_one(&complaints, 3, &["did not run", "`gate::tests::opens` did"]);
    let complaints = in_rows("| 1 | A. | b | `tests/siege.rs::no_post_twice` |");
    assert_one(&complaints, 3, &["did not run", "`tests/faults.rs::no_post_twice` did"]);
}

#[test]
fn a_unit_test_of_another_crate_is_no_proof() {
    assert_one(&in_rows("| 1 | A. | b | `gate::tests::of_another_crate` |"), 3, &["did not run"]);
}

#[test]
fn an_integration_test_is_no_unit_test() {
    assert_one(&in_rows("| 1 | A. | b | `holds` |"), 3, &["did not run", "`tests/siege.rs::holds` did"]);
}

#[test]
fn a_failed_test_is_no_proof() {
    assert_one(&in_rows("| 1 | A. | b | `gate::tests::breaks` |"), 3, &["gate::tests::breaks", "failed"]);
}

#[test]
fn an_ignored_test_is_no_proof() {
    assert_one(&in_rows("| 1 | A. | b | `gate::tests::sleeps` |"), 3, &["gate::tests::sleeps", "ignored"]);
}

#[test]
fn one_bad_test_among_good_ones_is_found() {
    let complaints = in_rows("| 1 | A. | b | `gate::tests::opens`, `gate::tests::breaks` |");
    assert_one(&complaints, 3, &["gate::tests::breaks"]);
}

#[test]
fn one_bad_example_of_an_item_is_found() {
    assert_one(&in_rows("| 1 | A. | b | `doctest::gate::Arch` |"), 3, &["doctest::gate::Arch", "failed"]);
}

#[test]
fn the_crates_own_integration_test_comes_before_the_harness() {
    assert_one(&in_rows("| 1 | A. | b | `tests/shared.rs::both` |"), 3, &["failed"]);
}

#[test]
fn a_number_is_used_once() {
    let rows = "| 1 | A. | b | `gate::tests::opens` |\n| 1 | A. | b | `gate::tests::opens` |";
    assert_one(&in_rows(rows), 4, &["number 1", "twice", "line 3", "the next is 2"]);
}

#[test]
fn a_number_used_twice_does_not_shift_the_next() {
    let rows = [1, 2, 1, 3].map(|number| format!("| {number} | A. | b | `gate::tests::opens` |\n"));
    assert_one(&in_rows(&rows.concat()), 5, &["number 1", "twice"]);
}

#[test]
fn numbers_have_no_gap() {
    let rows = "| 1 | A. | b | `gate::tests::opens` |\n| 3 | A. | b | `gate::tests::opens` |";
    assert_one(&in_rows(rows), 4, &["number 3", "2 is next"]);
    assert_one(&in_rows("| 0 | A. | b | `gate::tests::opens` |"), 3, &["number 0", "1 is next"]);
}

#[test]
fn a_number_is_digits_only() {
    for number in ["1a", "01", "+1", "", "one", "99999999999"] {
        assert_one(&in_rows(&format!("| {number} | A. | b | `gate::tests::opens` |")), 3, &["digits only"]);
    }
}

#[test]
fn a_row_has_four_cells() {
    for row in
        ["| 1 | A. | `t` |", "| 1 | A. | b | `t` | c |", "| 1 | A. | b | `t`", "| 1 | A. | b | `t` \\|"]
    {
        assert_one(&in_rows(row), 3, &["a row is"]);
    }
}

#[test]
fn a_test_path_has_one_of_three_forms() {
    let wrong =
        ["gate::tests::opens", "`gate::`", "`gate tests`", "`tests/siege.rs`", "`tests/siege.rs::`", "``"];
    for path in wrong {
        assert_one(&in_rows(&format!("| 1 | A. | b | {path} |")), 3, &["no test path", "backticks"]);
    }
    let complaints = in_rows("| 1 | A. | b | `gate::tests::opens` `gate::tests::opens` |");
    assert_one(&complaints, 3, &["no test path"]);
    assert_one(&in_rows("| 1 | A. | b | `gate::tests::opens`, |"), 3, &["no test path"]);
}

#[test]
fn a_table_with_another_header_hides_no_rules() {
    let text = "| No | Rule | Source | Test |\n|---|---|---|---|\n| 1 | A. | | |\n";
    assert_one(&complaints(text), 1, &["the header"]);
}

#[test]
fn a_header_without_dashes_is_malformed() {
    let text = "| # | Rule | Source | Test |\n\n| 1 | A. | b | `gate::tests::opens` |\n";
    let complaints = complaints(text);
    assert_eq!(complaints.len(), 2, "{complaints:#?}");
    assert!(complaints[0].starts_with("2: ") && complaints[0].contains("dashes"));
}

#[test]
fn a_file_without_rules_is_malformed() {
    for text in ["", "# Rules\n\nNone yet.\n", "| # | Rule | Source | Test |\n|---|---|---|---|\n"] {
        assert_one(&complaints(text), 1, &["no rules"]);
    }
}
