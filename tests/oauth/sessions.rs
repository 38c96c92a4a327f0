//! What becomes of a session: refresh tokens that are replaced with each use, their theft, and their end.

use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bartizan_auth::oauth::{ClientAuth, ErrorCode};
use bartizan_auth::{Refreshing, SavedToken, Stored, TokenStore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clients::{
    api, asked_with, assert_refused, client, forget_tokens, logged_in, web, whoami, why_no_token,
};
use crate::servers::oidc_provider;

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_session_goes_on_while_each_refresh_token_is_replaced() {
    let server = oidc_provider().await;
    let client = web(&server).await;
    let tokens = Refreshing::new(client.refresh());
    tokens.set_token(logged_in(&client).await.token());
    let api = api(&server, tokens);
    for generation in 1..=5 {
        forget_tokens(&server).await;
        let answer = whoami(&server, api.clone()).await.unwrap();
        assert_eq!(answer, (200, "alice".to_owned()), "{generation}");
    }
    // The code, and one each.
    assert_eq!(server.token_requests().await, [200; 6]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn two_hundred_calls_whose_token_is_gone_exchange_one_refresh_token() {
    let server = Arc::new(oidc_provider().await);
    let client = web(&server).await;
    let tokens = Refreshing::new(client.refresh());
    tokens.set_token(logged_in(&client).await.token());
    let api = api(&server, tokens);
    forget_tokens(&server).await;
    let mut calls = JoinSet::new();
    for _ in 0..200 {
        let (server, api) = (server.clone(), api.clone());
        calls.spawn(async move { whoami(&server, api).await.map(|(status, _)| status) });
    }
    let statuses: Result<Vec<_>, _> = calls.join_all().await.into_iter().collect();
    assert_eq!(statuses.unwrap(), [200; 200]);
    assert_eq!(server.token_requests().await, [200; 2]);
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn who_leaves_while_a_refresh_token_is_exchanged_ends_no_session() {
    let server = oidc_provider().await;
    let client = web(&server).await;
    let tokens = Refreshing::new(client.refresh());
    tokens.set_token(logged_in(&client).await.token());
    let api = api(&server, tokens);
    let generations = 20;
    for generation in 0..generations {
        forget_tokens(&server).await;
        // Before the token is refused, while the next one is fetched, or after that.
        let patience = Duration::from_micros(500) * generation;
        let _ = timeout(patience, whoami(&server, api.clone())).await;
        assert_eq!(whoami(&server, api.clone()).await.unwrap().0, 200, "{patience:?}");
    }
    assert_eq!(server.token_requests().await, vec![200; 1 + generations as usize]);
}

/// What outlives a process.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Option<SavedToken>>>);

impl Shelf {
    fn saved(&self) -> MutexGuard<'_, Option<SavedToken>> {
        self.0.lock().expect("nothing panics under it")
    }
}

impl TokenStore for Shelf {
    fn load(&self) -> Stored<Option<SavedToken>> {
        Box::pin(ready(Ok(self.saved().clone())))
    }

    fn save(&self, token: &SavedToken) -> Stored<()> {
        *self.saved() = Some(token.clone());
        Box::pin(ready(Ok(())))
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider: cargo xtask test"]
async fn a_session_goes_on_in_the_next_process() {
    let server = oidc_provider().await;
    let client = web(&server).await;
    let shelf = Shelf::default();
    let process = || Refreshing::builder(client.refresh()).store(shelf.clone()).build();
    let first = process();
    first.set_token(logged_in(&client).await.token());
    let mut api = api(&server, first);
    for _ in 0..3 {
        // What is saved is of no use as it is, but for the next one.
        forget_tokens(&server).await;
        assert_eq!(whoami(&server, api).await.unwrap(), (200, "alice".to_owned()));
        api = crate::clients::api(&server, process());
        // Here it is.
        assert_eq!(whoami(&server, api.clone()).await.unwrap(), (200, "alice".to_owned()));
    }
    assert_eq!(server.token_requests().await, [200; 4]);
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
    forget_tokens(&server).await;

    // It is known from the first answer on, and nobody asks again.
    let refused = whoami(&server, api.clone()).await;
    let asked = server.token_requests().await.len();
    for error in [refused.unwrap_err(), whoami(&server, api).await.unwrap_err()] {
        let (failed, answer) = why_no_token(&error);
        assert!(failed.is_permanent() && answer.code() == Some(&ErrorCode::InvalidGrant), "{error}");
    }
    assert_eq!(server.token_requests().await.len(), asked);
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
