//! What is written through `tracing`.

#![cfg(feature = "tracing")]
#![allow(missing_docs)]

use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_auth::{
    AuthLayer, Bearer, Origins, Refreshing, SavedToken, Secret, Stored, Token, TokenError, TokenStore,
};
use bartizan_core::BoxError;
use bartizan_test::trace::{Level, captured_while};
use http::{Request, Response};
use tower::{Layer, Service, ServiceExt};

/// Refuses each token.
#[derive(Clone)]
struct Api;

impl Service<Request<()>> for Api {
    type Response = Response<()>;
    type Error = BoxError;
    type Future = Ready<Result<Response<()>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let refused =
            Response::builder().status(401).header("www-authenticate", "Bearer error=\"invalid_token\"");
        ready(refused.body(()).map_err(Into::into))
    }
}

/// Neither reads nor writes.
struct Broken;

impl TokenStore for Broken {
    fn load(&self) -> Stored<Option<SavedToken>> {
        Box::pin(ready(Err("unreadable".into())))
    }

    fn save(&self, _: &SavedToken) -> Stored<()> {
        Box::pin(ready(Err("full".into())))
    }
}

fn request(uri: &str) -> Request<()> {
    Request::get(uri).body(()).expect("a request")
}

const HERE: &str = "https://user:s3cret@api.example.com/?s3cret";

fn here() -> Origins {
    Origins::new(["https://api.example.com"]).expect("an origin")
}

#[test]
fn what_becomes_of_a_token_is_one_line_each() {
    let lines = captured_while(Level::Trace, async {
        let fetched = std::sync::atomic::AtomicBool::new(false);
        let tokens = Refreshing::builder(move |_: Option<Secret>| {
            let is_first = !fetched.swap(true, std::sync::atomic::Ordering::Relaxed);
            ready(match Token::new("s3cret") {
                Ok(token) if is_first => Ok(token.refresh_token("s3cret").lifetime(Duration::from_secs(60))),
                _ => Err(TokenError::permanent("invalid_grant")),
            })
        });
        let service = AuthLayer::new(here(), tokens.store(Broken).build()).layer(Api);
        for _ in 0..2 {
            let _ = service.clone().oneshot(request(HERE)).await;
        }
    })
    .events();
    assert_eq!(
        lines,
        [
            "WARN bartizan_auth: saved token not read error=unreadable",
            "WARN bartizan_auth: token not saved error=full",
            "DEBUG bartizan_auth: token renewed lifetime=Some(60s)",
            "DEBUG bartizan_auth: token refused",
            "WARN bartizan_auth: no token error=no token was to be had: invalid_grant",
            "DEBUG bartizan_auth: call refused error=no credential for `https://api.example.com`: no token was to be had: invalid_grant",
        ]
    );
}

#[test]
fn a_call_that_is_refused_is_one_line() {
    let lines = captured_while(Level::Trace, async {
        let mut service = AuthLayer::new(here(), Bearer::unset()).refuse_elsewhere().layer(Api);
        let _ = service.call(request(HERE)).await;
        let _ = service.call(request("https://user:s3cret@elsewhere.example/?s3cret")).await;
    })
    .events();
    assert_eq!(
        lines,
        [
            "DEBUG bartizan_auth: call refused error=no credential is set for `https://api.example.com`",
            "DEBUG bartizan_auth: call refused error=`https://elsewhere.example` is none of the origins that this client has a credential for",
        ]
    );
}
