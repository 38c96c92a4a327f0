//! Endpoints of an API's own.

use super::*;

const URL: &str = "https://api.example.com/auth/refresh";

async fn fetch(fake: &Fake, refresh: Option<&str>) -> Result<Token, TokenError> {
    JsonRefresh::new(fake.transport(), URL).unwrap().fetch(refresh.map(Secret::from)).await
}

#[tokio::test]
async fn it_posts_the_refresh_token_and_reads_the_access_token() {
    let fake = Fake::new(|_, _| {
        object(200, &json!({ "accessToken": "a2", "refreshToken": "r2", "expiresIn": "60", "error": "none" }))
    });
    let token = fetch(&fake, Some("r\"1")).await.unwrap();
    assert_eq!(token.access().expose(), "a2");
    assert_eq!(token.refresh.unwrap().expose(), "r2");
    assert_eq!(token.lifetime, Some(60 * SECOND));
    let asked = fake.take().remove(0);
    assert_eq!(asked.body, r#"{"refreshToken":"r\"1"}"#);
    assert_eq!((asked.head.method.as_str(), asked.head.uri.to_string()), ("POST", URL.to_owned()));
    assert_eq!(
        (asked.head.headers["content-type"].as_bytes(), asked.head.headers["accept"].as_bytes()),
        (&b"application/json"[..], &b"application/json"[..])
    );
    let bare = Fake::new(|_, _| object(200, &json!({ "accessToken": "a2" })));
    let token = fetch(&bare, Some("r1")).await.unwrap();
    assert!(token.refresh.is_none() && token.lifetime.is_none());
}

#[tokio::test]
async fn the_api_may_call_them_otherwise() {
    let fake = Fake::new(|_, _| object(200, &json!({ "token": "a2", "ttl": 5 })));
    let source = JsonRefresh::new(fake.transport(), URL).unwrap().names("token", "refresh", "ttl");
    let token = source.fetch(Some(Secret::from("r1"))).await.unwrap();
    assert_eq!((token.access().expose(), token.lifetime), ("a2", Some(5 * SECOND)));
    assert_eq!(fake.take().remove(0).body, r#"{"refresh":"r1"}"#);
    assert_eq!(printed(&source).matches("JsonRefresh").count(), 2);
}

#[tokio::test]
async fn a_refusal_is_permanent_and_all_else_is_not() {
    for (status, is_permanent) in
        [(400, true), (401, true), (403, true), (404, false), (429, false), (500, false), (302, false)]
    {
        let fake = Fake::new(move |_, _| object(status, &json!({ "error": "x", "accessToken": "a" })));
        assert_eq!(fetch(&fake, Some("r1")).await.unwrap_err().is_permanent(), is_permanent, "{status}");
    }
    for body in ["", "[]", "{}", r#"{"accessToken":"a b"}"#] {
        let fake = Fake::new(move |_, _| raw(200, body));
        assert!(!fetch(&fake, Some("r1")).await.unwrap_err().is_permanent(), "{body}");
    }
    let fake = Fake::new(|_, _| tokens("t"));
    assert!(fetch(&fake, None).await.unwrap_err().is_permanent());
    assert_eq!(fake.count(), 0);
}

#[test]
fn it_is_asked_over_tls_alone() {
    let fake = Fake::new(|_, _| tokens("t"));
    for url in ["http://api.example.com/auth/refresh", "/auth/refresh", "https://api.example.com/#x"] {
        assert!(JsonRefresh::new(fake.transport(), url).is_err(), "{url}");
    }
    assert!(JsonRefresh::new(fake.transport(), "http://localhost:1/auth/refresh").is_ok());
}

#[tokio::test]
async fn a_refresh_token_whose_answer_was_lost_is_not_sent_again_unless_the_api_keeps_it() {
    for keeps in [false, true] {
        let fake = Fake::new(move |nth, _| match nth {
            1 => Reply::Error(io::Error::from(io::ErrorKind::ConnectionReset).into()),
            _ if keeps => object(200, &json!({ "accessToken": "a" })),
            nth => object(200, &json!({ "accessToken": "a", "refreshToken": format!("r{nth}") })),
        });
        let source = JsonRefresh::new(fake.transport(), URL).unwrap();
        let fetch = || source.fetch(Some(Secret::from("r")));
        fetch().await.unwrap();
        assert!(!fetch().await.unwrap_err().is_permanent());
        assert_eq!(fetch().await.map_err(|error| error.is_permanent()).err(), (!keeps).then_some(true));
        assert_eq!(fake.count(), if keeps { 3 } else { 2 });
    }
}
