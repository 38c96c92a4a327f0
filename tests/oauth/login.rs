//! The code grant with PKCE, through the pages where users log in.

use bartizan_auth::oauth::{ClientAuth, ErrorCode, PendingLogin};

use crate::browser::{User, visit};
use crate::clients::{CALLBACK, asked_with, assert_refused, client, web};
use crate::servers::oidc_provider;

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_user_logs_in_and_a_public_client_gets_a_token_for_the_code() {
    let server = oidc_provider().await;
    let client = client(&server, "app", ClientAuth::none()).await;
    // An app listens where there is room: any port of the loopback will do (RFC 8252 section 7.3).
    let mut login = client.login("http://127.0.0.1:7777/callback").scope("openid read").begin().unwrap();
    let redirect = visit(login.url(), User::Agrees).await;
    assert!(redirect.starts_with("http://127.0.0.1:7777/callback?"), "{redirect}");
    let token = login.redirected(&redirect).unwrap().exchange().await.unwrap();
    assert_eq!(token.scope(), Some("openid read"));
    assert!(token.refresh_token().is_some() && token.id_token().is_some());
    let answer = asked_with(&server, &token.access_token()).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, &b"alice"[..]));
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_user_logs_in_and_a_client_with_a_secret_gets_a_token_for_the_code() {
    let server = oidc_provider().await;
    let client = web(&server).await;
    let mut login = client.login(CALLBACK).scope("read").begin().unwrap();
    let redirect = visit(login.url(), User::Agrees).await;
    let token = login.redirected(&redirect).unwrap().exchange().await.unwrap();
    let answer = asked_with(&server, &token.access_token()).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, &b"alice"[..]));
    let log = server.log().await;
    assert_eq!(log.iter().find(|entry| entry["path"] == "/token").unwrap()["client_auth"], "basic");
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_code_that_is_used_twice_is_refused_and_what_it_gave_is_revoked() {
    let server = oidc_provider().await;
    let client = web(&server).await;
    let mut login = client.login(CALLBACK).scope("read").begin().unwrap();
    let mut replayed = client.resume(login.pending().clone());
    let redirect = visit(login.url(), User::Agrees).await;
    let token = login.redirected(&redirect).unwrap().exchange().await.unwrap();
    assert_eq!(asked_with(&server, &token.access_token()).await.status, 200);
    let again = replayed.redirected(&redirect).unwrap().exchange().await;
    assert_refused(again, &ErrorCode::InvalidGrant);
    assert_eq!(asked_with(&server, &token.access_token()).await.status, 401);
    assert_refused(client.refresh().token(token.refresh_token().unwrap()).await, &ErrorCode::InvalidGrant);
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_code_is_nothing_to_who_has_not_begun_the_login() {
    let server = oidc_provider().await;
    let client = client(&server, "app", ClientAuth::none()).await;
    let login = client.login(CALLBACK).scope("read").begin().unwrap();
    let redirect = visit(login.url(), User::Agrees).await;
    for verifier in [None, Some("another".repeat(7).into())] {
        let thief = PendingLogin::new(login.pending().state.clone().expose(), verifier, CALLBACK);
        let stolen = client.resume(thief).redirected(&redirect).unwrap();
        assert_refused(stolen.exchange().await, &ErrorCode::InvalidGrant);
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_user_who_declines_is_told_by_its_code() {
    let server = oidc_provider().await;
    let mut login = web(&server).await.login(CALLBACK).scope("read").begin().unwrap();
    let redirect = visit(login.url(), User::Declines).await;
    let error = login.redirected(&redirect).unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::AccessDenied), "{error}");
    assert_eq!(error.description(), Some("End-User aborted interaction"));
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn the_redirect_of_another_login_is_refused_and_the_right_one_is_still_taken() {
    let server = oidc_provider().await;
    let client = web(&server).await;
    let begin = || client.login(CALLBACK).scope("read").begin().unwrap();
    let (mut login, another) = (begin(), begin());
    let redirect = visit(another.url(), User::Agrees).await;
    let error = login.redirected(&redirect).unwrap_err();
    assert!(error.is_elses(), "{error}");
    let redirect = visit(login.url(), User::Agrees).await;
    assert!(login.redirected(&redirect).unwrap().exchange().await.is_ok());
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_redirect_that_is_not_from_this_server_or_does_not_say_so_is_refused() {
    let server = oidc_provider().await;
    let client = web(&server).await;
    let login = client.login(CALLBACK).scope("read").begin().unwrap();
    let redirect = visit(login.url(), User::Agrees).await;
    let (before, issuer) = redirect.split_once("&iss=").expect("the server names itself (RFC 9207)");
    assert!(!issuer.contains('&'), "{redirect}");
    for (forged, why) in [
        (format!("{before}&iss=https%3A%2F%2Fother.example"), "from `https://other.example`"),
        (before.to_owned(), "does not say which server"),
    ] {
        let mut login = client.resume(login.pending().clone());
        let error = login.redirected(&forged).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert!(login.redirected(&redirect).is_err(), "the code may have been seen elsewhere");
    }
    assert_eq!(server.token_requests().await, Vec::<u64>::new(), "no code was sent anywhere");
}
