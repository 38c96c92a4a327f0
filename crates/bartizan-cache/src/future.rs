//! The response future.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bartizan_core::{Origin, ReadyThenCall, Replay, RequestHead};
use bytes::Bytes;
use http::header::{CONTENT_LOCATION, LOCATION};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

use crate::CacheBody;
use crate::engine::{Asking, Engine, Outcome};

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
        Asking { #[pin] call: ReadyThenCall<S, Request<B>, Fut>, asking: Box<Asking>, fetch: Fetch<S, B> },
    }
}

/// What a fetch may still need.
pub(crate) struct Fetch<S, B> {
    engine: Arc<Engine>,
    /// The request as the client sent it, if it was given conditions of ours.
    again: Option<Box<(S, Request<B>)>>,
    /// Whose success invalidates.
    unsafe_: Option<Box<Unsafe>>,
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
        Self { engine: engine.clone(), again, unsafe_ }
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
            let named = headers.get(&name).and_then(|value| Uri::try_from(value.as_bytes()).ok());
            let Some(named) = named.and_then(|named| same_origin(uri, named)) else { continue };
            self.engine.invalidate(&keys.of(&request, &named), now);
        }
    }
}

/// The target that `named` means, if it is one of the same origin (RFC 9111 section 4.4).
fn same_origin(base: &Uri, named: Uri) -> Option<Uri> {
    if named.scheme().is_none() && named.authority().is_none() {
        let mut parts = base.clone().into_parts();
        parts.path_and_query = named.into_parts().path_and_query;
        return Uri::from_parts(parts).ok();
    }
    (Origin::of(base).ok()? == Origin::of(&named).ok()?).then_some(named)
}

impl<S, B, R, Fut> ResponseFuture<S, B, R, Fut> {
    pub(crate) fn answered(response: Response<CacheBody<R>>) -> Self {
        Self { state: State::Answered { response: Some(response) } }
    }

    pub(crate) fn asking(
        call: ReadyThenCall<S, Request<B>, Fut>,
        asking: Box<Asking>,
        fetch: Fetch<S, B>,
    ) -> Self {
        Self { state: State::Asking { call, asking, fetch } }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B, R, S::Future>
where
    S: Service<Request<B>, Response = Response<R>>,
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
                StateProjection::Asking { call, asking, fetch } => (call, asking, fetch),
            };
            let result = ready!(call.poll(cx));
            let now = Instant::now();
            let mut response = match result {
                Ok(response) => response,
                Err(error) => {
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
                (Outcome::Pass(fill, told), _) => {
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
        StateProjection::Answered { .. } => unreachable!("a call is made again while it is asked"),
    }
}

impl<S, B, R, Fut> fmt::Debug for ResponseFuture<S, B, R, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Answered { .. } => "ResponseFuture(answered)",
            State::Asking { .. } => "ResponseFuture(asking)",
        })
    }
}
