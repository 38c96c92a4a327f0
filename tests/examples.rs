//! What the examples print.

#![allow(missing_docs)]

use std::process::Command;

fn run(example: &str) -> String {
    // Built already, with the tests.
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--offline", "--example", example])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs, since it runs this");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("examples print UTF-8")
}

#[test]
fn hyper_client() {
    let text = run("hyper_client");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["200 OK after 2 attempts", "hello"]);
    assert!(lines[2].starts_with("the server saw: 0ms GET /greeting -> hang; +1"), "{}", lines[2]);
    assert!(lines[2].ends_with("ms GET /greeting -> 200"), "{}", lines[2]);
}

#[test]
fn observed() {
    let text = run("observed");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("Stack: span of a call > deadline of 30 s > retry"), "{text}");
    assert_eq!(lines[2], "200 OK");
    // The origin has a port of its own each time.
    let counts: Vec<String> = lines[3..]
        .iter()
        .map(|line| {
            let (before, origin) = line.split_once("origin=\"").expect("each has an origin");
            before.to_owned() + origin.split_once("\",").expect("it is closed").1
        })
        .collect();
    assert_eq!(
        counts,
        [
            r#"bartizan_call_duration_count{http_request_method="GET",status_class="2xx",error_type=""} 1"#,
            r#"bartizan_retry_retries{cause="failed",status_class="5xx",error_type=""} 1"#,
            r#"http_client_request_duration_count{http_request_method="GET",status_class="2xx",error_type=""} 1"#,
            r#"http_client_request_duration_count{http_request_method="GET",status_class="5xx",error_type="503"} 1"#,
        ]
    );
}

#[test]
fn github_client() {
    assert_eq!(
        run("github_client"),
        "tower-rs/tower: Some(4000)\n\
         tower-rs/spire: None\n\
         no issue was opened: \"Validation Failed\"\n"
    );
}

#[test]
fn interceptors() {
    let text = run("interceptors");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "  attempt: 503 Service Unavailable",
            "  attempt: 200 OK",
            "call: 200 OK",
            "/orders: 3 orders",
            "call: 200 OK",
            "/ping: pong",
            r#"the server saw Some("call-1") with Some("signature-2")"#,
            r#"the server saw Some("call-1") with Some("signature-3")"#,
        ]
    );
}

#[test]
fn paginate() {
    let text = run("paginate");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "repos: tower, hyper",
            "repos: axum",
            "users: alice, bob",
            "users: carol",
            "the server saw GET /repos?per_page=2",
            "the server saw GET /repos?per_page=2&page=2",
            "the server saw GET /users?limit=2",
            "the server saw GET /users?limit=2&cursor=dXNlcjo%3D",
        ]
    );
}

#[test]
fn tenants() {
    let text = run("tenants");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            r#"acme: {"orders_of":"acme"}"#,
            r#"globex: {"orders_of":"globex"}"#,
            r#"acme: {"orders_of":"acme"}"#,
            r#"globex: {"orders_of":"globex"}"#,
            "nobody: the request names no tenant",
            r#"acme: {"orders_of":"acme"}"#,
            "  POST /token/acme, authorization: none",
            "  GET /orders, authorization: Bearer acme-1",
            "  POST /token/globex, authorization: none",
            "  GET /orders, authorization: Bearer globex-2",
            "  POST /token/globex, authorization: none",
            "  GET /orders, authorization: Bearer globex-3",
            "  GET /orders, authorization: Bearer acme-1",
            "  GET /orders, authorization: Bearer globex-3",
            "  POST /token/acme, authorization: none",
            "  GET /orders, authorization: Bearer acme-4",
        ]
    );
}

#[test]
fn versioned_api() {
    let text = run("versioned_api");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "deprecated: GET /users/{id}",
            "  works until Fri, 01 Jan 2027 00:00:00 GMT",
            "  use /accounts/{id} instead",
            r#"user 1: {"name":"alice","version":"2026-01-01"}"#,
            r#"user 2: {"name":"alice","version":"2026-01-01"}"#,
            r#"account: {"name":"alice","version":"2026-01-01"}"#,
        ]
    );
}

#[test]
fn retry_payments() {
    let text = run("retry_payments");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[4..],
        [
            "  attempt 1: failed, sent again",
            "payment 5: 201 Created after 2 attempts",
            "  attempt 1: failed, sent again",
            "payment 6: 201 Created after 2 attempts",
            "  attempt 1: given up: budget",
            "payment 7: Some(503)",
            "  attempt 1: given up: budget",
            "payment 8: Some(503)",
            "  attempt 1: given up: budget",
            "payment 9: Some(503)",
            "11 requests, 9 keys",
        ]
    );
}

#[test]
fn oauth_client_credentials() {
    assert_eq!(
        run("oauth_client_credentials"),
        "50 calls at once:\n  \
           Renewed { lifetime: Some(3600s) }\n  \
           50 answers, 1 token requests\n\
         the server revokes the token:\n  \
           Refused\n  \
           Renewed { lifetime: Some(3600s) }\n  \
           200 OK, 2 token requests\n"
    );
}

#[test]
fn oauth_code_login() {
    assert_eq!(
        run("oauth_code_login"),
        "a browser goes to the server, which sends it back\n  \
           /favicon.ico: the redirect has no `state`: it belongs to no login\n\
         logged in: TokenResponse { lifetime: Some(600s), scope: None, has_refresh_token: true, has_id_token: false, .. }\n\
         /me: 200 OK\n"
    );
}

#[test]
fn webhook_receiver() {
    assert_eq!(
        run("webhook_receiver"),
        "without a signature: 401 Unauthorized\n\
         with one: 200 OK\n\
         receipt sent\n\
         dead: failed in the last of 2 attempts: ledger\n\
         driven again: 1\n\
         booked\n\
         done\n\
         dead letters left: 0\n"
    );
}

#[test]
fn graphql_github() {
    assert_eq!(
        run("graphql_github"),
        "stars: Some(4000)\n\
         the answer has an error: Something went wrong at repository.description (SERVICE_UNAVAILABLE); it has data beside\n\
         stars: 4000, description: None\n\
         200 OK, after 2 requests\n\
         the answer has an error: Field 'repo' doesn't exist on type 'Query'\n  \
           POST /graphql, preview: None\n  \
           POST /graphql, preview: None\n  \
           POST /graphql, preview: Some(\"sub_issues\")\n  \
           POST /graphql, preview: Some(\"sub_issues\")\n  \
           POST /graphql, preview: None\n"
    );
}
