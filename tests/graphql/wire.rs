//! What goes over the wire, and comes.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bartizan_core::BoxError;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tower::Service;

/// A client of hyper that keeps what it has seen.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    http: Client<HttpConnector, Full<Bytes>>,
    base: Arc<Mutex<String>>,
    seen: Arc<Mutex<Vec<Exchange>>>,
}

/// A request, and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) method: Method,
    pub(crate) target: PathAndQuery,
    pub(crate) headers: HeaderMap,
    pub(crate) asked: Value,
    pub(crate) status: u16,
    pub(crate) media_type: String,
    pub(crate) answer: Value,
}

impl Wire {
    pub(crate) fn new(base: &str) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self { http, base: Arc::new(Mutex::new(base.to_owned())), seen: Arc::default() }
    }

    /// From now on the server is there.
    pub(crate) fn moved(&self, base: &str) {
        base.clone_into(&mut self.base.lock().expect("no test panicked"));
    }

    pub(crate) fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.seen.lock().expect("no test panicked"))
    }
}

impl Exchange {
    /// `POST 200`, and what of the document was sent.
    pub(crate) fn shown(&self) -> String {
        let extensions = self.target.query().is_some_and(|query| query.contains("sha256Hash"))
            || self.asked["extensions"]["persistedQuery"]["sha256Hash"].is_string();
        let document = self.asked["query"].is_string();
        let sent = match (extensions, document) {
            (true, false) => "hash",
            (true, true) => "hash and document",
            (false, true) => "document",
            (false, false) => "nothing",
        };
        format!("{} {sent}: {}", self.method, self.status)
    }
}

pub(crate) fn shown(seen: &[Exchange]) -> Vec<String> {
    seen.iter().map(Exchange::shown).collect()
}

impl Service<Request<Full<Bytes>>> for Wire {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.http.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let Self { mut http, base, seen } = self.clone();
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let target = head.uri.path_and_query().expect("it has a path").clone();
            head.uri = format!("{}{target}", base.lock().expect("no test panicked")).parse::<Uri>()?;
            let (method, headers) = (head.method.clone(), head.headers.clone());
            let asked = serde_json::from_slice(&body).unwrap_or_default();
            let response = http.call(Request::from_parts(head, Full::new(body))).await?;
            let (head, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            let media_type = head.headers.get("content-type").and_then(|value| value.to_str().ok());
            let exchange = Exchange {
                method,
                target,
                headers,
                asked,
                status: head.status.as_u16(),
                media_type: media_type.unwrap_or_default().to_owned(),
                answer: serde_json::from_slice(&body).unwrap_or_default(),
            };
            seen.lock().expect("no test panicked").push(exchange);
            Ok(Response::from_parts(head, Full::new(body)))
        })
    }
}
