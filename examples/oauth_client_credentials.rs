//! A service that calls an API with tokens of its own: fetched once, before they end, and anew when one is refused.
//!
//! `cargo run --example oauth_client_credentials` asks an authorization server and an API that it plays itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bartizan_auth::oauth::{ClientAuth, OAuthClient, ServerMetadata};
use bartizan_auth::{AuthLayer, Origins, Refreshing, TokenEvent, Transport};
use bartizan_core::BoxError;
use bartizan_retry::RetryLayer;
use bartizan_test::server::{Act, Seen, Server};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_util::{client::legacy, rt::TokioExecutor};
use tokio::task::JoinSet;
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let newest = Arc::new(AtomicU64::new(0));
    let (login, api) = (authorization_server(&newest).await?, api(&newest).await?);

    // Never the stack that carries the token: it would wait for itself.
    let http = legacy::Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let server = ServerMetadata::new(&login.uri("/token"))?;
    let client = OAuthClient::new(Transport::new(http.clone()), server, "orders-service")
        .authenticate(ClientAuth::basic("s3cr3t"));
    let tokens = Refreshing::builder(client.client_credentials().scope("orders:read"))
        .hook(|event: &TokenEvent<'_>| println!("  {event:?}"))
        .build();

    let service = ServiceBuilder::new()
        .layer(RetryLayer::new())
        .layer(AuthLayer::new(Origins::new([api.uri("")])?, tokens))
        .service(http);
    let call = || {
        let (service, uri) = (service.clone(), api.uri("/orders"));
        async move {
            let answer = service.oneshot(Request::get(uri).body(Full::<Bytes>::default())?).await?;
            Ok::<_, BoxError>(answer.status())
        }
    };

    println!("50 calls at once:");
    let calls: JoinSet<_> = (0..50).map(|_| call()).collect();
    let good = calls
        .join_all()
        .await
        .into_iter()
        .filter(|answer| answer.as_ref().is_ok_and(|status| status.is_success()));
    println!("  {} answers, {} token requests", good.count(), login.log().requests().len());

    println!("the server revokes the token:");
    newest.fetch_add(1, Ordering::Relaxed);
    println!("  {}, {} token requests", call().await?, login.log().requests().len());
    Ok(())
}

/// Gives out `t1`, `t2` and so on, good for an hour.
async fn authorization_server(newest: &Arc<AtomicU64>) -> Result<Server, BoxError> {
    let newest = newest.clone();
    let server = Server::h1(move |seen: &Seen| {
        if seen.headers.get("authorization").is_none() {
            return Act::reply(401).body(r#"{"error":"invalid_client"}"#);
        }
        let token = newest.fetch_add(1, Ordering::Relaxed) + 1;
        Act::reply(200)
            .body(format!(r#"{{"access_token":"t{token}","token_type":"Bearer","expires_in":3600}}"#))
    });
    Ok(server.await?)
}

/// Takes the newest one alone.
async fn api(newest: &Arc<AtomicU64>) -> Result<Server, BoxError> {
    let newest = newest.clone();
    let server = Server::h1(move |seen: &Seen| {
        let good = format!("Bearer t{}", newest.load(Ordering::Relaxed));
        match seen.headers.get("authorization") {
            Some(given) if *given == *good => Act::reply(200),
            _ => Act::reply(401).header("www-authenticate", r#"Bearer error="invalid_token""#),
        }
    });
    Ok(server.await?)
}
