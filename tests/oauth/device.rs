//! The device flow: its user is elsewhere.

use std::time::Duration;

use bartizan_auth::EndpointError;
use bartizan_auth::oauth::{ClientAuth, DeviceLogin, ErrorCode, OAuthClient, ServerMetadata, TokenResponse};
use tokio::time::{sleep, timeout};

use crate::browser::{User, visit};
use crate::clients::{asked_with, assert_refused, client, transport};
use crate::http::post;
use crate::servers::{Server, authlib, oidc_provider};

async fn begun(server: &Server) -> DeviceLogin {
    let client = client(server, "device", ClientAuth::none()).await;
    client.device().scope("openid read").begin().await.expect("a code")
}

/// No server here lets anybody wait so long.
async fn waited_for(login: &mut DeviceLogin) -> Result<TokenResponse, EndpointError> {
    timeout(Duration::from_secs(60), login.wait()).await.expect("it has an end")
}

/// Until the server has been asked for the token, and had none.
async fn asked_too_early(server: &Server) {
    while server.token_requests().await.is_empty() {
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.token_requests().await, [400]);
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_device_gets_its_token_once_the_user_has_agreed() {
    let server = oidc_provider().await;
    let mut login = begun(&server).await;
    let place = login.verification_uri_complete().expect("it is in the answer").to_owned();
    assert!(place.starts_with(login.verification_uri()) && place.contains(login.user_code()), "{place}");
    let user = async {
        asked_too_early(&server).await;
        visit(&place, User::Agrees).await
    };
    let (token, page) = tokio::join!(waited_for(&mut login), user);
    assert!(page.contains("Sign-in Success"), "{page}");
    let token = token.unwrap();
    assert!(token.refresh_token().is_some());
    let answer = asked_with(&server, &token.access_token()).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, &b"alice"[..]));
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_device_is_told_that_the_user_has_declined() {
    let server = oidc_provider().await;
    let mut login = begun(&server).await;
    visit(login.verification_uri_complete().unwrap(), User::Declines).await;
    assert_refused(waited_for(&mut login).await, &ErrorCode::AccessDenied);
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_wait_that_is_dropped_loses_no_token() {
    let server = oidc_provider().await;
    let mut login = begun(&server).await;
    let place = login.verification_uri_complete().unwrap().to_owned();
    let in_pieces = async {
        loop {
            // No answer comes so soon.
            if let Ok(answer) = timeout(Duration::from_millis(1), login.wait()).await {
                return answer;
            }
        }
    };
    let (token, _) = tokio::join!(in_pieces, visit(&place, User::Agrees));
    assert!(token.is_ok(), "{token:?}");
}

#[tokio::test]
#[ignore = "needs authlib: cargo xtask test"]
async fn a_device_asks_less_often_once_it_was_told_to_slow_down() {
    let server = authlib().await;
    let metadata = ServerMetadata::new(&server.uri("/token")).unwrap();
    let metadata = metadata.device_authorization_endpoint(&server.uri("/device_authorization")).unwrap();
    let client = OAuthClient::new(transport(), metadata, "device");
    let mut login = client.device().begin().await.unwrap();
    post(&server.uri("/approve"), None, &format!("user_code={}", login.user_code())).await;
    assert!(waited_for(&mut login).await.is_ok());
    // Sooner than six seconds after the first time it would have been told so again.
    assert_eq!(server.log().await, ["slow_down", "token"]);
}
