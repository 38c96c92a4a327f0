//! The layer over an app that tells what it got.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bartizan_core::{BoxError, CallContext, Rejection, RequestHead, find_source};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt};

use super::*;

mod keys;
mod layer;
mod tokens;
mod users;

/// Answers 200 and keeps the heads.
#[derive(Clone, Default)]
struct App {
    seen: Arc<Mutex<Vec<Parts>>>,
    cache_control: Option<&'static str>,
}

impl Service<Request<()>> for App {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.seen.lock().unwrap().push(request.into_parts().0);
        let mut response = Response::default();
        if let Some(said) = self.cache_control {
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(said));
        }
        ready(Ok(response))
    }
}

/// A GET of `target` with these fields.
fn get(target: &str, fields: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::get(target).body(()).unwrap();
    for (name, value) in fields {
        request.headers_mut().append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    request
}

/// What the app gets, or why it gets nothing.
async fn ask(layer: &VerifyLayer, request: Request<()>) -> Result<Parts, Denied> {
    let app = App::default();
    let answer = layer.layer(app.clone()).oneshot(request).await;
    let seen = app.seen.lock().unwrap().pop();
    match answer {
        Ok(_) => Ok(seen.expect("the app has answered")),
        Err(error) => {
            assert!(seen.is_none(), "the app got a request that was refused");
            Err(*error.downcast().expect("the app cannot fail"))
        }
    }
}

/// Who it is, or status and challenges.
async fn who(verifier: &(impl Verifier + Clone), request: Request<()>) -> Result<String, (u16, String)> {
    match ask(&VerifyLayer::new(verifier.clone()), request).await {
        Ok(head) => Ok(Principal::of(&head.extensions).unwrap().to_string()),
        Err(denied) => {
            let challenges = denied.challenges().iter().map(|challenge| challenge.to_str().unwrap());
            Err((bartizan_core::Refusal::status(&denied).as_u16(), challenges.collect::<Vec<_>>().join(", ")))
        }
    }
}

fn status(result: Result<String, (u16, String)>) -> u16 {
    result.map_or_else(|(status, _)| status, |_| 200)
}

/// Target, and fields by name in their order.
fn written(head: &Parts) -> (String, Vec<String>) {
    let lines = head.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
    (head.uri.to_string(), lines.collect())
}

/// `k3y` is billing's.
fn principals() -> Principals {
    Principals::new([(SecretDigest::of("k3y"), "billing"), (SecretDigest::of("b+/=\u{e9}"), "odd")])
}
