//! Interceptors around a retry: those outside of it run once a call, those inside once an attempt.
//!
//! `cargo run --example interceptors` asks a server of its own, or the base URL given, for `/orders`.

use std::sync::atomic::{AtomicU32, Ordering};

use bartizan_client::intercept::{InterceptLayer, Next};
use bartizan_client::{BoxedBody, Client};
use bartizan_core::BoxError;
use bartizan_retry::RetryLayer;
use bartizan_test::server::{Act, Sequence, Server};
use http::{HeaderValue, Response};
use hyper_util::{client::legacy, rt::TokioExecutor};
use tower::ServiceBuilder;

/// Stands for what has to be asked, over the network perhaps, for an id or a signature.
async fn fresh(kind: &str) -> Result<HeaderValue, BoxError> {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    Ok(format!("{kind}-{}", COUNT.fetch_add(1, Ordering::Relaxed)).parse()?)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::h1(Sequence::new([Act::reply(503), Act::reply(200).body("3 orders")])).await?;
    let base = std::env::args().nth(1).unwrap_or_else(|| server.uri(""));

    let per_call = InterceptLayer::new()
        .on_request(async |mut request| {
            if request.uri().path().ends_with("/ping") {
                return Ok(Next::Answer(Response::new(BoxedBody::from("pong"))));
            }
            request.headers_mut().insert("x-request-id", fresh("call").await?);
            Ok(Next::Call(request))
        })
        .on_response(async |response| Ok(response).inspect(|it| println!("call: {}", it.status())));
    let per_attempt = InterceptLayer::new()
        .on_request(async |mut request| {
            request.headers_mut().insert("x-signature", fresh("signature").await?);
            Ok(request)
        })
        .on_response(async |response| Ok(response).inspect(|it| println!("  attempt: {}", it.status())));
    let stack = ServiceBuilder::new()
        .layer(per_call)
        .layer(RetryLayer::new())
        .layer(per_attempt)
        // Nobody but hyper can make an `Incoming`; a boxed body anybody can.
        .map_response(|response: Response<_>| response.map(BoxedBody::new))
        .service(legacy::Client::builder(TokioExecutor::new()).build_http());
    let client = Client::new(stack);

    for path in ["/orders", "/ping"] {
        println!("{path}: {}", client.get(format!("{base}{path}")).send().await?.text().await?.body());
    }
    for seen in server.log().requests() {
        let field = |name| seen.headers.get(name);
        println!("the server saw {:?} with {:?}", field("x-request-id"), field("x-signature"));
    }
    Ok(())
}
