//! The inner service that layers are tried over.

use std::{
    future::Future,
    marker::PhantomPinned,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header::CACHE_CONTROL};
use http_body::Body;
use http_body_util::Full;
use pin_project_lite::pin_project;
use tokio::sync::Semaphore;
use tower::{
    BoxError,
    limit::{ConcurrencyLimit, concurrency::future::ResponseFuture},
};
use tower_service::Service;

use super::{
    probe::Probe,
    script::{Answer, CallFailed, Live, Misuse, NotReady, Readiness, Shared, Ticket},
};

/// A scripted inner service behind `tower::limit::ConcurrencyLimit`.
///
/// It answers any request body type, follows the script that its [`Probe`] holds, and counts what is alive. A call of
/// an instance that was not polled ready is recorded as a [`Misuse`] and then answered as if nothing were wrong (or, if
/// it had failed, with its error), so that one mistake is one finding. A clone shares script and permits, and is never ready.
#[derive(Debug)]
pub struct Inner {
    limit: ConcurrencyLimit<Scripted>,
    polled: Polled,
}

#[derive(Clone, Copy, Debug)]
enum Polled {
    No,
    Pending,
    Ready,
    Failed,
}

impl Inner {
    /// An inner that is always ready, answers 200 at once and has permits without end.
    pub fn new() -> (Self, Probe) {
        Self::with_permits(Semaphore::MAX_PERMITS)
    }

    /// The same with a limit on the calls in flight, as `ConcurrencyLimit` counts them: from readiness until the
    /// call's future is dropped.
    pub fn with_permits(permits: usize) -> (Self, Probe) {
        let shared = Arc::new(Shared::new(permits));
        let semaphore = Arc::clone(&shared.semaphore);
        let scripted = Scripted { shared: Arc::clone(&shared), state: State::Idle };
        let limit = ConcurrencyLimit::with_semaphore(scripted, semaphore);
        (Self { limit, polled: Polled::No }, Probe::new(shared))
    }

    fn record(&mut self, misuse: Misuse) {
        // The clone gives up what the instance holds, or a permit would be missing from now on.
        self.limit = self.limit.clone();
        self.limit.get_ref().shared.lock().misuses.push(misuse);
    }
}

impl Clone for Inner {
    fn clone(&self) -> Self {
        self.limit.get_ref().shared.clones.fetch_add(1, Ordering::Relaxed);
        Self { limit: self.limit.clone(), polled: Polled::No }
    }
}

impl<B: Body> Service<Request<B>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let answer = Service::<Request<B>>::poll_ready(&mut self.limit, cx);
        self.polled = match &answer {
            Poll::Pending => Polled::Pending,
            Poll::Ready(Ok(())) => Polled::Ready,
            Poll::Ready(Err(_)) => Polled::Failed,
        };
        answer
    }

    fn call(&mut self, request: Request<B>) -> InnerFuture {
        let misuse = match std::mem::replace(&mut self.polled, Polled::No) {
            Polled::Ready => None,
            Polled::No => Some(Misuse::Unpolled),
            Polled::Pending => Some(Misuse::Pending),
            Polled::Failed => Some(Misuse::Failed),
        };
        let kind = match misuse {
            None => Kind::Permitted { future: self.limit.call(request) },
            Some(misuse) => {
                self.record(misuse);
                match misuse {
                    Misuse::Failed => Kind::Failed,
                    Misuse::Unpolled | Misuse::Pending => {
                        Kind::Misused { future: self.limit.get_mut().call(request) }
                    }
                }
            }
        };
        InnerFuture { kind, not_unpin: PhantomPinned }
    }
}

pin_project! {
    /// The future of [`Inner`]. It is not `Unpin`, so that no layer comes to rely on that.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct InnerFuture {
        kind: Kind,
        #[pin]
        not_unpin: PhantomPinned,
    }
}

#[derive(Debug)]
enum Kind {
    Permitted { future: ResponseFuture<ScriptedFuture> },
    Misused { future: ScriptedFuture },
    Failed,
}

impl Future for InnerFuture {
    type Output = Result<Response<Full<Bytes>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind {
            Kind::Permitted { future } => Pin::new(future).poll(cx),
            Kind::Misused { future } => Pin::new(future).poll(cx),
            Kind::Failed => Poll::Ready(Err(NotReady.into())),
        }
    }
}

/// The service within the limit: no permits, just the script.
#[derive(Debug)]
struct Scripted {
    shared: Arc<Shared>,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle,
    Waiting(Ticket),
    Ready,
    Failed,
}

impl Clone for Scripted {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), state: State::Idle }
    }
}

impl<B> Service<Request<B>> for Scripted {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = ScriptedFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        loop {
            match &self.state {
                State::Idle => {
                    self.state = match self.shared.next_readiness() {
                        Readiness::Now => State::Ready,
                        Readiness::After(wakes) => State::Waiting(Ticket::new(&self.shared, Some(wakes))),
                        Readiness::Never => State::Waiting(Ticket::new(&self.shared, None)),
                        Readiness::Fails => State::Failed,
                    };
                }
                State::Waiting(ticket) => {
                    ready!(ticket.poll(cx));
                    self.state = State::Ready;
                }
                State::Ready => return Poll::Ready(Ok(())),
                State::Failed => {
                    self.shared.failed_polls.fetch_add(1, Ordering::Relaxed);
                    return Poll::Ready(Err(NotReady.into()));
                }
            }
        }
    }

    fn call(&mut self, _request: Request<B>) -> ScriptedFuture {
        self.state = State::Idle;
        self.shared.calls.fetch_add(1, Ordering::Relaxed);
        let (wakes, status) = match self.shared.next_answer() {
            Answer::Now(status) => (Some(0), Some(status)),
            Answer::After(wakes, status) => (Some(wakes), Some(status)),
            Answer::Fails(wakes) => (Some(wakes), None),
            Answer::Never => (None, None),
        };
        ScriptedFuture {
            ticket: Ticket::new(&self.shared, wakes),
            status,
            _live: Live::new(&self.shared.live_futures),
            shared: Arc::clone(&self.shared),
        }
    }
}

#[derive(Debug)]
struct ScriptedFuture {
    ticket: Ticket,
    /// `None` for an error.
    status: Option<StatusCode>,
    shared: Arc<Shared>,
    _live: Live,
}

impl Future for ScriptedFuture {
    type Output = Result<Response<Full<Bytes>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(self.ticket.poll(cx));
        Poll::Ready(match self.status {
            Some(status) => Ok(response(status, &self.shared)),
            None => Err(CallFailed.into()),
        })
    }
}

/// Head and body each carry a counter, so that either one gives away a response that was kept.
fn response(status: StatusCode, shared: &Shared) -> Response<Full<Bytes>> {
    let live = Live::new(&shared.live_responses);
    let mut response = Response::new(Full::new(Bytes::from_owner(CountedText(live.clone()))));
    *response.status_mut() = status;
    // A cache that keeps a response is right to do so; this one it may not keep.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(live);
    response
}

#[derive(Debug)]
struct CountedText(#[expect(dead_code, reason = "counts by being dropped")] Live);

impl AsRef<[u8]> for CountedText {
    fn as_ref(&self) -> &[u8] {
        b"the scripted inner answered"
    }
}
