//! A query of GraphQL beside the request that one would write by hand.

use std::future;
use std::hint::black_box;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_graphql::GraphqlClient;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tower_service::Service;

use crate::drive::{call, poll_to_end};
use crate::{Group, Row};

const URL: &str = "http://api.example.com/graphql";
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// What is asked for.
pub const DOCUMENT: &str = "query Items($first: Int!) { items(first: $first) { id name } }";

/// The variables.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Variables {
    first: u32,
}

/// Those of the rows.
pub const VARIABLES: Variables = Variables { first: 64 };

#[derive(Deserialize)]
struct Data {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: u64,
    name: String,
}

/// Answers in the first poll, with data of so many bytes in one frame.
#[derive(Clone, Debug)]
pub struct Graphql(Bytes);

impl Graphql {
    /// About that many; items of 64.
    pub fn new(bytes: usize) -> Self {
        let items: Vec<String> =
            (100..100 + bytes / 64).map(|id| format!(r#"{{"id":{id},"name":"{id:_>46}"}}"#)).collect();
        Self(format!(r#"{{"data":{{"items":[{}]}}}}"#, items.join(",")).into())
    }
}

impl Service<Request<Full<Bytes>>> for Graphql {
    type Response = Response<Full<Bytes>>;
    type Error = io::Error;
    type Future = future::Ready<Result<Self::Response, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        black_box(Poll::Ready(Ok(())))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        drop(black_box(request));
        let mut response = Response::new(Full::new(self.0.clone()));
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        future::ready(black_box(Ok(response)))
    }
}

/// A client of it.
///
/// # Panics
///
/// If a URL is refused.
pub fn client(bytes: usize) -> GraphqlClient<Graphql> {
    GraphqlClient::new(URL, Graphql::new(bytes)).expect("a valid URL")
}

/// Asks once.
///
/// # Panics
///
/// If the query fails.
pub fn query<T: DeserializeOwned>(client: &GraphqlClient<Graphql>, document: Arc<str>) -> T {
    poll_to_end(pin!(client.query(document, &VARIABLES))).expect("no upstream of the benches fails")
}

fn queries(calls: u64) {
    let (client, document) = (client(4096), Arc::<str>::from(DOCUMENT));
    for _ in 0..calls {
        see(query(&client, document.clone()));
    }
}

/// As one writes it: the members as a type, the answer as another.
fn posts(calls: u64) {
    #[derive(Serialize)]
    struct Asked {
        query: &'static str,
        variables: Variables,
    }

    #[derive(Deserialize)]
    struct Answer {
        data: Data,
    }

    let mut service = Graphql::new(4096);
    for _ in 0..calls {
        let asked = serde_json::to_vec(&Asked { query: DOCUMENT, variables: VARIABLES });
        let request = Request::post(URL)
            .header(ACCEPT, "application/graphql-response+json, application/json;q=0.9")
            .header(CONTENT_TYPE, JSON)
            .body(Full::from(asked.expect("it is JSON")))
            .expect("a valid request");
        let answer = call(&mut service, request).expect("no upstream of the benches fails");
        let body = poll_to_end(pin!(answer.into_body().collect())).expect("it is there").to_bytes();
        let answer: Answer = serde_json::from_slice(&body).expect("it is JSON");
        see(answer.data);
    }
}

fn see(data: Data) {
    assert_eq!(data.items.len(), 64);
    assert!(data.items.iter().all(|item| item.id >= 100 && item.name.len() == 46));
    black_box(data);
}

/// See the titles.
pub const GROUPS: &[Group] = &[Group {
    title: "GraphQL, a query whose answer has 4 KiB",
    note: "By hand: a POST of the same JSON to the same service, whose answer is read as a struct with the data in it, and which sees neither errors nor the \
        media type. Ours parses no document twice, finds the data as a part of the answer in one pass, and reads it in the next.",
    paused: false,
    at_most: None,
    rows: &[Row::new("by hand", posts), Row::new("`GraphqlClient::query`", queries)],
}];
