//! The inputs that fuzzing found worth keeping, through what `cargo xtask fuzz` does with them.

#![allow(missing_docs, unreachable_pub)]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::path::Path;

/// Runs each file; the name of one that fails stands before its panic.
fn run(target: &str, over: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("there is a corpus").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    for file in &files {
        println!("{}", file.display());
        over(&fs::read(file).expect("it can be read"));
    }
    assert!(files.len() >= 10, "{} files are no corpus", files.len());
}

#[test]
fn whatever_a_response_says_the_cache_holds_what_it_promises() {
    run("cache_response", fuzz::cache_response);
}

#[test]
fn whatever_a_request_asks_for_the_cache_holds_what_it_promises() {
    run("cache_request", fuzz::cache_request);
}

#[test]
fn a_date_is_read_or_is_none() {
    run("http_date", fuzz::http_date);
}

#[test]
fn a_wait_is_read_or_is_none() {
    run("retry_after", fuzz::retry_after);
}

#[test]
fn whatever_a_token_endpoint_answers_it_is_read_or_refused() {
    run("oauth_token", fuzz::oauth_token);
}

#[test]
fn whatever_a_browser_brings_back_only_the_right_login_has_a_code() {
    run("oauth_redirect", fuzz::oauth_redirect);
}

#[test]
fn a_challenge_is_read_as_its_grammar_says() {
    run("challenge", fuzz::challenge);
}

#[test]
fn a_request_verifies_if_nothing_that_is_signed_has_changed_and_only_then() {
    run("webhook_head", fuzz::webhook_head);
}

#[test]
fn the_id_in_a_body_is_what_a_second_reader_finds() {
    run("webhook_json", fuzz::webhook_json);
}

#[test]
fn what_is_signed_is_what_the_template_says() {
    run("webhook_template", fuzz::webhook_template);
}

#[test]
fn whatever_documents_and_answers_are_each_operation_is_told_one_thing() {
    run("graphql_merge", fuzz::graphql_merge);
}
