//! The response future.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bartizan_core::{ReadyThenCall, Replay, RequestHead};
use bytes::Bytes;
use http::header::{CONTENT_LOCATION, LOCATION};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

use crate::CacheBody;
use crate::engine::{Asking, Engine, Outcome, Plan};
use crate::flight::{Follow, Landed, Lead, Role};
use crate::named::same_origin;

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
    /// Whose success invalidates.
    unsafe_: Option<Box<Unsafe>>,
    /// Others wait for what becomes of it.
    lead: Option<Lead>,
}

/// The head of a request that may change something.
struct Unsafe {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    extensions: http::Extensions,
}

impl<S: Clone, B: Replay> Fetch<S, B> {
    pub(crate) fn new(
        engine: &Arc<Engine>,
        inner: &S,
        request: &mut Request<B>,
        asking: &mut Asking,
    ) -> Self {
        let again = asking.validators.take().and_then(|validators| {
            let body = request.body().replay()?;
            let mut again = Request::new(mem::replace(request.body_mut(), body));
            *again.method_mut() = request.method().clone();
            *again.uri_mut() = request.uri().clone();
            *again.version_mut() = request.version();
            *again.headers_mut() = request.headers().clone();
            *again.extensions_mut() = request.extensions().clone();
            validators.replace_conditions(request.headers_mut());
            Some(Box::new((inner.clone(), again)))
        });
        let unsafe_ = (!request.method().is_safe()).then(|| {
            Box::new(Unsafe {
                method: request.method().clone(),
                uri: request.uri().clone(),
                headers: request.headers().clone(),
                extensions: request.extensions().clone(),
            })
        });
        Self { engine: engine.clone(), again, unsafe_, lead: None }
    }
}

impl<S, B> Fetch<S, B> {
    fn invalidate(&self, status: StatusCode, headers: &HeaderMap, now: Instant) {
        let Some(changed) = &self.unsafe_ else { return };
        if !Engine::invalidates(&changed.method, status) {
            return;
        }
        let Unsafe { method, uri, headers: asked, extensions } = &**changed;
        let request = RequestHead::new(method, uri, asked, extensions, None);
        let keys = &self.engine.keys;
        self.engine.invalidate(&keys.key(&request), now);
        self.engine.invalidate_groups(&keys.key(&request), headers, now);
        for name in [LOCATION, CONTENT_LOCATION] {
            let named = headers.get(&name).and_then(|value| same_origin(uri, value.as_bytes()));
            let Some(named) = named else { continue };
            self.engine.invalidate(&keys.of(&request, &named), now);
        }
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

/// What comes of a start.
#[allow(clippy::large_enum_variant, reason = "it is taken apart at once")]
enum Started<S: Service<Request<B>>, B> {
    Answered(Response<Bytes>, Option<HeaderMap>),
    Asks(ReadyThenCall<S, Request<B>, S::Future>, Box<Asking>, Fetch<S, B>),
    Waits(Box<(Start<S, B>, Box<Asking>)>, Follow),
}

impl<S: Service<Request<B>> + Clone, B: Replay> Start<S, B> {
    /// Goes, or waits for whoever goes already if it `may_wait`.
    fn go(self, asking: Box<Asking>, may_wait: bool) -> Started<S, B> {
        let now = Instant::now();
        let is_shared = self.engine.rules.is_shared;
        let lead = if may_wait && asking.may_be_shared(is_shared) {
            match self.engine.flights.join(asking.key.digest, now) {
                Role::Leads(lead) => Some(lead),
                Role::Follows(follow) => return Started::Waits(Box::new((self, asking)), follow),
                Role::Alone => None,
            }
        } else {
            None
        };
        let Self { engine, inner, mut request } = self;
        let mut asking = asking;
        let mut fetch = Fetch::new(&engine, &inner, &mut request, &mut asking);
        fetch.lead = lead;
        Started::Asks(ReadyThenCall::new(inner, request), asking, fetch)
    }

    /// Looks again, now that somebody else has been there.
    fn again(self, may_wait: bool) -> Started<S, B> {
        match self.engine.plan(&RequestHead::from(&self.request), Instant::now()) {
            Plan::Answer(response, trailers) => Started::Answered(response, trailers),
            Plan::Ask(asking) => self.go(asking, may_wait),
        }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B, R, S::Future>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    B: Replay,
    R: Body<Data = Bytes>,
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
                            // Who has left hands over; what is not to be had from another is fetched.
                            let landed = ready!(Pin::new(follow).poll(cx));
                            let (start, _) = *start.take().expect("it is there while it waits");
                            start.again(landed == Landed::Abandoned)
                        }
                    };
                    match started {
                        Started::Answered(response, trailers) => {
                            let response = response.map(|body| CacheBody::stored(body, trailers));
                            return Poll::Ready(Ok(response));
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
                    let Some((response, trailers)) = fetch.engine.failed(asking, now) else {
                        return Poll::Ready(Err(error));
                    };
                    return Poll::Ready(Ok(response.map(|body| CacheBody::stored(body, trailers))));
                }
            };
            fetch.invalidate(response.status(), response.headers(), now);
            let again = fetch.again.take();
            let outcome =
                fetch.engine.answered(asking, response.status(), response.headers(), again.is_some(), now);
            match (outcome, again) {
                (Outcome::Pass(mut fill, told), _) => {
                    match (&mut fill, fetch.lead.take()) {
                        (Some(fill), Some(lead)) => {
                            lead.stores(now);
                            fill.lead = Some(lead);
                        }
                        (None, Some(lead)) => lead.land(Landed::NotStored, now),
                        (_, None) => {}
                    }
                    fetch.engine.tell(told, &mut response);
                    return Poll::Ready(Ok(response.map(|body| match fill {
                        Some(fill) => CacheBody::kept(body, *fill),
                        None => CacheBody::passed(body),
                    })));
                }
                (Outcome::Answer(response, trailers), _) => {
                    return Poll::Ready(Ok(response.map(|body| CacheBody::stored(body, trailers))));
                }
                (Outcome::Again, Some(again)) => {
                    let (inner, request) = *again;
                    asking.asked_again(now);
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
