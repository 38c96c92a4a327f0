//! A probe that writes down, in order, how a layer uses its inner service.
//!
//! ```
//! use bartizan_test::readiness;
//! use http::{Request, Response};
//! use tower::{Service, ServiceExt, service_fn, timeout::Timeout};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), tower::BoxError> {
//! let echo = service_fn(async |_: Request<()>| Ok::<_, tower::BoxError>(Response::new(())));
//! let (inner, log) = readiness::record(echo);
//!
//! let mut service = Timeout::new(inner, std::time::Duration::from_secs(1));
//! service.ready().await?.call(Request::new(())).await?;
//! assert_eq!(log.text(), "ready, call");
//! # Ok(())
//! # }
//! ```
//!
//! The shapes that layers name in their docs look like this over an inner that is ready at once, once each: `ready,
//! call` passes readiness through, `clone, ready, call` is decoupled. Whether what is done is also allowed, is for
//! [`contract`](crate::contract) to say.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use tower_layer::Layer;
use tower_service::Service;

/// What was done to a recorded service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// `poll_ready` returned `Ready(Ok(()))`.
    Ready,
    /// `poll_ready` returned `Pending`.
    Pending,
    /// `poll_ready` returned an error.
    Failed,
    /// It was called.
    Call,
    /// It was cloned.
    Clone,
    /// An instance was dropped. Only [`Log::with_drops`] tells of it.
    Drop,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Call => "call",
            Self::Clone => "clone",
            Self::Drop => "drop",
        })
    }
}

/// What was done, to which instance. The first instance has number 0; clones count on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Entry {
    /// What was done.
    pub event: Event,
    /// To which instance; for [`Event::Clone`] the one that was cloned.
    pub instance: usize,
}

/// The events of one recorded service and all its clones, in order.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Events>>);

#[derive(Debug, Default)]
struct Events {
    entries: Vec<Entry>,
    instances: usize,
}

impl Log {
    /// All events but drops, such as `ready, call, clone, pending, ready, call`.
    pub fn text(&self) -> String {
        self.join(|entry| entry.event != Event::Drop, |entry| entry.event.to_string())
    }

    /// The same with drops.
    pub fn with_drops(&self) -> String {
        self.join(|_| true, |entry| entry.event.to_string())
    }

    /// All events but drops, with instances: `ready 0, call 0, clone 0, ready 1`.
    pub fn with_instances(&self) -> String {
        self.join(|entry| entry.event != Event::Drop, |entry| format!("{} {}", entry.event, entry.instance))
    }

    /// All events, as values.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().entries.clone()
    }

    /// Forgets what was recorded so far; instances keep their numbers.
    pub fn clear(&self) {
        self.lock().entries.clear();
    }

    fn join(&self, keep: impl Fn(&Entry) -> bool, write: impl Fn(&Entry) -> String) -> String {
        let words: Vec<String> = self.lock().entries.iter().filter(|entry| keep(entry)).map(write).collect();
        words.join(", ")
    }

    fn add(&self, event: Event, instance: usize) {
        self.lock().entries.push(Entry { event, instance });
    }

    fn new_instance(&self) -> usize {
        let mut events = self.lock();
        events.instances += 1;
        events.instances - 1
    }

    fn lock(&self) -> MutexGuard<'_, Events> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wraps `inner`, and returns the log of what is done to it.
pub fn record<S>(inner: S) -> (Recorded<S>, Log) {
    let log = Log::default();
    (RecordLayer::new(log.clone()).layer(inner), log)
}

/// Records all services that it wraps into one [`Log`], to be put anywhere into a stack.
#[derive(Clone, Debug)]
pub struct RecordLayer(Log);

impl RecordLayer {
    /// Writes into `log`.
    pub fn new(log: Log) -> Self {
        Self(log)
    }
}

impl<S> Layer<S> for RecordLayer {
    type Service = Recorded<S>;

    fn layer(&self, inner: S) -> Recorded<S> {
        Recorded { inner, instance: Instance { number: self.0.new_instance(), log: self.0.clone() } }
    }
}

/// A service whose use is written down. It changes nothing: not the readiness, not the future.
#[derive(Debug)]
pub struct Recorded<S> {
    inner: S,
    instance: Instance,
}

#[derive(Debug)]
struct Instance {
    number: usize,
    log: Log,
}

impl Instance {
    fn add(&self, event: Event) {
        self.log.add(event, self.number);
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.add(Event::Drop);
    }
}

impl<S: Clone> Clone for Recorded<S> {
    fn clone(&self) -> Self {
        self.instance.add(Event::Clone);
        let log = self.instance.log.clone();
        Self { inner: self.inner.clone(), instance: Instance { number: log.new_instance(), log } }
    }
}

impl<S: Service<R>, R> Service<R> for Recorded<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let polled = self.inner.poll_ready(cx);
        self.instance.add(match &polled {
            Poll::Ready(Ok(())) => Event::Ready,
            Poll::Ready(Err(_)) => Event::Failed,
            Poll::Pending => Event::Pending,
        });
        polled
    }

    fn call(&mut self, request: R) -> S::Future {
        self.instance.add(Event::Call);
        self.inner.call(request)
    }
}
