//! The origin that a scenario scripts: a mock, or a server on loopback behind hyper's client.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use bartizan_core::BoxError;
use bartizan_test::bodies::{self, Step};
use bartizan_test::server::{self, Act, Server};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::advance;
use tower::Service;

use crate::scenario::{Answer, Field, Reply};

/// Where the targets are that name no other origin.
pub(crate) const HERE: &str = "a.example";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Mock,
    Sockets,
}

/// A request as the origin saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    /// As scenarios write it.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What the cache calls.
#[derive(Clone)]
pub(crate) struct Origin {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    /// Calls and bodies that have not come to their end.
    open: Arc<AtomicUsize>,
    wire: Wire,
}

#[derive(Clone)]
enum Wire {
    Mock(Arc<Mutex<Vec<Seen>>>),
    Sockets(Arc<Sockets>),
}

struct Sockets {
    server: Server,
    acts: Arc<Mutex<VecDeque<Act>>>,
    client: Client<ToServer, Full<Bytes>>,
}

impl Origin {
    pub(crate) async fn new(transport: Transport) -> Self {
        let wire = match transport {
            Transport::Mock => Wire::Mock(Arc::default()),
            Transport::Sockets => {
                let acts = Arc::<Mutex<VecDeque<Act>>>::default();
                let next = acts.clone();
                let script = move |_: &server::Seen| lock(&next).pop_front().expect("it was put there");
                let server = Server::h1(script).await.expect("loopback has a free port");
                let client = Client::builder(TokioExecutor::new()).build(ToServer(server.addr()));
                Wire::Sockets(Arc::new(Sockets { server, acts, client }))
            }
        };
        Self { answers: Arc::default(), open: Arc::default(), wire }
    }

    /// In the place of all that was to be answered before.
    pub(crate) fn will_answer(&self, answers: &[Answer]) {
        *lock(&self.answers) = answers.iter().cloned().collect();
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        match &self.wire {
            Wire::Mock(seen) => lock(seen).clone(),
            Wire::Sockets(sockets) => sockets.server.log().requests().into_iter().map(Seen::from).collect(),
        }
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    async fn answer(self, request: Request<Full<Bytes>>) -> Result<Response<OriginBody>, BoxError> {
        let open = Open::new(&self.open);
        let answer = lock(&self.answers).pop_front();
        if let Some(Answer::Reply(Reply { after, .. })) = &answer
            && !after.is_zero()
        {
            advance(*after).await;
        }
        let response = match self.wire {
            Wire::Mock(seen) => {
                let method = request.method().clone();
                let request = Seen::new(request).await;
                lock(&seen).push(request);
                mocked(&method, answer)?.map(Either::Left)
            }
            Wire::Sockets(sockets) => {
                let Sockets { server, acts, client } = &*sockets;
                let times_out = matches!(answer, Some(Answer::Timeout));
                lock(acts).push_back(act(request.method(), answer));
                let log = server.log();
                let before = log.requests().len();
                let arrives = log.until(|requests| requests.len() > before);
                let response = client.request(request);
                if times_out {
                    tokio::select! {
                        _ = response => unreachable!("the server is silent"),
                        () = arrives => return Err("timed out".into()),
                    }
                }
                response.await?.map(Either::Right)
            }
        };
        Ok(response.map(|inner| OriginBody { inner, _open: open }))
    }
}

impl Service<Request<Full<Bytes>>> for Origin {
    type Response = Response<OriginBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<OriginBody>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}

/// What is answered to a request that no scenario expects.
fn unexpected() -> Reply {
    Reply {
        after: std::time::Duration::ZERO,
        status: StatusCode::from_u16(299).expect("a status"),
        fields: Vec::new(),
        body: Bytes::from_static(b"nothing was scripted"),
        trailers: Vec::new(),
        torn: None,
    }
}

fn mocked(method: &Method, answer: Option<Answer>) -> Result<Response<bodies::Body>, BoxError> {
    let reply = match answer {
        Some(Answer::Reply(reply)) => reply,
        Some(Answer::Disconnect) => return Err("the connection was closed".into()),
        Some(Answer::Timeout) => return Err("timed out".into()),
        None => unexpected(),
    };
    let mut steps = Vec::new();
    if *method != Method::HEAD {
        let sent = reply.body.slice(..reply.torn.unwrap_or(usize::MAX).min(reply.body.len()));
        steps.extend((!sent.is_empty()).then_some(Step::Data(sent)));
        steps.extend((!reply.trailers.is_empty()).then(|| Step::Trailers(map(reply.trailers))));
        steps.extend(reply.torn.map(|_| Step::Error));
    }
    let mut response = Response::new(bodies::Body::frames(steps).ends_knowingly().lenient());
    *response.status_mut() = reply.status;
    *response.headers_mut() = map(reply.fields);
    Ok(response)
}

fn act(method: &Method, answer: Option<Answer>) -> Act {
    let reply = match answer {
        Some(Answer::Reply(reply)) => reply,
        Some(Answer::Disconnect) => return Act::close(),
        Some(Answer::Timeout) => return Act::hang(),
        None => unexpected(),
    };
    let act = match reply.torn {
        Some(after_bytes) => Act::reset_mid_body(after_bytes),
        None => Act::reply(reply.status.as_u16()),
    };
    let headers = map(reply.fields);
    let has_length = headers.contains_key(CONTENT_LENGTH);
    let mut act = act.headers(headers).body(reply.body);
    if !reply.trailers.is_empty() {
        act = act.trailers(map(reply.trailers));
    }
    // Else the server would say of a body that is not sent that it is empty.
    let has_no_body = *method == Method::HEAD || reply.status == StatusCode::NOT_MODIFIED;
    if has_no_body && !has_length { act.chunked() } else { act }
}

fn map(fields: Vec<Field>) -> HeaderMap {
    fields.into_iter().collect()
}

impl Seen {
    async fn new(request: Request<Full<Bytes>>) -> Self {
        let (head, body) = request.into_parts();
        let host = head.uri.authority().expect("targets are absolute").as_str();
        let path = head.uri.path_and_query().expect("targets have a path").as_str();
        let target = as_written(host, path);
        let body = body.collect().await.expect("it cannot fail").to_bytes();
        Self { method: head.method, target, headers: head.headers, body }
    }
}

impl From<server::Seen> for Seen {
    fn from(seen: server::Seen) -> Self {
        let host = seen.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let target = as_written(host, &seen.path);
        Self { method: seen.method, target, headers: seen.headers, body: seen.body.into() }
    }
}

fn as_written(host: &str, path: &str) -> String {
    if host == HERE { path.to_owned() } else { format!("//{host}{path}") }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics under it")
}

/// One that is under way.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(open.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer, which is open for as long as it is there.
pub(crate) struct OriginBody {
    inner: Either<bodies::Body, Incoming>,
    _open: Open,
}

impl Body for OriginBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Connects every name to the one server.
#[derive(Clone, Copy)]
struct ToServer(SocketAddr);

impl Service<Uri> for ToServer {
    type Response = TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<TokioIo<TcpStream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Self(server) = *self;
        Box::pin(async move { Ok(TokioIo::new(TcpStream::connect(server).await?)) })
    }
}
