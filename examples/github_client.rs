//! The client class that everyone writes by hand: base URL, default headers, a token, typed answers, "not found" as `None`.
//!
//! `cargo run --example github_client` asks a server of its own, or the base URL given; the token comes from `GITHUB_TOKEN`.

use bartizan_client::{BaseUrl, BaseUrlLayer, BoxClient, Client, DefaultHeadersLayer, Error};
use bartizan_core::{BoxError, Header};
use bartizan_retry::RetryLayer;
use bartizan_test::server::{Act, Sequence, Server};
use hyper_util::{client::legacy, rt::TokioExecutor};
use serde_json::{Value, json};
use tower::ServiceBuilder;

struct GitHub(BoxClient);

#[derive(serde::Deserialize)]
struct Repo {
    stargazers_count: u32,
}

impl GitHub {
    fn new(base: &str, token: &str) -> Result<Self, BoxError> {
        let headers = DefaultHeadersLayer::new()
            .overriding(Header::new("accept", "application/vnd.github+json")?) // `fetch` has set one
            .if_absent(Header::new("authorization", &format!("Bearer {token}"))?.sensitive())
            .if_absent(Header::new("user-agent", "bartizan-example")?)
            .if_absent(Header::new("x-github-api-version", "2022-11-28")?);
        let layers = ServiceBuilder::new().layer(BaseUrlLayer::new(BaseUrl::new(base)?)).layer(headers);
        let http = legacy::Client::builder(TokioExecutor::new()).build_http();
        Ok(Self(Client::new(layers.layer(RetryLayer::new()).service(http)).boxed()))
    }

    async fn repo(&self, name: &str) -> Result<Option<Repo>, Error> {
        match self.0.get(format!("repos/{name}")).fetch().await {
            Err(error) if error.status() == Some(http::StatusCode::NOT_FOUND) => Ok(None),
            answer => answer,
        }
    }

    async fn open_issue(&self, repo: &str, title: &str) -> Result<Value, Error> {
        self.0.post(format!("repos/{repo}/issues")).json(&json!({ "title": title })).fetch_one().await
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let found = Act::reply(200).body(r#"{"full_name":"tower-rs/tower","stargazers_count":4000}"#);
    let invalid = Act::reply(422).body(r#"{"message":"Validation Failed","errors":[{"field":"title"}]}"#);
    let server = Server::h1(Sequence::new([found, Act::reply(404), invalid])).await?;
    let base = std::env::args().nth(1).unwrap_or_else(|| server.uri(""));
    let github = GitHub::new(&base, &std::env::var("GITHUB_TOKEN").unwrap_or_else(|_| "dummy".into()))?;

    for name in ["tower-rs/tower", "tower-rs/spire"] {
        println!("{name}: {:?}", github.repo(name).await?.map(|repo| repo.stargazers_count));
    }
    if let Err(error) = github.open_issue("tower-rs/tower", "").await {
        let said: Option<Value> = error.body_json();
        println!("no issue was opened: {}", said.ok_or(error)?["message"]);
    }
    Ok(())
}
