//! async-graphql behind an axum app, on a port of its own. It ends with the runtime of its test.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_graphql::extensions::apollo_persisted_queries::{ApolloPersistedQueries, LruCacheStorage};
use async_graphql::http::parse_query_string;
use async_graphql::{Context, EmptySubscription, Error, ErrorExtensions, ID, Object, Request, Schema};
use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::routing::get;
use bytes::Bytes;
use http::{Response, StatusCode};
use tokio::net::TcpListener;

type Bumps = Arc<Mutex<HashMap<String, i32>>>;

struct Query;
struct Mutation;
struct User(i32);

fn user(id: i32) -> Option<User> {
    (id > 0).then_some(User(id))
}

fn coded(message: &str, code: &str) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

#[Object]
impl User {
    async fn id(&self) -> i32 {
        self.0
    }

    async fn name(&self) -> String {
        format!("user {}", self.0)
    }

    /// As `Result<Option<_>, _>` its error would take the user along.
    async fn email(&self) -> Option<Result<String, Error>> {
        Some(if self.0 == 2 { Err("no mail today".into()) } else { Ok(format!("{}@example.com", self.0)) })
    }

    async fn secret(&self) -> Result<String, Error> {
        Err(coded("not for you", "FORBIDDEN"))
    }
}

#[Object]
impl Query {
    #[graphql(cache_control(max_age = 60))]
    async fn user(&self, id: i32) -> Option<User> {
        user(id)
    }

    async fn users(&self, ids: Vec<i32>) -> Vec<Option<User>> {
        ids.into_iter().map(user).collect()
    }

    async fn must(&self) -> Result<i32, Error> {
        Err("it must not fail and does".into())
    }

    async fn throttled(&self) -> Option<Result<String, Error>> {
        Some(Err(coded("too much", "THROTTLED")))
    }

    async fn bumps(&self, context: &Context<'_>, of: ID) -> Result<i32, Error> {
        let bumps = context.data::<Bumps>()?.lock().expect("no test panicked");
        Ok(bumps.get(of.as_str()).copied().unwrap_or_default())
    }
}

#[Object]
impl Mutation {
    async fn bump(&self, context: &Context<'_>, of: ID) -> Result<i32, Error> {
        let mut bumps = context.data::<Bumps>()?.lock().expect("no test panicked");
        let bumped = bumps.entry(of.0).or_default();
        *bumped += 1;
        Ok(*bumped)
    }
}

type Served = Schema<Query, Mutation, EmptySubscription>;

/// Where it is.
pub(crate) async fn serve(knows_persisted_queries: bool) -> String {
    let mut schema = Schema::build(Query, Mutation, EmptySubscription).data(Bumps::default());
    if knows_persisted_queries {
        schema = schema.extension(ApolloPersistedQueries::new(LruCacheStorage::new(256)));
    }
    let app = Router::new().route("/graphql", get(by_get).post(by_post)).with_state(schema.finish());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn by_get(State(schema): State<Served>, RawQuery(query): RawQuery) -> Response<Body> {
    answer(&schema, parse_query_string(&query.unwrap_or_default()).map_err(|error| error.to_string())).await
}

async fn by_post(State(schema): State<Served>, body: Bytes) -> Response<Body> {
    answer(&schema, serde_json::from_slice(&body).map_err(|error| error.to_string())).await
}

/// The head is as async-graphql-axum 7.0 writes it, which brings WebSockets along.
async fn answer(schema: &Served, request: Result<Request, String>) -> Response<Body> {
    let response = Response::builder();
    let answered = match request {
        Err(why) => response.status(StatusCode::BAD_REQUEST).body(why.into()),
        Ok(request) => {
            let answer = schema.execute(request).await;
            let mut response = response.header("content-type", "application/graphql-response+json");
            if let Some(value) = answer.cache_control.value().filter(|_| answer.is_ok()) {
                response = response.header("cache-control", value);
            }
            response.body(serde_json::to_vec(&answer).expect("an answer is JSON").into())
        }
    };
    answered.expect("the head is valid")
}
