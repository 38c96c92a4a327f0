//! What is made of what token endpoints answer.

use super::*;

/// What a grant makes of this answer.
async fn of(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Result<TokenResponse, EndpointError> {
    Fake::new(move |_, _| reply()).client().client_credentials().token().await
}

async fn of_object(body: Value) -> Result<TokenResponse, EndpointError> {
    of(move || object(200, &body)).await
}

async fn error(reply: impl Fn() -> Reply + Send + Sync + 'static) -> EndpointError {
    of(reply).await.expect_err("it is refused")
}

/// With a transport that fails so.
async fn failed(with: fn() -> BoxError) -> EndpointError {
    error(move || Reply::Error(with())).await
}

#[tokio::test(start_paused = true)]
async fn a_token_comes_with_all_that_was_said_of_it() {
    let token = of_object(json!({
        "access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "bEARER", "expires_in": 3600,
        "refresh_token": "tGzv3JOkF0XG5Qx2TlKWIA", "scope": "a b", "id_token": "e30.e30.", "example": [1], "nothing": null,
    }))
    .await
    .unwrap();
    assert_eq!(token.access_token().expose(), "2YotnFZFEjr1zCsicMWpAA");
    assert_eq!(token.refresh_token().unwrap().expose(), "tGzv3JOkF0XG5Qx2TlKWIA");
    assert_eq!((token.lifetime(), token.scope()), (Some(3600 * SECOND), Some("a b")));
    assert_eq!(token.id_token().unwrap().expose(), "e30.e30.");
    assert_eq!((token.member("example"), token.member("nothing")), (Some(&json!([1])), None));
    assert_eq!(token.member("access_token"), None);
    let shown = printed(&token);
    for secret in ["2YotnFZF", "tGzv3JOk", "e30"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_kept_for_a_while_is_handed_out_with_what_is_left_of_its_life() {
    let token = of_object(json!({ "access_token": "t", "expires_in": 100 })).await.unwrap();
    tokio::time::advance(30 * SECOND).await;
    assert_eq!(token.token().lifetime, Some(70 * SECOND));
    tokio::time::advance(300 * SECOND).await;
    assert_eq!(token.token().lifetime, Some(Duration::ZERO));
}

#[tokio::test]
async fn a_lifetime_is_a_number_or_the_text_of_one_and_else_unknown() {
    for (given, lifetime) in [
        (json!(3600), Some(3600 * SECOND)),
        (json!("3600"), Some(3600 * SECOND)),
        (json!(" 3600 "), Some(3600 * SECOND)),
        (json!(1.5), Some(SECOND * 3 / 2)),
        (json!(1e300), Some(Duration::MAX)),
        (json!(u64::MAX), Some(Duration::MAX)),
        (json!(0), None),
        (json!(-1), None),
        (json!("-1"), None),
        (json!("NaN"), None),
        (json!("soon"), None),
        (json!(""), None),
        (json!(null), None),
        (json!([3600]), None),
    ] {
        let token = of_object(json!({ "access_token": "t", "expires_in": given })).await.unwrap();
        // Of numbers that no `u64` is near to.
        let shown = token
            .lifetime()
            .map(|lifetime| if lifetime > Duration::from_secs(1 << 62) { Duration::MAX } else { lifetime });
        assert_eq!(shown, lifetime, "{given}");
    }
    assert_eq!(of_object(json!({ "access_token": "t" })).await.unwrap().lifetime(), None);
}

#[tokio::test]
async fn what_servers_write_differently_is_read_all_the_same() {
    let scopes = of_object(json!({ "access_token": "t", "scope": ["a", 1, "b"] })).await.unwrap();
    assert_eq!(scopes.scope(), Some("a b"));
    let empty = of_object(
        json!({ "access_token": "t", "refresh_token": "", "id_token": null, "token_type": null, "error": "" }),
    );
    let empty = empty.await.unwrap();
    assert!(empty.refresh_token().is_none() && empty.id_token().is_none());
    let created = of(|| object(201, &json!({ "access_token": "t" }))).await.unwrap();
    assert_eq!(created.access_token().expose(), "t");
    let both = of_object(json!({ "access_token": "t", "error": "none" })).await.unwrap();
    assert_eq!(both.access_token().expose(), "t");
}

#[tokio::test]
async fn what_is_no_bearer_token_is_refused_and_the_request_may_have_been_worked_on() {
    for body in [
        json!({}),
        json!({ "access_token": null }),
        json!({ "access_token": "" }),
        json!({ "access_token": 1 }),
        json!({ "access_token": "a b" }),
        json!({ "access_token": "t\n" }),
        json!({ "access_token": "t", "token_type": "mac" }),
        json!({ "access_token": "t", "token_type": "DPoP" }),
    ] {
        let shown = body.to_string();
        let error = of_object(body).await.expect_err("it is no token");
        assert!(!error.is_permanent() && error.is_uncertain(), "{shown}: {error}");
    }
    for text in [
        "",
        "null",
        "[]",
        "<html>access_token</html>",
        "{\"access_token\":\"t\"",
        "{\"access_token\":\"t\"} x",
        "\"t\"",
    ] {
        let error = error(move || raw(200, text)).await;
        assert!(
            error.is_uncertain()
                && error.to_string() == "`https://as.example` answered 200 with what is no JSON object",
            "{text}: {error}"
        );
    }
    let deep = "[".repeat(60_000);
    assert!(error(move || raw(200, &deep)).await.is_uncertain());
}

#[tokio::test]
async fn what_the_server_says_is_an_error_with_a_type_whatever_its_status() {
    for status in [400, 401, 403, 200] {
        for (code, is_permanent) in [
            ("invalid_request", true),
            ("invalid_client", true),
            ("invalid_grant", true),
            ("unauthorized_client", true),
            ("unsupported_grant_type", true),
            ("unsupported_response_type", true),
            ("invalid_scope", true),
            ("access_denied", true),
            ("expired_token", true),
            ("unsupported_token_type", true),
            ("server_error", false),
            ("temporarily_unavailable", false),
            ("authorization_pending", false),
            ("slow_down", false),
            ("rate_limit_exceeded", false),
        ] {
            let error = error(move || refusal(status, code)).await;
            assert_eq!(error.code().unwrap().as_str(), code);
            assert_eq!(error.status().unwrap(), status);
            assert_eq!(
                (error.is_permanent(), error.is_uncertain()),
                (is_permanent, false),
                "{status} {code}"
            );
            let known = !matches!(error.code(), Some(ErrorCode::Other(_)));
            assert_eq!(known, code != "rate_limit_exceeded");
        }
    }
}

#[tokio::test]
async fn a_5xx_or_429_is_no_verdict_whatever_it_says() {
    for status in [500, 502, 503, 504, 429] {
        let error = error(move || {
            let head = Response::builder().status(status).header("retry-after", "7");
            Reply::Head(head, Body::frames([Step::data(r#"{"error":"invalid_grant"}"#)]))
        })
        .await;
        assert_eq!(error.code(), Some(&ErrorCode::InvalidGrant));
        assert!(!error.is_permanent() && !error.is_uncertain());
        assert_eq!(error.retry_in(), Some(7 * SECOND));
        let error = TokenError::from(error);
        assert_eq!((error.is_permanent(), error.retry_in()), (false, Some(7 * SECOND)));
    }
}

#[tokio::test]
async fn a_status_without_words_is_no_verdict_either() {
    for (status, body) in
        [(404, "<html>nothing here</html>"), (400, "{}"), (401, ""), (500, "x"), (400, r#"{"error":["x"]}"#)]
    {
        let error = error(move || raw(status, body)).await;
        assert!(!error.is_permanent() && !error.is_uncertain() && error.code().is_none(), "{status}");
        assert_eq!(error.to_string(), format!("`https://as.example` answered {status}"));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let error = error(move || {
            let head = Response::builder().status(status).header("location", "https://evil.example/");
            Reply::Head(head, Body::empty())
        })
        .await;
        assert!(!error.is_permanent() && !error.is_uncertain());
        assert_eq!(
            error.to_string(),
            format!("`https://as.example` answered {status}: what has secrets is not redirected")
        );
    }
}

#[tokio::test]
async fn more_than_64_kib_are_not_read() {
    let just = format!("{{\"access_token\":\"t\",\"x\":\"{}\"}}", "x".repeat(64 * 1024 - 27));
    assert_eq!(just.len(), 64 * 1024);
    let more = format!("{just} ");
    assert!(of(move || raw(200, &just)).await.is_ok());
    for reply in [
        Box::new(move || raw(200, &more)) as Box<dyn Fn() -> Reply + Send + Sync>,
        Box::new(|| Reply::Head(Response::builder(), Body::endless("x"))),
        Box::new(|| Reply::Head(Response::builder().header("content-length", "65537"), Body::never())),
    ] {
        let error = error(reply).await;
        assert_eq!(error.to_string(), "`https://as.example` answered with more than 64 KiB");
        assert!(error.is_uncertain() && !error.is_permanent());
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_than_ten_seconds_is_given_up() {
    let slow = || {
        let steps = (0..100).flat_map(|_| [Step::Wait(SECOND), Step::data(" ")]);
        Reply::Head(Response::builder(), Body::frames(steps))
    };
    for reply in [
        Box::new(|| Reply::Never) as Box<dyn Fn() -> Reply + Send + Sync>,
        Box::new(|| Reply::Head(Response::builder(), Body::never())),
        Box::new(slow),
    ] {
        let begun = tokio::time::Instant::now();
        let error = error(reply).await;
        assert_eq!(begun.elapsed(), 10 * SECOND);
        assert!(error.is_timeout() && error.is_uncertain() && !error.is_permanent());
        assert_eq!(error.to_string(), "`https://as.example` did not answer within 10s");
    }
}

#[tokio::test(start_paused = true)]
async fn the_timeout_may_be_another_one() {
    let fake = Fake::new(|_, _| Reply::Never);
    let server = ServerMetadata::new(TOKEN).unwrap();
    let client = OAuthClient::new(fake.transport().timeout(3 * SECOND), server, "c");
    let begun = tokio::time::Instant::now();
    assert!(client.client_credentials().token().await.unwrap_err().is_timeout());
    assert_eq!(begun.elapsed(), 3 * SECOND);
}

#[tokio::test]
async fn what_was_surely_not_sent_is_not_uncertain() {
    let refused = failed(|| io::Error::from(io::ErrorKind::ConnectionRefused).into()).await;
    assert!(!refused.is_uncertain() && !refused.is_permanent());
    assert_eq!(refused.to_string(), "`https://as.example` was not reached: connection refused");
    let rejected = failed(|| bartizan_core::Rejection::new(None).into()).await;
    assert!(!rejected.is_uncertain());
    let reset = failed(|| io::Error::from(io::ErrorKind::ConnectionReset).into()).await;
    assert!(reset.is_uncertain() && !reset.is_permanent());
    let cut = error(|| Reply::Head(Response::builder(), Body::frames([Step::data("{"), Step::Error]))).await;
    assert!(cut.is_uncertain() && std::error::Error::source(&cut).is_some());
}

#[tokio::test]
async fn what_a_stranger_says_is_told_in_one_line_of_two_hundred_characters() {
    let long = "é\n\u{7}".repeat(500);
    let body =
        json!({ "error": "in\nvalid", "error_description": long, "error_uri": "https://as.example/e" });
    let error = error(move || object(400, &body)).await;
    assert_eq!(error.description().unwrap().chars().count(), 200);
    assert!(!error.to_string().contains('\n') && !error.to_string().contains('\u{7}'));
    assert_eq!(error.code(), Some(&ErrorCode::Other("in valid".into())));
    assert_eq!(error.error_uri(), Some("https://as.example/e"));
    assert_eq!(error.origin(), "https://as.example");
}

#[tokio::test]
async fn an_error_names_the_server_the_status_and_the_reason() {
    let body = json!({ "error": "invalid_grant", "error_description": "it has ended" });
    let error = error(move || object(400, &body)).await;
    assert_eq!(error.to_string(), "`https://as.example` answered 400 with `invalid_grant`: it has ended");
}

proptest::proptest! {
    #[test]
    fn no_answer_panics(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), status in 200_u16..600) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let body = Bytes::from(body);
        let _ = runtime.block_on(of(move || {
            Reply::Head(Response::builder().status(status), Body::frames([Step::Data(body.clone())]))
        }));
    }

    #[test]
    fn whatever_the_members_are_they_are_read_or_refused(
        member in "access_token|expires_in|refresh_token|scope|error|token_type",
        value in "null|true|-?[0-9]{1,30}|[0-9]e[0-9]{1,3}|\"[a-z =\\\\n]{0,5}\"|\\[\\]|\\{\\}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let body = format!("{{\"access_token\":\"t\",\"{member}\":{value}}}");
        let _ = runtime.block_on(of(move || raw(200, &body)));
    }
}
