//! What becomes of a session: refresh tokens that are replaced with each use, their theft, and their end.

use std::future::ready;
use std::sync::{Arc, Mutex};

use bartizan_auth::oauth::{ClientAuth, ErrorCode};
use bartizan_auth::{Refreshing, SavedToken, Stored, TokenStore};

use crate::clients::{
    api, asked_with, assert_refused, client, forgotten, logged_in, web, whoami, why_no_token,
};
use crate::servers::oidc_provider;

/// A store that the test looks into.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Option<SavedToken>>>);

impl Shelf {
    fn saved(&self) -> Option<SavedToken> {
        self.0.lock().expect("nothing panics under it").clone()
    }
}

impl TokenStore for Shelf {
    fn load(&self) -> Stored<Option<SavedToken>> {
        Box::pin(ready(Ok(self.saved())))
    }

    fn save(&self, token: &SavedToken) -> Stored<()> {
        *self.0.lock().expect("nothing panics under it") = Some(token.clone());
        Box::pin(ready(Ok(())))
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_session_goes_on_while_each_refresh_token_is_replaced() {
    let server = oidc_provider().await;
    let client = web(&server).await;
    let first = logged_in(&client).await;
    let shelf = Shelf::default();
    let tokens = Refreshing::builder(client.refresh()).store(shelf.clone()).build();
    tokens.set_token(first.token());
    let api = api(&server, tokens);
    let (mut access, mut refresh) = (first.access_token(), first.refresh_token().unwrap().clone());
    for generation in 1..=5 {
        forgotten(&server, &access).await;
        let answer = whoami(&server, api.clone()).await.unwrap();
        assert_eq!(answer, (200, "alice".to_owned()), "{generation}");
        let saved = shelf.saved().unwrap();
        assert!(saved.access != access && saved.refresh.as_ref() != Some(&refresh), "{generation}");
        (access, refresh) = (saved.access, saved.refresh.unwrap());
    }
    // The code, and one each.
    assert_eq!(server.token_requests().await, [200; 6]);
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_refresh_token_that_is_used_twice_ends_the_session_for_whoever_has_it() {
    let server = oidc_provider().await;
    let client = web(&server).await;
    let first = logged_in(&client).await;
    let tokens = Refreshing::new(client.refresh());
    tokens.set_token(first.token());
    let api = api(&server, tokens);
    assert_eq!(whoami(&server, api.clone()).await.unwrap().0, 200);
    // Somebody else has it, and is faster.
    let stolen = client.refresh().token(first.refresh_token().unwrap()).await.unwrap();
    assert_eq!(asked_with(&server, &stolen.access_token()).await.status, 200);
    forgotten(&server, &first.access_token()).await;

    // It is known from the first answer on, and nobody asks again.
    let refused = whoami(&server, api.clone()).await;
    let asked = server.token_requests().await.len();
    for error in [refused.unwrap_err(), whoami(&server, api).await.unwrap_err()] {
        let (failed, answer) = why_no_token(&error);
        assert!(failed.is_permanent() && answer.code() == Some(&ErrorCode::InvalidGrant), "{error}");
    }
    assert_eq!(server.token_requests().await.len(), asked);
    assert_eq!(asked_with(&server, &stolen.access_token()).await.status, 401);
    let next = client.refresh().token(stolen.refresh_token().unwrap()).await;
    assert_refused(next, &ErrorCode::InvalidGrant);
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_session_whose_tokens_are_given_back_is_over() {
    let server = oidc_provider().await;
    let client = web(&server).await;
    for is_refresh in [false, true] {
        let token = logged_in(&client).await;
        let (access, refresh) = (token.access_token(), token.refresh_token().unwrap());
        assert_eq!(asked_with(&server, &access).await.status, 200);
        let given_back = if is_refresh { refresh } else { &access };
        client.revoke(given_back).await.unwrap();
        assert_eq!(asked_with(&server, &access).await.status, 401);
        // This server ends the session with either.
        assert_refused(client.refresh().token(refresh).await, &ErrorCode::InvalidGrant);
        // Who is not sure asks again.
        client.revoke(given_back).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn what_another_client_has_cannot_be_given_back() {
    let server = oidc_provider().await;
    let token = logged_in(&web(&server).await).await;
    let other = client(&server, "basic", ClientAuth::basic("basic secret")).await;
    assert_refused(other.revoke(&token.access_token()).await, &ErrorCode::InvalidRequest);
    assert_eq!(asked_with(&server, &token.access_token()).await.status, 200);
}
