//! The response future.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bartizan_core::{BoxError, Face, ReadyThenCall, Rejection, Respond, RespondBody};
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Request, Response, StatusCode, request};
use http_body::Body;
use http_body_util::Full;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::layer::Config;
use super::refused::Told;
use super::{Hook, Refused, RefusedKind, Verdict};
use crate::collect::{Collect, NotCollected};
use crate::{Check, Verified, trace};

/// What is known once the head was looked at.
pub(super) enum Begun<B> {
    Reading { head: Box<request::Parts>, body: Collect<B>, check: Box<dyn Check> },
    Answered(String),
    Refused(RefusedKind),
}

/// What the inner service is not asked for.
enum Answer {
    Handshake(String),
    Refused(Refused),
}

pin_project! {
    /// The future of [`Verify`](super::Verify).
    pub struct ResponseFuture<S, B, Fut, H> {
        #[pin]
        state: State<S, B, Fut>,
        config: Arc<Config<H>>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, Fut> {
        Reading {
            #[pin] body: Collect<B>,
            // Taken once the body is there.
            rest: Option<Rest<S>>,
        },
        // Taken at the answer.
        Answered { answer: Option<Answer> },
        Calling { #[pin] call: ReadyThenCall<S, Request<Full<Bytes>>, Fut> },
    }
}

struct Rest<S> {
    head: Box<request::Parts>,
    check: Box<dyn Check>,
    not_ready_inner: S,
}

impl<S, B, H> ResponseFuture<S, B, S::Future, H>
where
    S: Service<Request<Full<Bytes>>> + Clone,
    H: Hook,
{
    pub(super) fn new(begun: Begun<B>, not_ready_inner: &S, config: &Arc<Config<H>>) -> Self {
        let state = match begun {
            Begun::Reading { head, body, check } => {
                let rest = Rest { head, check, not_ready_inner: not_ready_inner.clone() };
                State::Reading { body, rest: Some(rest) }
            }
            Begun::Answered(challenge) => config.answered(challenge),
            Begun::Refused(kind) => config.refused(kind),
        };
        Self { state, config: config.clone() }
    }
}

impl<H: Hook> Config<H> {
    fn answered<S, B, Fut>(&self, answer: String) -> State<S, B, Fut> {
        self.hook.verdict(&Verdict::Handshake { scheme: self.scheme.name() });
        State::Answered { answer: Some(Answer::Handshake(answer)) }
    }

    fn refused<S, B, Fut>(&self, kind: RefusedKind) -> State<S, B, Fut> {
        let refused = Refused::new(self.scheme.name(), kind);
        trace::refused(&refused);
        self.hook.verdict(&Verdict::Refused(&refused));
        State::Answered { answer: Some(Answer::Refused(refused)) }
    }

    /// The body is there.
    fn judge<S: Service<Request<Full<Bytes>>>, B>(
        &self,
        rest: Rest<S>,
        body: Result<Bytes, RefusedKind>,
    ) -> State<S, B, S::Future> {
        let Rest { mut head, check, not_ready_inner } = rest;
        let proof = body.and_then(|body| Ok((check.finish(&body).map_err(RefusedKind::Signature)?, body)));
        let (proof, body) = match proof {
            Ok(proven) => proven,
            Err(kind) => return self.refused(kind),
        };
        if let Some(answer) = self.scheme.handshake(&body) {
            return self.answered(answer);
        }
        let verified = Verified::new(self.scheme.name(), proof, body.clone());
        self.hook.verdict(&Verdict::Passed(&verified));
        head.extensions.insert(verified);
        let request = Request::from_parts(*head, Full::new(body));
        State::Calling { call: ReadyThenCall::new(not_ready_inner, request) }
    }
}

impl<S, B, R, H> Future for ResponseFuture<S, B, S::Future, H>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>>,
    B: Body,
    B::Error: Into<BoxError>,
    H: Hook,
{
    type Output = Result<Response<RespondBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Reading { body, rest } => {
                    let check = &mut rest.as_mut().expect("it is taken once").check;
                    let read = ready!(body.poll(cx, |piece| check.update(piece)));
                    let read = read.map_err(|error| this.config.why(error));
                    this.config.judge(rest.take().expect("it is taken once"), read)
                }
                StateProjection::Answered { answer } => {
                    let answer = answer.take().expect("a future is not polled after its end");
                    return Poll::Ready(Ok(answer.into_response()));
                }
                StateProjection::Calling { call } => {
                    return Poll::Ready(Ok(ready!(call.poll(cx))?.map(RespondBody::inner)));
                }
            };
            this.state.set(next);
        }
    }
}

impl<H> Config<H> {
    fn why<E: Into<BoxError>>(&self, error: NotCollected<E>) -> RefusedKind {
        match error {
            NotCollected::TooSlow => RefusedKind::TooSlow(self.body_timeout),
            NotCollected::Other(bartizan_core::NotCollected::Broken(error)) => {
                RefusedKind::Broken(error.into())
            }
            NotCollected::Other(_) => RefusedKind::TooLarge(self.body_limit as u64),
        }
    }
}

const INVALID_SIGNATURE: &[u8] = br#"{"error":"Invalid signature"}"#;

impl Answer {
    fn into_response<R>(self) -> Response<RespondBody<R>> {
        match self {
            Self::Handshake(challenge) => {
                let mut response = Response::new(RespondBody::own(challenge));
                let headers = response.headers_mut();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
                // What comes back was written by somebody else.
                headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
                response
            }
            Self::Refused(refused) => refusal(&refused),
        }
    }
}

fn refusal<R>(refused: &Refused) -> Response<RespondBody<R>> {
    if let RefusedKind::Signature(_) = refused.kind() {
        let mut response = Response::new(RespondBody::own(INVALID_SIGNATURE));
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Webhook-Signature"));
        response.extensions_mut().insert(Rejection::new(None));
        return response;
    }
    let Ok(mut response) = <Respond as Face<Infallible>>::refuse(Told::of(refused));
    if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        // RFC 9110 section 15.5.16.
        response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    response
}

impl<S, B, Fut, H> fmt::Debug for ResponseFuture<S, B, Fut, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Reading { .. } => "ResponseFuture(reading)",
            State::Answered { .. } => "ResponseFuture(answered)",
            State::Calling { .. } => "ResponseFuture(calling)",
        })
    }
}
