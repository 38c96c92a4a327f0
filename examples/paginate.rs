//! The pages of a list: by `Link` with `rel="next"`, as GitHub has them, and by a cursor in the page, as Slack has it.
//!
//! `cargo run --example paginate` asks a server of its own, or the base URL given, for `/repos` and `/users`.

use bartizan_client::{BaseUrl, BaseUrlLayer, Client};
use bartizan_core::BoxError;
use bartizan_test::server::{Act, Seen, Server};
use hyper_util::{client::legacy, rt::TokioExecutor};
use tower::ServiceBuilder;

#[derive(serde::Deserialize)]
struct Repo {
    name: String,
}

#[derive(serde::Deserialize)]
struct Users {
    members: Vec<String>,
    next_cursor: String,
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::h1(answer).await?;
    let base = std::env::args().nth(1).unwrap_or_else(|| server.uri(""));
    let stack = ServiceBuilder::new()
        .layer(BaseUrlLayer::new(BaseUrl::new(&base)?))
        .service(legacy::Client::builder(TokioExecutor::new()).build_http());
    let client = Client::new(stack);

    let mut pages = client.get("repos").query(&[("per_page", "2")]).pages::<Vec<Repo>>();
    while let Some(page) = pages.next().await {
        let repos = page?.into_body().unwrap_or_default();
        println!("repos: {}", repos.iter().map(|repo| &*repo.name).collect::<Vec<_>>().join(", "));
    }

    // An empty cursor is the end, by this API's convention.
    let next = |page: &Users| Some(page.next_cursor.clone()).filter(|cursor| !cursor.is_empty());
    let mut pages = client.get("users").query(&[("limit", "2")]).pages_by("cursor", next);
    while let Some(page) = pages.next().await {
        println!("users: {}", page?.some()?.members.join(", "));
    }

    for seen in server.log().requests() {
        println!("the server saw {} {}", seen.method, seen.path);
    }
    Ok(())
}

fn answer(seen: &Seen) -> Act {
    let ok = |body: &'static str| Act::reply(200).body(body);
    let next = r#"</repos?per_page=2&page=2>; rel="next", </repos?per_page=2&page=2>; rel="last""#;
    match &*seen.path {
        "/repos?per_page=2" => ok(r#"[{"name":"tower"},{"name":"hyper"}]"#).header("link", next),
        "/repos?per_page=2&page=2" => ok(r#"[{"name":"axum"}]"#),
        "/users?limit=2" => ok(r#"{"members":["alice","bob"],"next_cursor":"dXNlcjo="}"#),
        "/users?limit=2&cursor=dXNlcjo%3D" => ok(r#"{"members":["carol"],"next_cursor":""}"#),
        _ => Act::reply(404),
    }
}
