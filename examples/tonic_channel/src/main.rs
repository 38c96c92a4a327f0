//! A tonic channel inside the stack: a deadline, retry of what may be sent twice, a circuit breaker, and a timeout for each attempt.
//!
//! `cargo run -p tonic_channel` starts a server on loopback and calls it.
//!
//! gRPC says by HTTP how a call went only in part. Each answer is a 200; what became of the call is in the field `grpc-status`. Where a call fails before its first
//! message, the field stands in the head of the answer, and [`ByGrpcStatus`] tells it to retry and circuit breaker. Where it fails later, the field stands in the trailers. **No
//! layer looks into those**: the head was good, and a part of the answer is with the caller already.
//!
//! All calls are POSTs, so none is sent again unless its caller says that it may be. The body of a request is a stream to tonic, which
//! [`ReplayLayer`] keeps.

mod server;
mod text;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bartizan::circuit_breaker::{CircuitBreakerLayer, CircuitOpen};
use bartizan::core::{BoxError, CallContext, Classify, Head, Outcome, find_source};
use bartizan::retry::{ReplayLayer, RetryLayer, Standard};
use bartizan::timeout::{AttemptTimedOut, AttemptTimeoutLayer, DeadlineLayer};
use bartizan::{Own, Stack};
use http::{Request, Response, Uri, uri::PathAndQuery};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::transport::Endpoint;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};
use tower::ServiceBuilder;
use tower::layer::util::Identity;
use tower::util::BoxCloneService;

use crate::server::Stock;
use crate::text::Text;

/// What an answer of gRPC means, as far as its head tells.
#[derive(Clone, Copy, Debug)]
struct ByGrpcStatus;

impl Classify for ByGrpcStatus {
    fn classify(&self, result: Result<Head<'_>, &(dyn Error + 'static)>) -> Outcome {
        let Ok(head) = result else { return Outcome::Failure };
        match Status::from_header_map(head.headers).map(|status| status.code()) {
            Some(Code::ResourceExhausted) => Outcome::Throttled,
            Some(Code::Unavailable | Code::Unknown | Code::Internal | Code::DeadlineExceeded) => {
                Outcome::Failure
            }
            Some(_) => Outcome::Success,
            None if head.status.is_success() => Outcome::Success,
            // Somebody between here and there who knows no gRPC.
            None => Outcome::Failure,
        }
    }
}

type Upstream = BoxCloneService<Request<Body>, Response<Body>, BoxError>;

fn upstream(origin: &Uri) -> Result<Upstream, BoxError> {
    let stack = Stack::standard()
        .calls(Own(ReplayLayer::default()))
        .deadline(DeadlineLayer::new(Duration::from_secs(2)))
        .retry(RetryLayer::with_policy(Standard::with_classifier(ByGrpcStatus)))
        .limit(Identity::new())
        .breaker(CircuitBreakerLayer::new().classifier(ByGrpcStatus))
        .attempt_timeout(AttemptTimeoutLayer::new(Duration::from_millis(300)))
        // What is watched may rightly be silent for long.
        .body_timeout(Identity::new())
        .build()?;
    println!("{stack:?}\n");
    let upstream = ServiceBuilder::new()
        .map_response(|answer: Response<_>| answer.map(Body::new))
        .layer(stack)
        .map_request(|request: Request<_>| request.map(Body::new))
        .service(Endpoint::from(origin.clone()).connect_lazy());
    Ok(BoxCloneService::new(upstream))
}

/// Whether a call may be sent twice. Its method does not tell: all are POSTs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Reads,
    Writes,
}

struct Client {
    grpc: tonic::client::Grpc<Upstream>,
    seen: Arc<AtomicU32>,
}

impl Client {
    async fn call(&mut self, path: &'static str, kind: Kind) -> Result<String, Status> {
        self.ready().await?;
        let mut request = tonic::Request::new("apples".to_owned());
        CallContext::edit(request.extensions_mut()).retry_mut().safe_to_repeat = kind == Kind::Reads;
        let answer = self.grpc.unary(request, PathAndQuery::from_static(path), Text).await?;
        Ok(answer.into_inner())
    }

    /// The first message, and how it ended.
    async fn watch(&mut self) -> Result<(String, Status), Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static("/demo.Stock/Watch");
        let answer = self.grpc.server_streaming(tonic::Request::new("apples".to_owned()), path, Text).await?;
        let mut messages = answer.into_inner();
        let first = messages.message().await?.unwrap_or_default();
        let end = messages.message().await.err().unwrap_or_else(|| Status::ok("it ended"));
        Ok((first, end))
    }

    async fn ready(&mut self) -> Result<(), Status> {
        self.grpc.ready().await.map_err(Status::from_error)
    }

    /// Requests that came to the server since this was asked last.
    fn seen(&self) -> u32 {
        self.seen.swap(0, Ordering::Relaxed)
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin: Uri = format!("http://{}", listener.local_addr()?).parse()?;
    let stock = Stock::default();
    let seen = stock.seen.clone();
    let server = tonic::transport::Server::builder().add_service(stock);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));

    // With the origin, by which budget and circuit are kept.
    let grpc = tonic::client::Grpc::with_origin(upstream(&origin)?, origin);
    let mut client = Client { grpc, seen };

    let count = client.call("/demo.Stock/Count", Kind::Reads).await?;
    println!("Count:   {count}, after {} requests", client.seen());

    let taken = client.call("/demo.Stock/Take", Kind::Writes).await.expect_err("it is closed");
    println!("Take:    {:?}, after {} request", taken.code(), client.seen());

    let (first, end) = client.watch().await?;
    println!("Watch:   {first}, then {:?}, after {} request", end.code(), client.seen());

    let hung = client.call("/demo.Stock/Hang", Kind::Writes).await.expect_err("it hangs");
    let timed_out = find_source::<AttemptTimedOut>(&hung).is_some();
    println!("Hang:    {:?}, timed out: {timed_out}, after {} request", hung.code(), client.seen());

    let open = loop {
        let failed = client.call("/demo.Stock/Take", Kind::Writes).await.expect_err("it is closed");
        if find_source::<CircuitOpen>(&failed).is_some() {
            break failed;
        }
    };
    println!("Take:    {:?}, circuit open: true, after {} more requests", open.code(), client.seen());
    Ok(())
}
