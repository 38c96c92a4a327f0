//! The layers keep the contract of `tower_service::Service`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bartizan_auth::{
    ApiKey, AuthLayer, Authorizer, Bearer, Origins, Preparing, Refreshing, Secret, Stamp, Tenants, Token,
    TokenError,
};
use bartizan_core::RequestHead;
use bartizan_test::contract;
use http::request::Parts;

fn origins() -> Origins {
    // Where the kit sends its requests.
    Origins::new(["http://contract.localhost"]).expect("an origin")
}

#[test]
fn a_credential_that_is_there() {
    contract::check(|| AuthLayer::new(origins(), ApiKey::new("key").expect("a key")));
    contract::check(|| AuthLayer::new(origins(), Bearer::new("token").expect("a token")).identity_layer());
}

#[test]
fn a_credential_that_is_not_there() {
    contract::check(|| AuthLayer::new(origins(), Bearer::unset()));
    contract::check(|| AuthLayer::new(origins(), Bearer::unset()).or_without());
    contract::check(|| AuthLayer::new(origins(), Bearer::unset()).refuse_elsewhere());
}

/// Takes a while until it is there.
struct Slow(Arc<AtomicBool>);

impl Authorizer for Slow {
    fn authorize(&self, _: &mut Parts) -> Option<Stamp> {
        self.0.load(Ordering::Relaxed).then(Stamp::default)
    }

    fn prepare(&self, _: &Parts) -> Preparing {
        let is_there = self.0.clone();
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            is_there.store(true, Ordering::Relaxed);
            Ok(())
        })
    }

    fn identity(&self, _: &RequestHead<'_>) -> Arc<str> {
        "me".into()
    }
}

#[test]
fn a_credential_that_is_waited_for() {
    contract::check(|| AuthLayer::new(origins(), Slow(Arc::default())));
    let fetched = || {
        Refreshing::new(|_: Option<Secret>| async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Token::new("token").map_err(TokenError::permanent)
        })
    };
    contract::check(|| AuthLayer::new(origins(), fetched()));
    contract::check(|| AuthLayer::new(origins(), fetched()).replay_alone());
}

#[test]
fn a_credential_of_a_tenant() {
    let slow = || Tenants::new(|request| Some(request.method.as_str().into()), |_| Slow(Arc::default()));
    contract::check(|| AuthLayer::new(origins(), slow()));
    contract::check(|| AuthLayer::new(origins(), slow()).identity_layer());
    contract::check(|| AuthLayer::new(origins(), Tenants::new(|_| None, |_| Slow(Arc::default()))));
}

#[test]
fn an_inner_that_is_not_send_will_do() {
    contract::accepts_local(&AuthLayer::new(origins(), ApiKey::new("key").expect("a key")));
    contract::accepts_local(&AuthLayer::new(origins(), ApiKey::new("key").expect("a key")).identity_layer());
}
