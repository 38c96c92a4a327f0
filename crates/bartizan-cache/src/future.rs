//! The response future.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bartizan_core::{BoxError, ReadyThenCall, Replay, replay_request};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

use crate::CacheBody;
use crate::engine::{Asking, Completed, Engine, Followed, Outcome, Plan};
use crate::fill::Fill;
use crate::flight::{Follow, Grows, Landed, Lead, Role};
use crate::growing::{Exactly, Growing, Reader};

pin_project! {
    /// The future of [`Cache`](crate::Cache).
    pub struct ResponseFuture<S, B, R, Fut> {
        #[pin]
        state: State<S, B, R, Fut>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, R, Fut> {
        Answered { response: Option<Response<CacheBody<R>>> },
        Starting { start: Option<Box<(Start<S, B>, Box<Asking>)>>, follow: Option<Follow>, may_wait: bool },
        Asking { #[pin] call: ReadyThenCall<S, Request<B>, Fut>, asking: Box<Asking>, fetch: Fetch<S, B> },
    }
}

/// A request that goes to the origin, unless somebody else has gone already.
pub(crate) struct Start<S, B> {
    pub(crate) engine: Arc<Engine>,
    pub(crate) inner: S,
    pub(crate) request: Request<B>,
}

/// What a fetch may still need.
pub(crate) struct Fetch<S, B> {
    engine: Arc<Engine>,
    /// The request as the client sent it, if it was given conditions of ours.
    again: Option<Box<(S, Request<B>)>>,
    /// Others wait for what becomes of it.
    lead: Option<Lead>,
}

impl<S: Clone, B: Replay> Fetch<S, B> {
    pub(crate) fn new(
        engine: &Arc<Engine>,
        inner: &S,
        request: &mut Request<B>,
        asking: &mut Asking,
    ) -> Self {
        let copy = if asking.has_ours() { replay_request(request) } else { None };
        let again = copy.map(|copy| {
            let again = mem::replace(request, copy);
            asking.put_ours(request.headers_mut());
            Box::new((inner.clone(), again))
        });
        Self { engine: engine.clone(), again, lead: None }
    }
}

impl<S, B> Fetch<S, B> {
    /// Nobody waits any more for what is not for others. What is fetched in the background is for whoever asks later.
    fn lead_of(&mut self, fill: Option<&Fill>, now: Instant) -> Option<Lead> {
        let lead = self.lead.take()?;
        let is_of_use = |fill: &Fill| lead.in_background() || self.engine.is_for_others(fill.head(), now);
        if fill.is_some_and(is_of_use) {
            return Some(lead);
        }
        lead.land(Landed::NotStored, now);
        None
    }
}

impl<S, B, R, Fut> ResponseFuture<S, B, R, Fut> {
    pub(crate) fn answered(response: Response<CacheBody<R>>) -> Self {
        Self { state: State::Answered { response: Some(response) } }
    }

    pub(crate) fn starting(start: Start<S, B>, asking: Box<Asking>) -> Self {
        Self {
            state: State::Starting { start: Some(Box::new((start, asking))), follow: None, may_wait: true },
        }
    }
}

impl<S: Service<Request<B>> + Clone, B: Body + Replay, R> ResponseFuture<S, B, R, S::Future> {
    /// Goes for what others may wait for.
    pub(crate) fn leading(start: Start<S, B>, asking: Box<Asking>, lead: Lead) -> Self {
        let (call, asking, fetch) = start.ask(asking, Some(lead));
        Self { state: State::Asking { call, asking, fetch } }
    }
}

/// What comes of a start.
#[allow(clippy::large_enum_variant, reason = "it is taken apart at once")]
enum Started<S: Service<Request<B>>, B> {
    Answered(Response<Bytes>, Option<HeaderMap>),
    Shares(Response<()>, Reader),
    Asks(ReadyThenCall<S, Request<B>, S::Future>, Box<Asking>, Fetch<S, B>),
    Waits(Box<(Start<S, B>, Box<Asking>)>, Follow),
}

impl<S: Service<Request<B>> + Clone, B: Body + Replay> Start<S, B> {
    /// Goes, or waits for whoever goes already if it `may_wait`.
    fn go(self, mut asking: Box<Asking>, may_wait: bool) -> Started<S, B> {
        let mut lead = None;
        if may_wait && asking.may_be_shared(self.engine.rules.is_shared) {
            let Engine { flights, kept, .. } = &*self.engine;
            match flights.join(asking.goes(), kept, Instant::now()) {
                Role::Leads(leads) => lead = Some(leads),
                Role::Follows(follow) => return Started::Waits(Box::new((self, asking)), follow),
                Role::Alone => {}
            }
        }
        let (call, asking, fetch) = self.ask(asking, lead);
        Started::Asks(call, asking, fetch)
    }

    #[allow(clippy::type_complexity, reason = "they are put into one state")]
    fn ask(
        self,
        mut asking: Box<Asking>,
        lead: Option<Lead>,
    ) -> (ReadyThenCall<S, Request<B>, S::Future>, Box<Asking>, Fetch<S, B>) {
        let Self { engine, inner, mut request } = self;
        let mut fetch = Fetch::new(&engine, &inner, &mut request, &mut asking);
        fetch.lead = lead;
        (ReadyThenCall::new(inner, request), asking, fetch)
    }

    /// Now that somebody else has been there.
    fn after(self, asking: &Asking, landed: Landed) -> Started<S, B> {
        match landed {
            Landed::Grows(grows) => self.share(asking, &grows),
            // It may be another variant. Who has left hands over.
            Landed::Stored | Landed::Abandoned => self.again(true),
            Landed::NotStored => self.again(false),
        }
    }

    fn share(self, asking: &Asking, grows: &Grows) -> Started<S, B> {
        match self.engine.followed(asking, &grows.head, Instant::now()) {
            Followed::Answer(response) => match grows.body.upgrade().and_then(|body| body.read()) {
                Some(reader) => Started::Shares(response, reader),
                // It is complete by now, or was left.
                None => self.again(true),
            },
            Followed::Another => self.again(true),
            Followed::Nothing => self.again(false),
        }
    }

    /// Looks once more.
    fn again(self, may_wait: bool) -> Started<S, B> {
        match self.engine.plan_for(&self.request, Instant::now()) {
            Plan::Answer(response, trailers) | Plan::Stale(response, trailers, _) => {
                Started::Answered(response, trailers)
            }
            Plan::Ask(asking) => self.go(asking, may_wait),
        }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B, R, S::Future>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    B: Body + Replay,
    R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Output = Result<Response<CacheBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let (call, asking, fetch) = match state.as_mut().project() {
                StateProjection::Answered { response } => {
                    let response = response.take().expect("a future is not polled after its end");
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Starting { start, follow, may_wait } => {
                    let started = match follow {
                        None => {
                            let (start, asking) = *start.take().expect("it starts once");
                            start.go(asking, *may_wait)
                        }
                        Some(follow) => {
                            let landed = ready!(Pin::new(follow).poll(cx));
                            let (start, asking) = *start.take().expect("it is there while it waits");
                            start.after(&asking, landed)
                        }
                    };
                    match started {
                        Started::Answered(response, trailers) => {
                            let response = response.map(|body| CacheBody::stored(body, trailers));
                            return Poll::Ready(Ok(response));
                        }
                        Started::Shares(response, reader) => {
                            return Poll::Ready(Ok(response.map(|()| CacheBody::shared(reader))));
                        }
                        Started::Asks(call, asking, fetch) => {
                            state.set(State::Asking { call, asking, fetch });
                        }
                        Started::Waits(start, follow) => {
                            state.set(State::Starting {
                                start: Some(start),
                                follow: Some(follow),
                                may_wait: true,
                            });
                        }
                    }
                    continue;
                }
                StateProjection::Asking { call, asking, fetch } => (call, asking, fetch),
            };
            let result = ready!(call.poll(cx));
            let now = Instant::now();
            let mut response = match result {
                Ok(response) => response,
                Err(error) => {
                    if let Some(lead) = fetch.lead.take() {
                        lead.land(Landed::NotStored, now);
                    }
                    return Poll::Ready(match fetch.engine.failed(asking, now) {
                        Some((response, trailers)) => {
                            Ok(response.map(|body| CacheBody::stored(body, trailers)))
                        }
                        None => Err(error),
                    });
                }
            };
            let again = fetch.again.take();
            let (status, least) = (response.status(), response.body().size_hint().lower());
            let changed = fetch.engine.kept.changes.now();
            let outcome =
                fetch.engine.answered(asking, status, response.headers(), least, again.is_some(), now);
            fetch.engine.changed(asking, status, response.headers(), changed);
            match (outcome, again) {
                (Outcome::Pass(fill, told), _) => {
                    fetch.engine.tell_asker(asking, told, &mut response);
                    let lead = fetch.lead_of(fill.as_deref(), now);
                    return Poll::Ready(Ok(response.map(|body| match fill {
                        Some(mut fill) => {
                            fill.lead = lead;
                            CacheBody::shared(Growing::begin(Bytes::new(), body, *fill))
                        }
                        None => CacheBody::passed(body),
                    })));
                }
                (Outcome::Answer { response, trailers, renewed }, _) => {
                    if let Some(lead) = fetch.lead.take() {
                        lead.land(if renewed { Landed::Stored } else { Landed::NotStored }, now);
                    }
                    return Poll::Ready(Ok(response.map(|body| CacheBody::stored(body, trailers))));
                }
                (Outcome::Complete(completed), _) => {
                    let (head, body) = response.into_parts();
                    let Completed { response, beginning, rest, mut fill, told } = *completed;
                    fill.lead = fetch.lead_of(Some(&fill), now);
                    let reader = Growing::begin(beginning, Exactly::new(body, rest), fill);
                    let mut response = response.map(|()| CacheBody::shared(reader));
                    *response.version_mut() = head.version;
                    *response.extensions_mut() = head.extensions;
                    fetch.engine.tell_asker(asking, told, &mut response);
                    return Poll::Ready(Ok(response));
                }
                (Outcome::Again, Some(again)) => {
                    let (inner, request) = *again;
                    asking.asked_again(now, fetch.engine.kept.changes.now());
                    let mut call = call_of(state.as_mut());
                    call.set(ReadyThenCall::new(inner, request));
                }
                (Outcome::Again, None) => return Poll::Ready(Ok(response.map(CacheBody::passed))),
            }
        }
    }
}

fn call_of<S, B, R, Fut>(
    state: Pin<&mut State<S, B, R, Fut>>,
) -> Pin<&mut ReadyThenCall<S, Request<B>, Fut>> {
    match state.project() {
        StateProjection::Asking { call, .. } => call,
        StateProjection::Answered { .. } | StateProjection::Starting { .. } => {
            unreachable!("a call is made again while it is asked")
        }
    }
}

impl<S, B, R, Fut> fmt::Debug for ResponseFuture<S, B, R, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Answered { .. } => "ResponseFuture(answered)",
            State::Starting { .. } => "ResponseFuture(starting)",
            State::Asking { .. } => "ResponseFuture(asking)",
        })
    }
}
