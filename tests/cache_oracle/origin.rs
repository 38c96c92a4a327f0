//! The origin: it says what its history wants, and remembers what it was asked.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use tokio::time::Instant;
use tower::Service;

use crate::fields::{Fields, has, lines, members, single, tag, tags};
use crate::history::{Answer, Said};
use crate::message::{self, Exchange};
use crate::words::written;

/// 1994-11-06T08:49:37Z, in milliseconds.
pub const BEGAN: i64 = 784_111_777_000;

#[derive(Clone)]
pub struct Origin {
    began: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// To the first question, and to all that follow it.
    answers: Option<[Answer; 2]>,
    asked: usize,
    in_flight: usize,
    exchanges: Vec<Exchange>,
    bodies: usize,
}

impl Origin {
    pub fn new() -> Self {
        Self { began: Instant::now(), state: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics meanwhile")
    }

    pub fn now(&self) -> i64 {
        BEGAN + i64::try_from(self.began.elapsed().as_millis()).expect("some years")
    }

    /// What it says from now on.
    pub fn says(&self, answers: [Answer; 2]) {
        let mut state = self.state();
        (state.answers, state.asked) = (Some(answers), 0);
    }

    pub fn is_busy(&self) -> bool {
        self.state().in_flight > 0
    }

    /// What it was asked since this was last called.
    pub fn exchanges(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.state().exchanges)
    }

    async fn answer(self, request: message::Request) -> Result<Response<Content>, Unreachable> {
        let (answer, body) = {
            let mut state = self.state();
            let nth = state.asked.min(1);
            state.asked += 1;
            state.in_flight += 1;
            state.bodies += 1;
            (
                state.answers.as_ref().expect("it was told what to say")[nth].clone(),
                format!("{:02}-abcdef", state.bodies),
            )
        };
        let sent = self.now();
        if answer.delay > 0 {
            tokio::time::sleep(Duration::from_millis(answer.delay)).await;
        }
        let received = self.now();
        let response = answer.said.map(|said| said.response(&request, body, received));
        let mut state = self.state();
        state.in_flight -= 1;
        state.exchanges.push(Exchange { request, sent, received, response: response.clone() });
        response.map(|response| sent_out(&response)).ok_or(Unreachable)
    }
}

impl Said {
    fn response(self, request: &message::Request, body: String, now: i64) -> message::Response {
        let fields: Fields =
            self.fields.into_iter().map(|(name, value)| (name, written(&value, now, BEGAN))).collect();
        let is_not_modified =
            self.heeds_conditions && self.status == 200 && is_not_modified(&request.fields, &fields);
        let status = if is_not_modified { 304 } else { self.status };
        let has_content = request.method != "HEAD" && !matches!(status, 204 | 304);
        let mut body = if has_content { body } else { String::new() };
        if self.breaks_off && has_content {
            body.truncate(4);
        }
        let is_as_long =
            lines(&fields, "content-length").next().is_none_or(|length| length == body.len().to_string());
        let is_whole =
            request.method == "HEAD" || status == 304 || is_as_long && !(self.breaks_off && has_content);
        message::Response { status, fields, body, is_whole }
    }
}

fn is_not_modified(request: &Fields, own: &Fields) -> bool {
    if has(request, "if-none-match") {
        let own = single(own, "etag").and_then(tag);
        return lines(request, "if-none-match").flat_map(members).any(|member| member == "*")
            || own.is_some_and(|own| tags(request, "if-none-match").iter().any(|tag| tag.1 == own.1));
    }
    has(request, "if-modified-since") && single(request, "if-modified-since") == single(own, "last-modified")
}

impl Service<Request<Full<Bytes>>> for Origin {
    type Response = Response<Content>;
    type Error = Unreachable;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Content>, Unreachable>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unreachable>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let request = message::Request {
            method: request.method().to_string(),
            target: request.uri().to_string(),
            fields: plain(request.headers()),
        };
        Box::pin(self.clone().answer(request))
    }
}

#[derive(Debug)]
pub struct Unreachable;

pub fn plain(fields: &HeaderMap) -> Fields {
    let text = |value: &http::HeaderValue| value.to_str().expect("what was written").to_string();
    fields.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

fn sent_out(response: &message::Response) -> Response<Content> {
    let mut out = Response::builder().status(response.status);
    for (name, value) in &response.fields {
        out = out.header(name, value);
    }
    let data = Some(Bytes::from(response.body.clone())).filter(|data| !data.is_empty());
    // With the wrong length it ends all the same.
    let breaks_off = !response.is_whole && response.body.len() == 4;
    out.body(Content { data, breaks_off }).expect("all words are fields")
}

/// A body of one frame, that may break off after it.
pub struct Content {
    data: Option<Bytes>,
    breaks_off: bool,
}

impl Body for Content {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(match self.data.take() {
            Some(data) => Some(Ok(Frame::data(data))),
            None if std::mem::take(&mut self.breaks_off) => Some(Err("it broke off".into())),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && !self.breaks_off
    }

    fn size_hint(&self) -> SizeHint {
        if self.breaks_off {
            return SizeHint::default();
        }
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}
