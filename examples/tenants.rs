//! One client for many tenants: each call goes with the token of the tenant that it names, which is fetched once, and anew when the API refuses it.
//!
//! `cargo run --example tenants` asks a server of its own, which is the token endpoint too.

use std::sync::atomic::{AtomicU32, Ordering};

use bartizan_auth::{AuthLayer, NoCredential, Origins, Refreshing, Secret, Tenants, Token, TokenError};
use bartizan_client::{BaseUrl, BaseUrlLayer, Client};
use bartizan_core::{BoxError, find_source};
use bartizan_retry::RetryLayer;
use bartizan_test::server::{Act, Seen, Server};
use hyper_util::{client::legacy, rt::TokioExecutor};
use serde_json::{Value, json};
use tower::ServiceBuilder;

/// Set by our own code, for instance from the session of whoever is logged in; not by a header that anybody may send.
#[derive(Clone)]
struct Tenant(&'static str);

/// Fetches tokens of one tenant, by a client of its own: that of the API would wait for the very token.
fn tokens_of(tenant: &str, base: &BaseUrl) -> Refreshing {
    let stack = ServiceBuilder::new()
        .layer(BaseUrlLayer::new(base.clone()))
        .service(legacy::Client::builder(TokioExecutor::new()).build_http());
    let (client, tenant) = (Client::new(stack), tenant.to_owned());
    Refreshing::new(move |_refresh_token: Option<Secret>| {
        let request = client.post(format!("token/{tenant}"));
        async move {
            let answer: Value = request.fetch_one().await.map_err(TokenError::transient)?;
            let token = answer["access_token"].as_str().unwrap_or_default();
            Token::new(token).map_err(TokenError::permanent)
        }
    })
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::h1(company()).await?;
    let base = BaseUrl::new(&server.uri(""))?;

    let tenants = Tenants::new(|request| request.extensions.get::<Tenant>().map(|tenant| tenant.0.into()), {
        let base = base.clone();
        move |tenant| tokens_of(tenant, &base)
    });
    let origins = Origins::new([server.uri("").trim_end_matches('/')])?;
    let stack = ServiceBuilder::new()
        .layer(BaseUrlLayer::new(base))
        .layer(RetryLayer::new())
        .layer(AuthLayer::new(origins, tenants.clone()))
        .service(legacy::Client::builder(TokioExecutor::new()).build_http());
    let client = Client::new(stack);

    for tenant in ["acme", "globex", "acme", "globex"] {
        let request = client.get("orders").extension(Tenant(tenant));
        println!("{tenant}: {}", request.fetch_one::<Value>().await?);
    }
    if let Err(error) = client.get("orders").fetch_one::<Value>().await {
        let refused = find_source::<NoCredential>(&error).and_then(NoCredential::cause);
        println!("nobody: {}", refused.ok_or("there is a reason")?);
    }
    // Logs out: the next call has to fetch a token first.
    tenants.get("acme")?.clear();
    println!("acme: {}", client.get("orders").extension(Tenant("acme")).fetch_one::<Value>().await?);
    for seen in server.log().requests() {
        let token = seen.headers.get("authorization").map_or("none", |token| token.to_str().unwrap_or("?"));
        println!("  {} {}, authorization: {token}", seen.method, seen.path);
    }
    Ok(())
}

/// Gives out tokens, and takes back the second one of all.
fn company() -> impl Fn(&Seen) -> Act + Send + Sync + 'static {
    let given = AtomicU32::new(0);
    move |seen: &Seen| {
        if let Some(tenant) = seen.path.strip_prefix("/token/") {
            let nth = given.fetch_add(1, Ordering::Relaxed) + 1;
            return Act::reply(200).body(json!({ "access_token": format!("{tenant}-{nth}") }).to_string());
        }
        let token = seen.headers.get("authorization").and_then(|token| token.to_str().ok());
        let token = token.unwrap_or_default().trim_start_matches("Bearer ");
        if token.ends_with("-2") {
            return Act::reply(401).header("www-authenticate", "Bearer error=\"invalid_token\"");
        }
        let tenant = token.split('-').next().unwrap_or_default();
        Act::reply(200).body(json!({ "orders_of": tenant }).to_string())
    }
}
