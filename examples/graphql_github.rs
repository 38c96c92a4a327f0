//! A client for GitHub's GraphQL API: a query with variables and a type, data that comes with an error beside it, a rate limit that is said with 200, and a
//! header field for one query.
//!
//! `cargo run --example graphql_github` asks a server of its own.

use bartizan::Stack;
use bartizan_core::BoxError;
use bartizan_graphql::{GraphqlClient, GraphqlOutcomeLayer, Operation};
use bartizan_test::server::{Act, Sequence, Server};
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use hyper_util::{client::legacy, rt::TokioExecutor};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::Layer;

const REPOSITORY: &str = "query Repository($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) { stargazerCount description }
}";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    repository: Option<Repository>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Repository {
    stargazer_count: u32,
    description: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::h1(github()).await?;
    let endpoint = server.uri("/graphql");

    // Retry, limiter and breaker know what an answer means, since the layer that reads it stands inside of them.
    let http = legacy::Client::builder(TokioExecutor::new()).build_http();
    let http = Stack::standard().build()?.layer(GraphqlOutcomeLayer::new().layer(http));
    let github = GraphqlClient::new(&endpoint, http)?
        .header(AUTHORIZATION, HeaderValue::from_static("Bearer dummy"))
        .header(USER_AGENT, HeaderValue::from_static("bartizan-example"));

    let tower = json!({ "owner": "tower-rs", "name": "tower" });
    let found: Found = github.query(REPOSITORY, &tower).await?;
    println!("stars: {:?}", found.repository.map(|repository| repository.stargazer_count));

    // The description was not to be had; the rest is not lost.
    if let Err(error) = github.query::<Found>(REPOSITORY, &tower).await {
        println!("{error}");
        let repository = error.partial::<Found>().and_then(|found| found.repository).ok_or(error)?;
        println!("stars: {}, description: {:?}", repository.stargazer_count, repository.description);
    }

    // RATE_LIMITED comes with 200, and is waited for. This one query asks for a preview, too.
    let preview = HeaderName::from_static("graphql-features");
    let operation = Operation::new(REPOSITORY).variables(&tower)?;
    let reply = github.send(operation.header(preview, HeaderValue::from_static("sub_issues"))).await?;
    println!("{}, after {} requests", reply.status(), server.log().requests().len() - 2);

    if let Err(error) = github.query::<Value>("{ repo }", &()).await {
        println!("{error}");
    }
    for seen in server.log().requests() {
        println!("  {} {}, preview: {:?}", seen.method, seen.path, seen.headers.get("graphql-features"));
    }
    Ok(())
}

fn github() -> Sequence {
    let answer =
        |body: Value| Act::reply(200).header("content-type", "application/json").body(body.to_string());
    let repository = |description| json!({ "stargazerCount": 4000, "description": description });
    let good = || answer(json!({ "data": { "repository": repository(Some("fn(Request) -> Future")) } }));
    let partial = json!({
        "data": { "repository": repository(None) },
        "errors": [{ "type": "SERVICE_UNAVAILABLE", "path": ["repository", "description"], "message": "Something went wrong" }],
    });
    let limited = json!({ "errors": [{ "type": "RATE_LIMITED", "message": "API rate limit exceeded" }] });
    let invalid = json!({
        "errors": [{ "message": "Field 'repo' doesn't exist on type 'Query'", "locations": [{ "line": 1, "column": 3 }] }],
    });
    Sequence::new([good(), answer(partial), answer(limited), good(), answer(invalid)])
}
