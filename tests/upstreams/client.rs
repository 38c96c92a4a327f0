//! The client side: the stack over a hyper client that speaks over a unix socket.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::{Attempts, BoxError, Chance, Replay};
use bartizan_retry::{Backoff, Budget, MaxAttempts, RetryLayer};
use bartizan_timeout::{AttemptTimeoutLayer, DeadlineBody, DeadlineLayer};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Uri, Version};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::UnixStream;
use tower::{Service, ServiceBuilder, ServiceExt};

/// Connects to one socket, whatever the URI says.
#[derive(Clone)]
pub(crate) struct Unix {
    socket: Arc<Path>,
    connections: Arc<AtomicUsize>,
}

impl Unix {
    pub(crate) fn new(socket: &Path) -> Self {
        Self { socket: socket.into(), connections: Arc::default() }
    }

    /// How many were opened so far, by all clones.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Service<Uri> for Unix {
    type Response = TokioIo<UnixStream>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        self.connections.fetch_add(1, Ordering::Relaxed);
        let socket = self.socket.clone();
        Box::pin(async move { Ok(TokioIo::new(UnixStream::connect(socket).await?)) })
    }
}

/// How the stack is set. The default leaves a busy machine enough time.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) deadline: Duration,
    pub(crate) attempt: Duration,
    pub(crate) attempts: u32,
    /// The longest wait before any retry.
    pub(crate) backoff: Duration,
    pub(crate) h2: bool,
}

pub(crate) const SETTINGS: Settings = Settings {
    deadline: Duration::from_secs(20),
    attempt: Duration::from_secs(15),
    attempts: 3,
    backoff: Duration::from_millis(20),
    h2: false,
};

pub(crate) trait Stack<B>:
    Service<Request<B>, Response = Response<DeadlineBody<Incoming>>, Error = BoxError, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<B, S> Stack<B> for S where
    S: Service<Request<B>, Response = Response<DeadlineBody<Incoming>>, Error = BoxError, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

pub(crate) fn stack<B>(connector: Unix, settings: Settings) -> impl Stack<B>
where
    B: Replay + Body<Data: Send, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let backoff = Backoff::exponential(settings.backoff, settings.backoff).expect("not zero");
    ServiceBuilder::new()
        .layer(DeadlineLayer::new(settings.deadline))
        .layer(
            RetryLayer::new()
                .budget(Budget::none())
                .max_attempts(MaxAttempts::new(settings.attempts).expect("not zero"))
                .backoff(backoff)
                .throttled_backoff(backoff)
                .chance(Chance::from_seed(1)),
        )
        .layer(AttemptTimeoutLayer::new(settings.attempt))
        .service(Client::builder(TokioExecutor::new()).http2_only(settings.h2).build(connector))
}

/// All of a response, its body read to the end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) attempts: u32,
    pub(crate) body: Bytes,
    headers: HeaderMap,
}

impl Answer {
    /// Empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("it is text"))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }
}

pub(crate) async fn send<B>(stack: &impl Stack<B>, request: Request<B>) -> Result<Answer, BoxError> {
    let (head, body) = stack.clone().oneshot(request).await?.into_parts();
    Ok(Answer {
        status: head.status,
        version: head.version,
        attempts: head.extensions.get::<Attempts>().map_or(1, |attempts| attempts.0.get()),
        body: body.collect().await?.to_bytes(),
        headers: head.headers,
    })
}

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(format!("http://upstream.test{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::default()).expect("a valid request")
}

pub(crate) fn get(path: &str) -> Request<Full<Bytes>> {
    request("GET", path, &[])
}
