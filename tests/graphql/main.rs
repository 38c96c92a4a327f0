//! GraphQL over servers that nobody here wrote: async-graphql in this process, GraphQL Yoga and Apollo Server. All have the schema of `in_process.rs`.
//!
//! Where they are off what GraphQL over HTTP says:
//!
//! - A document that does not validate, and variables that do not fit, should be 422. Yoga and Apollo say 400, async-graphql 200, and all of them with the new
//!   media type.
//! - A document that does not parse should be 400. So it is by Yoga and Apollo; by async-graphql it is 200.
//! - An answer without `data` must have a status of 4xx or 5xx. async-graphql says `"data": null` in such answers, which means that it was executed, and 200.
//! - Partial data should be 294. All of them say 200.
//! - Who asks for `application/json` alone should get 200 for what a legacy client has to see. Yoga does so, Apollo says 400: an answer that is not to be
//!   trusted, though it is one. async-graphql answers by the new media type whatever it was asked for.
//! - The error of a nullable field should make that field null. By async-graphql it does so where the resolver is `Option<Result<_, _>>`, as here; that of a
//!   `Result<Option<_>, _>` takes the nearest nullable field above along.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "the cases are tests, each three times")]

mod answers;
mod in_process;
mod persisted;
mod server;
mod stack;
#[path = "../upstreams/upstream.rs"]
mod upstream;
mod wire;

/// Each case against each server.
macro_rules! against {
    ($cases:tt: $($server:ident)*) => {
        $(against!(@ $server $cases);)*
    };
    (@ async_graphql [$($case:ident,)*]) => {
        mod async_graphql {
            $(#[tokio::test] async fn $case() { super::$case(&crate::server::async_graphql().await).await; })*
        }
    };
    (@ $server:ident [$($case:ident,)*]) => {
        mod $server {
            $(#[tokio::test]
            #[ignore = "needs Node.js and its packages: cargo xtask test"]
            async fn $case() { super::$case(&crate::server::$server().await).await; })*
        }
    };
}
use against;
