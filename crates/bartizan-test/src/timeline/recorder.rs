use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use http::{Method, Request, Response};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use super::{Outcome, Timeline};

/// Records the calls that pass through its layer: when, by tokio's clock, and what came of them.
///
/// The outcome is the status, `error`, `dropped` if the future was dropped first, and `pending` until any of these. A
/// clone shares the record.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), std::convert::Infallible> {
/// use std::convert::Infallible;
///
/// use bartizan_test::timeline::Recorder;
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// let recorder = Recorder::new();
/// let inner = service_fn(|_: Request<()>| async {
///     Ok::<_, Infallible>(Response::new(()))
/// });
/// let service = ServiceBuilder::new().layer(recorder.layer()).service(inner);
/// service.oneshot(Request::new(())).await?;
/// assert_eq!(recorder.timeline().to_string(), "0ms GET / -> 200");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    calls: Arc<Mutex<Vec<Call>>>,
}

#[derive(Clone, Debug)]
struct Call {
    at: Instant,
    method: Method,
    path: String,
    outcome: Outcome,
}

impl Recorder {
    /// Nothing recorded yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A layer that records here. Its readiness is the inner service's.
    pub fn layer(&self) -> RecorderLayer {
        RecorderLayer { recorder: self.clone() }
    }

    /// The calls so far.
    pub fn timeline(&self) -> Timeline {
        let calls = self.lock();
        let mut timeline = Timeline::new();
        for call in calls.iter() {
            let at = calls.first().map_or(Duration::ZERO, |first| call.at - first.at);
            timeline.push(at, call.method.clone(), call.path.clone(), call.outcome.clone());
        }
        timeline
    }

    fn begin<B>(&self, request: &Request<B>) -> Recording {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let mut calls = self.lock();
        let call =
            Call { at: Instant::now(), method: request.method().clone(), path, outcome: "pending".into() };
        calls.push(call);
        Recording { recorder: self.clone(), index: calls.len() - 1, settled: false }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes [`Recorded`] services.
#[derive(Clone, Debug)]
pub struct RecorderLayer {
    recorder: Recorder,
}

impl<S> Layer<S> for RecorderLayer {
    type Service = Recorded<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Recorded { inner, recorder: self.recorder.clone() }
    }
}

/// A service whose calls a [`Recorder`] records.
#[derive(Clone, Debug)]
pub struct Recorded<S> {
    inner: S,
    recorder: Recorder,
}

impl<S, B, R> Service<Request<B>> for Recorded<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let recording = self.recorder.begin(&request);
        ResponseFuture { inner: self.inner.call(request), recording }
    }
}

pin_project! {
    /// The future of a recorded call.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        recording: Recording,
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        let outcome = result.as_ref().map_or_else(|_| "error".into(), |answer| answer.status().into());
        this.recording.settle(outcome);
        Poll::Ready(result)
    }
}

/// One call's place in the record.
#[derive(Debug)]
struct Recording {
    recorder: Recorder,
    index: usize,
    settled: bool,
}

impl Recording {
    fn settle(&mut self, outcome: Outcome) {
        self.settled = true;
        self.recorder.lock()[self.index].outcome = outcome;
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if !self.settled {
            self.settle("dropped".into());
        }
    }
}
