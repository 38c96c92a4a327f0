//! Every request says which version of the API it speaks, and an endpoint that the API is about to end is reported once.
//!
//! `cargo run --example versioned_api` asks a server of its own; with a base URL as argument it asks that.

use bartizan_client::version::{ApiVersion, ApiVersionLayer, Hook, Notice};
use bartizan_client::{BaseUrl, BaseUrlLayer, Client};
use bartizan_core::{BoxError, PathTemplate};
use bartizan_test::server::{Act, Seen, Server};
use hyper_util::{client::legacy, rt::TokioExecutor};
use serde_json::Value;
use tower::ServiceBuilder;

/// Tells a person what to do about it, and until when.
#[derive(Clone)]
struct Report;

impl Hook for Report {
    fn deprecated(&self, notice: &Notice<'_>) {
        println!("deprecated: {} {}", notice.method, notice.path);
        if let Some(sunset) = notice.deprecated.sunset() {
            println!("  works until {}", httpdate::fmt_http_date(sunset));
        }
        if let Some(successor) = notice.deprecated.successor() {
            println!("  use {successor} instead");
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::h1(answer).await?;
    let base = std::env::args().nth(1).unwrap_or_else(|| server.uri(""));
    let stack = ServiceBuilder::new()
        .layer(BaseUrlLayer::new(BaseUrl::new(&base)?))
        .layer(ApiVersionLayer::new(ApiVersion::header("x-api-version", "2026-01-01")?).hook(Report))
        .service(legacy::Client::builder(TokioExecutor::new()).build_http());
    let client = Client::new(stack);

    for id in 1..=2 {
        // Without the template, each user would be an endpoint of its own.
        let request = client.get(format!("users/{id}")).extension(PathTemplate::from_static("/users/{id}"));
        println!("user {id}: {}", request.fetch_one::<Value>().await?);
    }
    println!("account: {}", client.get("accounts/1").fetch_one::<Value>().await?);
    Ok(())
}

fn answer(seen: &Seen) -> Act {
    let version = seen.headers.get("x-api-version").and_then(|version| version.to_str().ok());
    let act =
        Act::reply(200).body(format!(r#"{{"name":"alice","version":"{}"}}"#, version.unwrap_or("none")));
    if seen.path.starts_with("/accounts/") {
        return act;
    }
    act.header("deprecation", "@1767225600")
        .header("sunset", "Fri, 01 Jan 2027 00:00:00 GMT")
        .header("link", "</accounts/{id}>; rel=\"successor-version\"")
}
