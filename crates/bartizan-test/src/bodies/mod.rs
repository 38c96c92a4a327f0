//! Bodies that do as they are told, and tell what was done to them.
//!
//! ```
//! use bartizan_test::bodies::{Body, Step};
//! use http_body_util::BodyExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), tower::BoxError> {
//! let body = Body::frames([Step::data("two "), Step::Pending, Step::data("parts")]);
//! let probe = body.probe();
//!
//! assert_eq!(body.collect().await?.to_bytes(), "two parts");
//! // Two frames, one pending, and the end.
//! assert_eq!(probe.polls(), 4);
//! assert!(probe.is_dropped());
//! # Ok(())
//! # }
//! ```

mod probe;
mod step;

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use tower::BoxError;

pub use self::{
    probe::Probe,
    step::{ScriptedError, Step},
};

use self::probe::DropGuard;

/// A scripted body.
///
/// To poll it after its end, or after its error, is a panic: a layer has no business there, even if most bodies bear
/// it. [`Body::lenient`] makes it a count.
#[derive(Debug)]
pub struct Body {
    steps: VecDeque<Step>,
    wait: Option<Pin<Box<Sleep>>>,
    then: Then,
    size_hint: Option<SizeHint>,
    is_end_stream: Option<bool>,
    lenient: bool,
    guard: DropGuard,
}

/// What comes when the steps have run out.
#[derive(Clone, Debug)]
enum Then {
    End,
    Ended,
    Pending,
    Again(Bytes),
}

impl Body {
    /// These steps, then the end.
    pub fn frames(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::new(steps, Then::End)
    }

    /// Ends at once.
    pub fn empty() -> Self {
        Self::frames([])
    }

    /// Pending for ever, without a wake-up: the other side has fallen silent.
    pub fn never() -> Self {
        Self::new([], Then::Pending)
    }

    /// The same frame for ever.
    pub fn endless(chunk: impl Into<Bytes>) -> Self {
        Self::new([], Then::Again(chunk.into()))
    }

    fn new(steps: impl IntoIterator<Item = Step>, then: Then) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            wait: None,
            then,
            size_hint: None,
            is_end_stream: None,
            lenient: false,
            guard: DropGuard::default(),
        }
    }

    /// Falls silent after the last step instead of ending.
    #[must_use]
    pub fn then_never(self) -> Self {
        Self { then: Then::Pending, ..self }
    }

    /// What `size_hint` says, true or not, from first to last.
    ///
    /// Default: exactly the data that is left, or at least that if the body fails or does not end.
    #[must_use]
    pub fn with_size_hint(self, size_hint: SizeHint) -> Self {
        Self { size_hint: Some(size_hint), ..self }
    }

    /// What `is_end_stream` says, true or not, from first to last.
    ///
    /// Default: `false` until the end was polled, like a stream that does not know its length. [`Body::ends_knowingly`]
    /// is like `Full`.
    #[must_use]
    pub fn with_is_end_stream(self, is_end_stream: bool) -> Self {
        Self { is_end_stream: Some(is_end_stream), ..self }
    }

    /// Says `is_end_stream` as soon as the last step was returned, before the end is polled.
    #[must_use]
    pub fn ends_knowingly(mut self) -> Self {
        if matches!(self.then, Then::End) {
            self.then = Then::Ended;
        }
        self
    }

    /// Answers polls after the end with the end once more, instead of a panic. They are counted all the same.
    #[must_use]
    pub fn lenient(self) -> Self {
        Self { lenient: true, ..self }
    }

    /// A handle that outlives the body and tells what became of it.
    pub fn probe(&self) -> Probe {
        self.guard.probe().clone()
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(wait) = &mut self.wait {
            ready!(wait.as_mut().poll(cx));
            self.wait = None;
        }
        match self.steps.pop_front() {
            Some(Step::Data(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Some(Step::Trailers(trailers)) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Some(Step::Pending) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::Wait(time)) => {
                self.wait = Some(Box::pin(sleep(time)));
                self.poll_step(cx)
            }
            Some(Step::Error) => {
                let _ = self.end();
                Poll::Ready(Some(Err(ScriptedError.into())))
            }
            None => match &self.then {
                Then::End | Then::Ended => self.end(),
                Then::Pending => Poll::Pending,
                Then::Again(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk.clone())))),
            },
        }
    }

    fn end(&mut self) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.guard.probe().end_was_returned() {
            self.guard.probe().count_late_poll();
            assert!(self.lenient, "the body was polled after its end");
        }
        self.guard.probe().set_ended();
        self.steps.clear();
        self.then = Then::Ended;
        Poll::Ready(None)
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.guard.probe().count_poll();
        self.poll_step(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.is_end_stream.unwrap_or(self.steps.is_empty() && matches!(self.then, Then::Ended))
    }

    fn size_hint(&self) -> SizeHint {
        let (lower, upper) = match &self.size_hint {
            Some(size_hint) => (size_hint.lower(), size_hint.upper()),
            None => {
                let left = self.steps.iter().map(Step::data_len).sum();
                let is_known =
                    matches!(self.then, Then::End | Then::Ended) && !self.steps.iter().any(Step::is_error);
                (left, is_known.then_some(left))
            }
        };
        let mut size_hint = SizeHint::new();
        size_hint.set_lower(lower);
        if let Some(upper) = upper {
            size_hint.set_upper(upper);
        }
        size_hint
    }
}
