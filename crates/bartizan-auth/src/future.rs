//! The response future.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bartizan_core::{BoxError, Head, ReadyThenCall, ReplayNow};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::redirect::led_elsewhere;
use crate::service::Config;
use crate::{Authorizer, NoCredential, NotPrepared, OtherOrigin, Preparing, Reaction, Stamp, trace};

pin_project! {
    /// The future of [`Auth`](crate::Auth).
    pub struct ResponseFuture<S, B, Fut, A> {
        #[pin]
        state: State<S, B, Fut, A>,
    }
}

/// What a call was sent with, and what follows if that is refused.
pub(crate) struct Sent<S, B, A> {
    pub(crate) stamp: Stamp,
    pub(crate) config: Arc<Config<A>>,
    /// To be sent once more.
    pub(crate) again: Option<Box<(S, Request<B>)>>,
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, Fut, A> {
        Calling { #[pin] call: ReadyThenCall<S, Request<B>, Fut>, sent: Option<Sent<S, B, A>> },
        // Apart, so that calls which wait for nothing have no room for it.
        Preparing { waiting: Option<Box<Waiting<S, B, A>>> },
        Refused { error: Option<BoxError> },
    }
}

/// A call that waits for its credential. It keeps nothing of the inner meanwhile.
pub(crate) struct Waiting<S, B, A> {
    inner: S,
    request: Request<B>,
    preparing: Preparing,
    config: Arc<Config<A>>,
    again: Option<Box<(S, Request<B>)>>,
}

impl<S: Service<Request<B>>, B, A> ResponseFuture<S, B, S::Future, A> {
    pub(crate) fn calling(
        call: ReadyThenCall<S, Request<B>, S::Future>,
        sent: Option<Sent<S, B, A>>,
    ) -> Self {
        Self { state: State::Calling { call, sent } }
    }

    pub(crate) fn preparing(waiting: Waiting<S, B, A>) -> Self {
        Self { state: State::Preparing { waiting: Some(Box::new(waiting)) } }
    }

    pub(crate) fn refused(error: OtherOrigin) -> Self {
        trace::refused(&error);
        Self { state: State::Refused { error: Some(error.into()) } }
    }
}

impl<S, B, A> Waiting<S, B, A> {
    pub(crate) fn new(
        inner: S,
        request: Request<B>,
        preparing: Preparing,
        config: Arc<Config<A>>,
        again: Option<Box<(S, Request<B>)>>,
    ) -> Self {
        Self { inner, request, preparing, config, again }
    }
}

/// What comes of a credential that was waited for.
type Prepared<S, B, A> = (S, Request<B>, Option<Sent<S, B, A>>);

impl<S, B, A: Authorizer> Waiting<S, B, A> {
    /// What was waited for has come, or not.
    fn prepared(self, prepared: Result<(), NotPrepared>) -> Result<Prepared<S, B, A>, NoCredential> {
        let Self { inner, request, config, again, .. } = self;
        let (mut head, body) = request.into_parts();
        // It may have been taken away again meanwhile.
        let stamp =
            prepared.and_then(|()| config.authorizer.authorize(&mut head).ok_or_else(NotPrepared::unset));
        let sent = match stamp {
            Ok(stamp) => Some(Sent { stamp, config, again }),
            Err(_) if config.may_go_without => None,
            Err(why) => return Err(NoCredential::new(&head.uri, why)),
        };
        Ok((inner, Request::from_parts(head, body), sent))
    }
}

impl<S: Service<Request<B>>, B, A: Authorizer> State<S, B, S::Future, A> {
    /// Once more, with whatever there is now.
    fn again(inner: S, request: Request<B>, config: Arc<Config<A>>) -> Self {
        let (mut head, body) = request.into_parts();
        match config.authorizer.authorize(&mut head) {
            Some(stamp) => Self::Calling {
                call: ReadyThenCall::new(inner, Request::from_parts(head, body)),
                sent: Some(Sent { stamp, config, again: None }),
            },
            None => {
                let preparing = config.authorizer.prepare(&head);
                let request = Request::from_parts(head, body);
                Self::Preparing {
                    waiting: Some(Box::new(Waiting::new(inner, request, preparing, config, None))),
                }
            }
        }
    }
}

impl<S, B, R, A> Future for ResponseFuture<S, B, S::Future, A>
where
    S: Service<Request<B>, Response = Response<R>, Error: Into<BoxError>>,
    A: Authorizer,
{
    type Output = Result<Response<R>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProjection::Calling { call, sent } => {
                    let mut response = ready!(call.poll(cx)).map_err(Into::into)?;
                    let Some(Sent { stamp, config, again }) = sent.take() else {
                        return Poll::Ready(Ok(response));
                    };
                    // Who never saw the credential has no say in it.
                    if led_elsewhere(&config.origins, response.extensions())
                        || config.authorizer.react(stamp, &Head::from(&response)) == Reaction::Done
                    {
                        return Poll::Ready(Ok(response));
                    }
                    let Some(again) = again else {
                        response.extensions_mut().insert(ReplayNow);
                        return Poll::Ready(Ok(response));
                    };
                    // It is gone before anything is waited for.
                    drop(response);
                    let (inner, request) = *again;
                    state.set(State::again(inner, request, config));
                }
                StateProjection::Preparing { waiting } => {
                    let pending = waiting.as_mut().expect("it is taken once");
                    let prepared = ready!(pending.preparing.as_mut().poll(cx));
                    let ready = *waiting.take().expect("it was there");
                    match ready.prepared(prepared) {
                        Ok((inner, request, sent)) => {
                            state.set(State::Calling { call: ReadyThenCall::new(inner, request), sent });
                        }
                        Err(error) => {
                            trace::refused(&error);
                            return Poll::Ready(Err(error.into()));
                        }
                    }
                }
                StateProjection::Refused { error } => {
                    return Poll::Ready(Err(error.take().expect("a future is not polled after its end")));
                }
            }
        }
    }
}

impl<S, B, Fut, A> fmt::Debug for ResponseFuture<S, B, Fut, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Calling { .. } => "ResponseFuture(calling)",
            State::Preparing { .. } => "ResponseFuture(preparing)",
            State::Refused { .. } => "ResponseFuture(refused)",
        })
    }
}
