//! An upstream that does with each call what it is told, and counts what is open: calls, and bodies after them.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::ready;

use bartizan_core::BoxError;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;
use tower::Service;

use super::*;

/// What a body does at its next poll.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Does {
    #[default]
    Nothing,
    Frame,
    LastFrame,
    End,
    Break,
}

#[derive(Clone, Default)]
pub(super) struct Upstream {
    open: Open,
    called: Arc<Mutex<HashSet<usize>>>,
    answers: Arc<Mutex<HashMap<usize, Answers>>>,
    bodies: Arc<Mutex<HashMap<usize, Arc<Mutex<Does>>>>>,
    empty: Arc<AtomicBool>,
}

type Answers = oneshot::Sender<Result<(), BoxError>>;

/// How many there are.
#[derive(Clone, Default)]
pub(super) struct Open(Arc<AtomicUsize>);

impl Open {
    pub(super) fn now(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn one(&self) -> IsOpen {
        self.0.fetch_add(1, Ordering::SeqCst);
        IsOpen(self.clone())
    }
}

struct IsOpen(Open);

impl Drop for IsOpen {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Upstream {
    pub(super) fn open(&self) -> Open {
        self.open.clone()
    }

    /// Whether this call has come here.
    pub(super) fn was_called(&self, id: usize) -> bool {
        self.called.lock().unwrap().contains(&id)
    }

    pub(super) fn is_unanswered(&self, id: usize) -> bool {
        self.answers.lock().unwrap().contains_key(&id)
    }

    pub(super) fn answer(&self, id: usize, answer: Result<(), BoxError>) {
        // Nobody may be there to hear it.
        let _ = self.answers.lock().unwrap().remove(&id).unwrap().send(answer);
    }

    /// From now on, whether bodies end before they begin.
    pub(super) fn bodies_are_empty(&self, empty: bool) {
        self.empty.store(empty, Ordering::SeqCst);
    }

    pub(super) fn body(&self, id: usize, does: Does) {
        *self.bodies.lock().unwrap()[&id].lock().unwrap() = does;
    }
}

pub(super) fn get(id: usize) -> Request<()> {
    of("http://api.example.com", id)
}

pub(super) fn of(origin: &str, id: usize) -> Request<()> {
    Request::get(format!("{origin}/{id}")).body(()).unwrap()
}

impl Service<Request<()>> for Upstream {
    type Response = Response<TestBody>;
    type Error = BoxError;
    type Future = TestFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let id = request.uri().path()[1..].parse().unwrap();
        let is_open = self.open.one();
        self.called.lock().unwrap().insert(id);
        let (sender, answer) = oneshot::channel();
        self.answers.lock().unwrap().insert(id, sender);
        TestFuture { id, answer, is_open: Some(is_open), upstream: self.clone() }
    }
}

pub(super) struct TestFuture {
    id: usize,
    answer: oneshot::Receiver<Result<(), BoxError>>,
    /// Until its body has it or, after an error, until its drop.
    is_open: Option<IsOpen>,
    upstream: Upstream,
}

impl Future for TestFuture {
    type Output = Result<Response<TestBody>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.answer).poll(cx));
        answer.unwrap_or_else(|_| Err("hung up".into()))?;
        let does = Arc::<Mutex<Does>>::default();
        self.upstream.bodies.lock().unwrap().insert(self.id, does.clone());
        let empty = self.upstream.empty.load(Ordering::SeqCst);
        let is_open = self.is_open.take().filter(|_| !empty);
        Poll::Ready(Ok(Response::new(TestBody { does, is_open, says_end: empty })))
    }
}

pub(super) struct TestBody {
    does: Arc<Mutex<Does>>,
    /// Until its end.
    is_open: Option<IsOpen>,
    /// As one who knows his length does, and others do not.
    says_end: bool,
}

impl Body for TestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let does = std::mem::take(&mut *self.does.lock().unwrap());
        if !matches!(does, Does::Nothing | Does::Frame) {
            self.is_open = None;
        }
        self.says_end |= does == Does::LastFrame;
        match does {
            Does::Nothing => Poll::Pending,
            Does::Frame | Does::LastFrame => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"frame"))))),
            Does::End => Poll::Ready(None),
            Does::Break => Poll::Ready(Some(Err("reset".into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.says_end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(5)
    }
}
