//! The server, which fails in each of the ways that differ to a layer.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::{Code, Status};
use tower::{Service, service_fn};

use crate::text::Text;

#[derive(Clone, Debug, Default)]
pub(crate) struct Stock {
    /// Requests, since somebody set it to zero.
    pub(crate) seen: Arc<AtomicU32>,
    counts: Arc<AtomicU32>,
}

impl Stock {
    async fn count(&self) -> Result<String, Status> {
        match self.counts.fetch_add(1, Ordering::Relaxed) {
            0 => Err(Status::unavailable("not yet")),
            _ => Ok("5 apples".to_owned()),
        }
    }

    async fn answer(self, request: Request<Body>) -> Response<Body> {
        type Asked = tonic::Request<String>;
        let mut grpc = Grpc::new(Text);
        match request.uri().path() {
            "/demo.Stock/Count" => {
                let count = service_fn(move |_: Asked| {
                    let stock = self.clone();
                    async move { stock.count().await.map(tonic::Response::new) }
                });
                grpc.unary(count, request).await
            }
            "/demo.Stock/Take" => {
                let take = service_fn(async |_: Asked| -> Result<tonic::Response<String>, Status> {
                    Err(Status::unavailable("closed for the day"))
                });
                grpc.unary(take, request).await
            }
            "/demo.Stock/Watch" => {
                let watch = service_fn(async |_: Asked| {
                    let messages =
                        [Ok("5 apples".to_owned()), Err(Status::unavailable("closed for the day"))];
                    Ok::<_, Status>(tonic::Response::new(tokio_stream::iter(messages)))
                });
                grpc.server_streaming(watch, request).await
            }
            "/demo.Stock/Hang" => std::future::pending().await,
            path => Status::new(Code::Unimplemented, path).into_http(),
        }
    }
}

impl NamedService for Stock {
    const NAME: &'static str = "demo.Stock";
}

impl Service<Request<Body>> for Stock {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.seen.fetch_add(1, Ordering::Relaxed);
        let stock = self.clone();
        Box::pin(async move { Ok(stock.answer(request).await) })
    }
}
