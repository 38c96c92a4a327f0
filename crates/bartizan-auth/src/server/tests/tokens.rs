//! Bearer tokens, and what RFC 6750 has said of those that are not good.

use super::*;
use crate::Secret;

fn tokens() -> BearerTokens {
    BearerTokens::new(principals())
}

fn bearer(rest: &str) -> (u16, String) {
    let status = match rest {
        _ if rest.contains("invalid_request") => 400,
        _ if rest.contains("insufficient_scope") => 403,
        _ => 401,
    };
    (status, format!("Bearer realm=\"api\"{rest}"))
}

#[tokio::test]
async fn a_token_is_known_by_its_digest() {
    for field in ["Bearer k3y", "bEARER   k3y "] {
        assert_eq!(who(&tokens(), get("/", &[("authorization", field)])).await, Ok("billing".into()));
    }
    let head =
        ask(&VerifyLayer::new(tokens()), get("/?x", &[("authorization", "Bearer k3y"), ("x", "1")])).await;
    assert_eq!(written(&head.unwrap()), ("/?x".into(), vec!["x: 1".into()]), "it is taken out");
}

#[tokio::test]
async fn without_a_token_there_is_no_error_code() {
    for (target, fields) in [
        ("/", &[][..]),
        ("/", &[("authorization", "Basic YTpi")]),
        ("/", &[("authorization", "Bearerk3y")]),
        ("/?access_token=k3y", &[]),
        ("/?access_token=k3y&access_token=k3y", &[("authorization", "Basic YTpi")]),
    ] {
        assert_eq!(who(&tokens(), get(target, fields)).await, Err(bearer("")), "{target} {fields:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_unknown_is_invalid() {
    let refused = Err(bearer(", error=\"invalid_token\""));
    assert_eq!(who(&tokens(), get("/", &[("authorization", "Bearer other")])).await, refused);
}

#[tokio::test]
async fn what_is_no_token_is_an_invalid_request() {
    let described =
        |why| Err(bearer(&format!(", error=\"invalid_request\", error_description=\"the token {why}\"")));
    let anybody = BearerTokens::by(|_, _| Ok("anybody".into()));
    for field in
        ["Bearer", "Bearer ", "Bearer =", "Bearer a b", "Bearer a, Bearer b", "Bearer \"a\"", "Bearer é"]
    {
        let answer = who(&anybody, get("/", &[("authorization", field)])).await;
        assert_eq!(answer, described("is no bearer token"), "{field}");
    }
    let twice = [("authorization", "Bearer k3y"), ("authorization", "Bearer k3y")];
    assert_eq!(who(&anybody, get("/", &twice)).await, described("stands in two fields of `Authorization`"));
}

#[tokio::test]
async fn a_token_in_field_and_query_is_an_invalid_request_even_where_queries_are_not_looked_at() {
    for tokens in [tokens(), tokens().or_in_query()] {
        for target in ["/?access_token=k3y", "/?a&access%5Ftoken=other", "/?access_token"] {
            let answer = who(&tokens, get(target, &[("authorization", "Bearer k3y")])).await;
            assert_eq!(status(answer), 400, "{target}");
        }
    }
}

#[tokio::test]
async fn in_a_query_a_token_is_known_where_that_is_asked_for() {
    let tokens = tokens().or_in_query();
    for (target, expected) in [
        ("/?access_token=k3y", 200),
        ("/?a=b&access_token=%6b3y", 200),
        ("/?access_token=other", 401),
        ("/?Access_Token=k3y", 401),
        ("/?access_token=", 400),
        ("/?access_token=a%20b", 400),
        ("/?access_token=%FF", 400),
        ("/?access_token=k3y&access_token=k3y", 400),
    ] {
        assert_eq!(status(who(&tokens, get(target, &[])).await), expected, "{target}");
    }
    let other = ("authorization", "Basic YTpi");
    let head = ask(&VerifyLayer::new(tokens), get("/?a=b&access_token=k3y", &[other])).await.unwrap();
    assert_eq!(written(&head), ("/?a=b".into(), vec!["authorization: Basic YTpi".into()]), "it is taken out");
}

#[tokio::test]
async fn a_closure_knows_token_and_request_and_may_ask_for_a_scope() {
    let tokens = BearerTokens::by(|token: &Secret, request| match (token.expose(), request.uri.path()) {
        ("k3y", "/read") => Ok("alice".into()),
        ("k3y", _) => Err(Denial::LacksScope(Scope::new("write admin").expect("two words"))),
        _ => Err(Denial::Refused),
    });
    for (target, token, expected) in [
        ("/read", "Bearer k3y", Ok("alice".to_owned())),
        ("/write", "Bearer k3y", Err(bearer(", error=\"insufficient_scope\", scope=\"write admin\""))),
        ("/read", "Bearer other", Err(bearer(", error=\"invalid_token\""))),
    ] {
        assert_eq!(who(&tokens, get(target, &[("authorization", token)])).await, expected);
    }
}

#[tokio::test]
async fn the_client_side_takes_a_refusal_for_what_it_is() {
    let denied = async |field| {
        let denied =
            ask(&VerifyLayer::new(tokens()), get("/", &[("authorization", field)])).await.unwrap_err();
        let mut headers = http::HeaderMap::new();
        headers.insert(WWW_AUTHENTICATE, denied.challenges()[0].clone());
        crate::challenge::refuses_token(&headers)
    };
    assert!(denied("Bearer other").await);
    assert!(!denied("Basic YTpi").await && !denied("Bearer a b").await);
}

#[test]
fn a_scope_is_words() {
    for good in ["a", "a b", "read:all !#[]~"] {
        assert_eq!(Scope::new(good).unwrap().as_str(), good);
    }
    for bad in ["", " ", "a  b", " a", "a ", "a\"", "a\\", "a\n", "é"] {
        assert!(Scope::new(bad).is_err(), "{bad:?}");
    }
}
