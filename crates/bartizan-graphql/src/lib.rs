//! GraphQL over any HTTP service: a client that tells the truth about partial data, batches that give each query what it would have got alone, and a layer by which
//! retry, circuit breaker and rate limit understand answers that say 200 and mean something else.
//!
//! ```
//! use bartizan_graphql::{GraphqlClient, Operation};
//! # use bytes::Bytes;
//! # use http::{Request, Response};
//! # use http_body_util::Full;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let http = tower::service_fn(async |_: Request<Full<Bytes>>| {
//! #     let answer = Response::builder().header("content-type", "application/json");
//! #     answer.body(Full::<Bytes>::from(r#"{"data":{"a":1,"b":null},"errors":[{"message":"no b today","path":["b"]}]}"#))
//! # });
//! let client = GraphqlClient::new("https://api.example.com/graphql", http)?;
//! let error = client.query::<serde_json::Value>("{ a b }", &()).await.unwrap_err();
//! assert_eq!(error.to_string(), "the answer has an error: no b today at b; it has data beside");
//! assert_eq!(error.partial::<serde_json::Value>(), Some(serde_json::json!({ "a": 1, "b": null })));
//!
//! // Or all of it, and no judgement.
//! let reply = client.send(Operation::new("{ a b }")).await?;
//! assert_eq!((reply.status().as_u16(), reply.errors().len()), (200, 1));
//! # Ok(()) }
//! ```
//!
//! # What the client does
//!
//! | | |
//! |---|---|
//! | an answer with an error | is an [`Error`] with all errors and whatever data is beside them; [`send`](GraphqlClient::send) gives it as it came |
//! | the media type | decides whether a body is GraphQL: `application/graphql-response+json` with any status but a redirect, `application/json` with 200 alone |
//! | all else: a page, a proxy's error, a redirect | is an [`Error`] with its status and 200 characters of it |
//! | a query | is marked as one that may be sent again, by what the parsed document says; a mutation is not |
//! | data | is a part of the bytes that came, and is read once, as your type |
//! | several at once | share a request, see [`batch`](GraphqlClient::batch) |
//! | a document that the server knows | goes by its hash, if that is [switched on](GraphqlClient::persisted_queries) |
//!
//! # Defaults
//!
//! | | |
//! |---|---|
//! | an answer | 16 MiB |
//! | a batch | 20 operations and 64 KiB in a request; mutations alone |
//! | persisted queries | off; by POST; nobody waits for another one longer than 2 s |
//!
//! # What it does not do
//!
//! It checks no types and generates no code: that is `graphql_client`'s and `cynic`'s, whose operations it takes behind the features `graphql-client-016` and
//! `cynic-3`. There are no subscriptions, and no `@defer`, which come as streams. It has no time-outs, retries or credentials of its own: they are layers of the
//! service.

mod answer;
mod batch;
mod client;
#[cfg(feature = "cynic-3")]
mod cynic_3;
mod documents;
mod error;
#[cfg(feature = "graphql-client-016")]
mod graphql_client_016;
mod graphql_error;
mod join;
mod media_type;
#[doc(hidden)]
pub mod merge;
mod operation;
mod outcome;
mod persisted;
mod raw_json;
mod reply;
mod request;
#[cfg(test)]
mod tests;

pub use answer::{Answer, InvalidAnswer};
pub use batch::{Asked, Batch, Typed};
pub use client::{GraphqlClient, InvalidEndpoint};
pub use documents::OperationType;
pub use error::Error;
pub use graphql_error::{GraphqlError, Location, PathSegment};
pub use merge::Settings;
pub use operation::{InvalidVariables, Operation};
pub use outcome::{Codes, GraphqlOutcome, GraphqlOutcomeLayer, Kind, OutcomeBody, OutcomeFuture};
pub use raw_json::RawJson;
pub use reply::Reply;
