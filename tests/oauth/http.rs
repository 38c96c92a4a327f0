//! Requests without any of our layers: what a browser, a test or another client would send.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

pub(crate) type Http = Client<HttpConnector, Full<Bytes>>;

pub(crate) fn http() -> Http {
    Client::builder(TokioExecutor::new()).build_http()
}

/// All of a response, its body read to the end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// Empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("it is text"))
    }
}

pub(crate) async fn send(request: Request<Full<Bytes>>) -> Answer {
    let (head, body) = http().request(request).await.expect("the server answers").into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    Answer { status: head.status, headers: head.headers, body }
}

pub(crate) async fn get(uri: &str) -> Answer {
    send(Request::get(uri).body(Full::default()).expect("a valid request")).await
}

/// A form, written by hand.
pub(crate) async fn post(uri: &str, authorization: Option<&str>, form: &str) -> Answer {
    let mut request = Request::post(uri).header("content-type", "application/x-www-form-urlencoded");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    send(request.body(form.to_owned().into()).expect("a valid request")).await
}
