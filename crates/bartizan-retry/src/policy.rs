use std::error::Error;
use std::num::NonZeroU32;

use bartizan_core::{ByStatus, Classify, Head, Outcome, RequestHead, classify};
use http::StatusCode;

/// Which requests may be sent again, and after which answers.
///
/// How often and how far apart is not its business; that is the [`Schedule`](crate::Schedule)'s. A closure is a policy:
///
/// ```
/// use bartizan_retry::{Attempt, Pace, RetryLayer, Verdict};
///
/// // This upstream answers 404 until a new record has reached its replicas.
/// let policy = |attempt: &Attempt<'_>| match attempt.result() {
///     Ok(head) if head.status == 404 => Verdict::Retry(Pace::Transient),
///     _ => attempt.standard(),
/// };
/// let layer = RetryLayer::with_policy(policy);
/// # let _ = layer;
/// ```
pub trait Policy {
    /// Whether `request` may be sent more than once. Asked once, before the first attempt.
    ///
    /// By default [`Resend::Freely`] if [`RequestHead::is_repeatable`], else [`Resend::IfUnsent`].
    fn resend(&self, request: &RequestHead<'_>) -> Resend {
        if request.is_repeatable() { Resend::Freely } else { Resend::IfUnsent }
    }

    /// What an attempt's result calls for. Not asked about local refusals, and not about what the transport says was not processed:
    /// a request that [`resend`](Self::resend) lets go again goes again then, at once and once.
    fn judge(&self, attempt: &Attempt<'_>) -> Verdict;
}

impl<F: Fn(&Attempt<'_>) -> Verdict> Policy for F {
    fn judge(&self, attempt: &Attempt<'_>) -> Verdict {
        self(attempt)
    }
}

/// The default policy: what a classifier calls a failure or throttling is sent again.
///
/// With [`ByStatus`]: 408, 425, 429, 500, 502, 503, 504 and every error. And 409 if the request has an `Idempotency-Key`: the
/// first request with that key is still being worked on (Idempotency-Key draft, section 2.7).
#[derive(Clone, Copy, Debug, Default)]
pub struct Standard<C = ByStatus> {
    classifier: C,
    /// Returns 425 as it is.
    leaves_too_early: bool,
}

impl Standard {
    /// Of [`RetryLayer::classic`](crate::RetryLayer::classic).
    pub(crate) const CLASSIC: Self = Self { classifier: ByStatus, leaves_too_early: true };
}

impl<C> Standard<C> {
    /// By what `classifier` says; it may be the one that other layers use.
    pub const fn with_classifier(classifier: C) -> Self {
        Self { classifier, leaves_too_early: false }
    }
}

impl<C: Classify> Policy for Standard<C> {
    fn judge(&self, attempt: &Attempt<'_>) -> Verdict {
        if self.leaves_too_early && attempt.is_answered(StatusCode::TOO_EARLY) {
            return Verdict::Return;
        }
        match classify(&self.classifier, attempt.result()) {
            Outcome::Failure => Verdict::Retry(Pace::Transient),
            Outcome::Throttled => Verdict::Retry(Pace::Throttled),
            Outcome::Success if attempt.is_key_in_use() => Verdict::Retry(Pace::Transient),
            _ => Verdict::Return,
        }
    }
}

/// When a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
// Exhaustive: between these three there is nothing.
pub enum Resend {
    /// Whatever came of it before.
    Freely,
    /// If it is sure that the origin has not processed it: no connection came about, the origin disowned it, or said in its answer that it
    /// did nothing ([`RetryHint`](bartizan_core::RetryHint)). Where
    /// nothing can be sure of that ([`Delivery::READS_HYPER`](bartizan_core::Delivery::READS_HYPER)) no copy is kept.
    IfUnsent,
    /// Never; no copy of it is kept.
    Never,
}

/// What to do with the result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
// Exhaustive: there is nothing else to do with a result.
pub enum Verdict {
    /// It is the caller's.
    Return,
    /// Another attempt may fare better.
    Retry(Pace),
}

/// Which backoff a retry follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pace {
    /// Something failed.
    Transient,
    /// The origin asks for less.
    Throttled,
}

/// One attempt and what came of it, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    pub(crate) request: Option<RequestHead<'a>>,
    pub(crate) number: NonZeroU32,
    pub(crate) result: Result<Head<'a>, &'a (dyn Error + 'static)>,
}

impl<'a> Attempt<'a> {
    /// The request's head. `None` if it cannot be sent again in any case, because then no copy of it was kept.
    pub fn request(&self) -> Option<&RequestHead<'a>> {
        self.request.as_ref()
    }

    /// Which attempt it was, from 1.
    pub fn number(&self) -> NonZeroU32 {
        self.number
    }

    /// The head of the answer, or the error.
    ///
    /// # Errors
    /// When the attempt had none but an error.
    pub fn result(&self) -> Result<Head<'a>, &'a (dyn Error + 'static)> {
        self.result
    }

    fn is_answered(&self, status: StatusCode) -> bool {
        self.result.is_ok_and(|head| head.status == status)
    }

    fn is_key_in_use(&self) -> bool {
        self.is_answered(StatusCode::CONFLICT)
            && self.request.is_some_and(|request| request.has_idempotency_key())
    }

    /// What the default policy says.
    pub fn standard(&self) -> Verdict {
        Standard::<ByStatus>::default().judge(self)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use bartizan_core::Rejection;
    use http::{Request, Response};

    use super::*;

    fn judge(result: Result<Head<'_>, &(dyn Error + 'static)>) -> Verdict {
        Attempt { request: None, number: NonZeroU32::MIN, result }.standard()
    }

    #[test]
    fn which_answers_are_sent_again() {
        for status in 100..=999_u16 {
            let response = Response::builder().status(status).body(()).unwrap();
            let expected = match status {
                408 | 500 | 502 | 503 | 504 => Verdict::Retry(Pace::Transient),
                425 | 429 => Verdict::Retry(Pace::Throttled),
                _ => Verdict::Return,
            };
            assert_eq!(judge(Ok(Head::from(&response))), expected, "{status}");
        }
    }

    #[test]
    fn errors_are_sent_again_but_not_local_refusals() {
        assert_eq!(judge(Err(&fmt::Error)), Verdict::Retry(Pace::Transient));
        assert_eq!(judge(Err(&Rejection::new(None))), Verdict::Return);
    }

    #[test]
    fn a_conflict_is_sent_again_with_the_key_that_caused_it() {
        let judge = |status: u16, key: bool| {
            let response = Response::builder().status(status).body(()).unwrap();
            let mut request = Request::post("/").body(()).unwrap();
            if key {
                request.headers_mut().insert("idempotency-key", "\"8e03978e\"".parse().unwrap());
            }
            let (request, result) = (Some(RequestHead::from(&request)), Ok(Head::from(&response)));
            Attempt { request, number: NonZeroU32::MIN, result }.standard()
        };
        assert_eq!(judge(409, true), Verdict::Retry(Pace::Transient));
        for (status, key) in [(409, false), (422, true), (400, true), (200, true)] {
            assert_eq!(judge(status, key), Verdict::Return, "{status}");
        }
    }
}
