//! The response future.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bartizan_core::{BoxError, Collect, NotCollected, ReadyThenCall};
use bytes::Bytes;
use http::{Request, Response, request};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::NotSigned;
use super::layer::Config;

pin_project! {
    /// The future of [`Sign`](super::Sign).
    pub struct ResponseFuture<S, B, Fut> {
        #[pin]
        state: State<S, B, Fut>,
        config: Arc<Config>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, Fut> {
        Reading {
            #[pin] body: Collect<B>,
            // Taken once the body is there.
            rest: Option<(request::Parts, S)>,
        },
        Calling { #[pin] call: ReadyThenCall<S, Request<B>, Fut> },
    }
}

impl<S: Service<Request<B>>, B: Body> ResponseFuture<S, B, S::Future> {
    pub(super) fn new(request: Request<B>, not_ready_inner: S, config: Arc<Config>) -> Self {
        let (head, body) = request.into_parts();
        // The time of what we send ourselves is for the layers outside.
        let body = Collect::new(body, config.body_limit);
        Self { state: State::Reading { body, rest: Some((head, not_ready_inner)) }, config }
    }
}

impl Config {
    fn signed<B: From<Bytes>>(&self, mut head: request::Parts, body: Bytes) -> Result<Request<B>, NotSigned> {
        let now = self.clock.now();
        self.signer.sign(&mut head.headers, &body, now).map_err(NotSigned::refused)?;
        Ok(Request::from_parts(head, B::from(body)))
    }
}

impl<S, B, R> Future for ResponseFuture<S, B, S::Future>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    B: Body + From<Bytes>,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<R>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let call = match this.state.as_mut().project() {
                StateProjection::Reading { body, rest } => {
                    let body = ready!(body.poll(cx)).map_err(|error| match error {
                        NotCollected::Broken(error) => NotSigned::broken(error),
                        _ => NotSigned::too_large(this.config.body_limit),
                    })?;
                    let (head, not_ready_inner) = rest.take().expect("the request is taken once");
                    ReadyThenCall::new(not_ready_inner, this.config.signed(head, body)?)
                }
                StateProjection::Calling { call } => return call.poll(cx).map_err(Into::into),
            };
            this.state.set(State::Calling { call });
        }
    }
}

impl<S, B, Fut> fmt::Debug for ResponseFuture<S, B, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Reading { .. } => "ResponseFuture(reading)",
            State::Calling { .. } => "ResponseFuture(calling)",
        })
    }
}
