//! The client over a server that is played, over paused time.

use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::BoxError;
use bartizan_test::bodies::{Body, Step};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::service_fn;

use super::*;
use crate::{EndpointError, JsonRefresh, Refreshing, Secret, Token, TokenError, TokenSource, Transport};

mod answers;
mod client_auth;
mod device;
mod discovery;
mod json_refresh;
mod login;
mod refresh;
mod vectors;

const SECOND: Duration = Duration::from_secs(1);
const TOKEN: &str = "https://as.example/token";

/// What came in.
#[derive(Debug)]
struct Asked {
    head: Parts,
    body: String,
}

impl Asked {
    /// A member of the form.
    fn form(&self, name: &str) -> Option<String> {
        let mut named = form_urlencoded::parse(self.body.as_bytes()).filter(|(given, _)| given == name);
        let found = named.next().map(|(_, value)| value.into_owned());
        assert!(named.next().is_none(), "{name} is there twice: {}", self.body);
        found
    }

    fn authorization(&self) -> Option<&str> {
        self.head.headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap())
    }
}

/// What goes out.
enum Reply {
    Answer(Box<Response<Body>>),
    Error(BoxError),
    Never,
}

fn answer(head: http::response::Builder, body: Body) -> Reply {
    Reply::Answer(Box::new(head.body(body).unwrap()))
}

fn raw(status: u16, body: &str) -> Reply {
    answer(Response::builder().status(status), Body::frames([Step::data(body.to_owned())]))
}

fn object(status: u16, body: &Value) -> Reply {
    raw(status, &body.to_string())
}

fn refusal(status: u16, code: &str) -> Reply {
    object(status, &json!({ "error": code }))
}

fn tokens(access: &str) -> Reply {
    object(200, &json!({ "access_token": access, "token_type": "Bearer", "expires_in": 3600 }))
}

/// A server that answers by a script, and keeps what came in.
#[derive(Clone)]
struct Fake {
    asked: Arc<Mutex<Vec<Asked>>>,
    answer: Arc<Script>,
}

type Script = dyn Fn(usize, &Asked) -> Reply + Send + Sync;

impl Fake {
    /// `answer` is told how many came before.
    fn new(answer: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self { asked: Arc::default(), answer: Arc::new(answer) }
    }

    fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn transport(&self) -> Transport {
        let this = self.clone();
        Transport::new(service_fn(move |request| this.clone().serve(request)))
    }

    /// With all endpoints that there are.
    fn client(&self) -> OAuthClient {
        let server = ServerMetadata::new(TOKEN)
            .and_then(|server| server.authorization_endpoint("https://as.example/authorize"))
            .and_then(|server| server.device_authorization_endpoint("https://as.example/device"))
            .and_then(|server| server.revocation_endpoint("https://as.example/revoke"));
        OAuthClient::new(self.transport(), server.unwrap(), "s6BhdRkqt3")
    }

    async fn serve(self, request: Request<Full<Bytes>>) -> Result<Response<Body>, BoxError> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.expect("it is whole").to_bytes();
        let asked = Asked { head, body: String::from_utf8(body.to_vec()).unwrap() };
        let reply = {
            let mut before = self.asked.lock().unwrap();
            let reply = (self.answer)(before.len(), &asked);
            before.push(asked);
            reply
        };
        match reply {
            Reply::Answer(answer) => Ok(*answer),
            Reply::Error(error) => Err(error),
            Reply::Never => pending().await,
        }
    }
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../vectors/rfc.json")).unwrap()
}

/// What all is shown of it, to see that no secret is.
fn printed<T: std::fmt::Debug>(thing: &T) -> String {
    format!("{thing:?} {thing:#?}")
}
