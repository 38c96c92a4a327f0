use super::*;

fn slack() -> VerifyLayer {
    VerifyLayer::new(SignatureFormat::slack().verifier(["s"]).unwrap()).wall_clock(clock())
}

fn to_slack(content: &'static str, key: &str) -> Request<Full<Bytes>> {
    let mut request = Request::post("/").body(Full::from(content)).unwrap();
    let signer = SignatureFormat::slack().signer([key]).unwrap();
    signer.sign(request.headers_mut(), content.as_bytes(), clock().now()).unwrap();
    request
}

const CHALLENGE: &str = r#"{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}"#;

#[tokio::test]
async fn slacks_challenge_comes_back_once_it_is_verified() {
    let (answer, got) = call(slack(), to_slack(CHALLENGE, "s")).await;
    assert!(got.is_none(), "the app is not asked");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(text(answer).await, "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P");
    let (answer, _) = call(slack(), to_slack(CHALLENGE, "other")).await;
    assert_eq!(answer.status(), 401);
    assert!(!text(answer).await.contains("3eZbrw1a"));
}

#[tokio::test]
async fn all_else_of_slack_is_the_apps() {
    for content in [
        r#"{"type":"event_callback","challenge":"x"}"#,
        r#"{"type":"url_verification"}"#,
        "payload=%7B%22type%22%3A%22url_verification%22%7D",
        "",
    ] {
        let (_, got) = call(slack(), to_slack(content, "s")).await;
        assert!(got.is_some(), "{content}");
    }
}

#[tokio::test]
async fn other_senders_have_no_such_challenge() {
    let (_, got) = call(layer(), signed(CHALLENGE.as_bytes(), Full::<Bytes>::from(CHALLENGE))).await;
    assert!(got.is_some());
}

async fn asked(token: &str, method: &str, query: &str) -> (u16, String) {
    let request = Request::builder().method(method).uri(format!("/w?{query}")).body(Full::<Bytes>::default());
    let (answer, got) = call(layer().meta_handshake(token), request.unwrap()).await;
    assert!(got.is_none());
    let status = answer.status().as_u16();
    (status, text(answer).await)
}

#[tokio::test]
async fn metas_challenge_comes_back_to_whoever_knows_the_token() {
    let query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meaty%20hamster";
    assert_eq!(asked("meaty hamster", "GET", query).await, (200, "1158201444".to_owned()));
    for (token, query) in [
        ("meaty", query),
        ("meaty hamster", "hub.mode=subscribe&hub.challenge=1"),
        ("meaty hamster", "hub.mode=subscribe&hub.verify_token=meaty+hamster"),
        ("", "hub.mode=subscribe&hub.challenge=1&hub.verify_token="),
    ] {
        assert_eq!(asked(token, "GET", query).await.0, 403, "{query}");
    }
    let long = format!("hub.mode=subscribe&hub.verify_token=t&hub.challenge={}", "1".repeat(257));
    assert_eq!(asked("t", "GET", &long).await.0, 403);
    assert_eq!(asked("t", "GET", &long[..long.len() - 1]).await.0, 200);
}

#[tokio::test]
async fn what_is_no_handshake_has_to_be_signed() {
    let query = "hub.mode=subscribe&hub.challenge=1&hub.verify_token=t";
    assert_eq!(asked("t", "POST", query).await.0, 401);
    assert_eq!(asked("t", "GET", "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=t").await.0, 401);
    assert_eq!(asked("t", "GET", "").await.0, 401);
    let request = Request::get(format!("/?{query}")).body(Full::<Bytes>::default()).unwrap();
    assert_eq!(call(layer(), request).await.0.status(), 401, "off by default");
}

#[tokio::test]
async fn what_comes_back_is_no_page() {
    let query = "hub.mode=subscribe&hub.verify_token=t&hub.challenge=%3Cscript%3E";
    let request = Request::get(format!("/?{query}")).body(Full::<Bytes>::default()).unwrap();
    let (answer, _) = call(layer().meta_handshake("t"), request).await;
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(text(answer).await, "<script>");
}
