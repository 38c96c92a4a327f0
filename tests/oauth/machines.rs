//! Clients that ask for themselves, and the ways in which they say who they are.

use std::time::Duration;

use bartizan_auth::oauth::{ClientAuth, ErrorCode, OAuthClient, ServerMetadata};
use bartizan_auth::{Refreshing, SigningKey, TokenEvent};
use tokio::sync::mpsc::unbounded_channel;

use crate::clients::{api, asked_with, assert_refused, client, transport, whoami, why_no_token};
use crate::servers::{Server, authlib, oidc_provider};

/// A token is had, twice, and is good at the API; and so the server has seen who asked.
async fn takes(server: &Server, id: &str, auth: ClientAuth, seen: &str) {
    let source = client(server, id, auth).await.client_credentials();
    source.token().await.expect("a token");
    let token = source.token().await.expect("another one");
    let answer = asked_with(server, &token.access_token()).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, id.as_bytes()));
    let log = server.log().await;
    let asked = log.iter().find(|entry| entry["path"] == "/token").expect("it was asked");
    assert_eq!(asked["client_auth"], seen);
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_client_proves_itself_by_basic() {
    takes(&oidc_provider().await, "basic", ClientAuth::basic("basic secret"), "basic").await;
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_client_proves_itself_in_the_body() {
    takes(&oidc_provider().await, "post", ClientAuth::post("post&secret=+%"), "post").await;
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_client_proves_itself_by_a_signature_of_es256() {
    let server = oidc_provider().await;
    let key = SigningKey::es256(server.said("es256")).unwrap();
    takes(&server, "es256", ClientAuth::private_key_jwt(key), "jwt").await;
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_client_proves_itself_by_a_signature_of_eddsa() {
    let server = oidc_provider().await;
    let key = SigningKey::ed25519(server.said("eddsa")).unwrap();
    takes(&server, "eddsa", ClientAuth::private_key_jwt(key), "jwt").await;
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_public_client_proves_nothing() {
    takes(&oidc_provider().await, "none", ClientAuth::none(), "none").await;
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn reserved_characters_stand_in_id_and_secret() {
    let server = oidc_provider().await;
    let auth = ClientAuth::basic(server.said("reserved_secret"));
    takes(&server, server.said("reserved_id"), auth, "basic").await;
}

#[tokio::test]
#[ignore = "needs authlib: cargo xtask test"]
async fn a_server_that_does_not_decode_basic_gets_it_raw() {
    let server = authlib().await;
    let secret = server.said("raw_secret");
    let metadata = || ServerMetadata::new(&server.uri("/token")).unwrap();
    let client = |auth| OAuthClient::new(transport(), metadata(), "raw").authenticate(auth);
    let by_rfc = client(ClientAuth::basic(secret)).client_credentials().token().await;
    assert_refused(by_rfc, &ErrorCode::InvalidClient);
    assert!(client(ClientAuth::basic_raw(secret)).client_credentials().token().await.is_ok());
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_wrong_proof_is_refused_for_good_and_not_tried_again() {
    let server = oidc_provider().await;
    let another = SigningKey::ed25519(server.said("eddsa")).unwrap();
    for (id, auth) in [
        ("basic", ClientAuth::basic("another secret")),
        ("basic", ClientAuth::none()),
        ("post", ClientAuth::post("another secret")),
        ("es256", ClientAuth::private_key_jwt(another)),
        ("nobody", ClientAuth::none()),
    ] {
        let client = client(&server, id, auth).await;
        let asked = server.token_requests().await.len();
        let api = api(&server, Refreshing::new(client.client_credentials()));
        for _ in 0..2 {
            let error = whoami(&server, api.clone()).await.unwrap_err();
            let (failed, answer) = why_no_token(&error);
            assert_eq!(answer.code(), Some(&ErrorCode::InvalidClient), "{id}: {answer}");
            assert!(failed.is_permanent(), "{id}");
        }
        assert_eq!(server.token_requests().await.len(), asked + 1, "{id}");
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn tokens_of_two_seconds_fail_no_call() {
    let server = oidc_provider().await;
    let client = client(&server, "brief", ClientAuth::basic("brief secret")).await;
    let (renewed, mut generations) = unbounded_channel();
    let tokens = Refreshing::builder(client.client_credentials()).hook(move |event| {
        if let TokenEvent::Renewed { lifetime, .. } = event {
            let _ = renewed.send(*lifetime);
        }
    });
    let api = api(&server, tokens.build());
    let mut calls = 0;
    // They take seven seconds.
    while generations.len() < 5 {
        let answer = whoami(&server, api.clone()).await.unwrap();
        assert_eq!(answer, (200, "brief".to_owned()), "call {calls}");
        calls += 1;
    }
    assert_eq!(generations.recv().await, Some(Some(Duration::from_secs(2))));
    assert!(calls > 50, "none of five tokens was used ten times");
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn discovery_believes_no_server_that_calls_itself_otherwise() {
    let server = oidc_provider().await;
    let other_name = server.issuer().replace("127.0.0.1", "localhost");
    let error = ServerMetadata::discover(&transport(), &other_name).await.unwrap_err();
    assert!(error.is_permanent() && error.to_string().contains("another issuer"), "{error}");
    assert_eq!(server.log().await[0]["path"], "/.well-known/oauth-authorization-server");
}
