use std::error::Error;
use std::fmt;

use http::{Extensions, HeaderMap, Response, StatusCode};

use crate::Rejection;

/// What one attempt says about the origin.
///
/// Not about the caller: a 404 is a `Success`, since the origin is alive and would say the same again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The origin answered, and another attempt would change nothing.
    Success,
    /// The origin, or the way to it, failed; a later attempt may fare better.
    Failure,
    /// The origin is alive and asks for fewer or later requests.
    Throttled,
    /// Says nothing about the origin: nothing was sent.
    Neutral,
}

/// The head of a response, borrowed: all that a classifier or a policy may look at. `Debug` shows the status and the names of
/// the fields.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Head<'a> {
    /// The status code.
    pub status: StatusCode,
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// The extensions, where inner layers leave facts.
    pub extensions: &'a Extensions,
}

impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("status", &self.status)
            .field("fields", &self.headers.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl<'a, B> From<&'a Response<B>> for Head<'a> {
    fn from(response: &'a Response<B>) -> Self {
        Self { status: response.status(), headers: response.headers(), extensions: response.extensions() }
    }
}

/// Decides what an answer or an error means. One object serves retry, circuit breaker and rate limit.
///
/// It sees no body. Closures are classifiers:
///
/// ```
/// use std::error::Error;
/// use bartizan_core::{ByStatus, Classify, Head, Outcome};
///
/// // This upstream answers 404 while it deploys.
/// let lenient = |result: Result<Head<'_>, &(dyn Error + 'static)>| match result {
///     Ok(head) if head.status == 404 => Outcome::Failure,
///     other => ByStatus.classify(other),
/// };
/// # fn takes(_: impl Classify) {}
/// # takes(lenient);
/// ```
pub trait Classify {
    /// The outcome of one attempt. Layers ask through [`classify`](fn@classify), which honours marks first.
    fn classify(&self, result: Result<Head<'_>, &(dyn Error + 'static)>) -> Outcome;
}

impl<F> Classify for F
where
    F: Fn(Result<Head<'_>, &(dyn Error + 'static)>) -> Outcome,
{
    fn classify(&self, result: Result<Head<'_>, &(dyn Error + 'static)>) -> Outcome {
        self(result)
    }
}

/// The default classifier: by status code, and every error is a failure.
///
/// | | |
/// |---|---|
/// | [`Outcome::Failure`] | 408, 500, 502, 503, 504, any error |
/// | [`Outcome::Throttled`] | 425 (RFC 8470), 429 (RFC 6585) |
/// | [`Outcome::Success`] | all else, 501 and 505 too: the same request gets the same answer |
#[derive(Clone, Copy, Debug, Default)]
pub struct ByStatus;

impl Classify for ByStatus {
    fn classify(&self, result: Result<Head<'_>, &(dyn Error + 'static)>) -> Outcome {
        let Ok(head) = result else { return Outcome::Failure };
        match head.status.as_u16() {
            408 | 500 | 502 | 503 | 504 => Outcome::Failure,
            425 | 429 => Outcome::Throttled,
            _ => Outcome::Success,
        }
    }
}

/// What `result` means: a mark that an inner layer left is honoured first, then `classifier` decides.
///
/// Marks are an [`Outcome`] or a [`Rejection`] in the response's extensions, or a [`Rejection`] in the error's sources.
pub fn classify<C: Classify + ?Sized>(
    classifier: &C,
    result: Result<Head<'_>, &(dyn Error + 'static)>,
) -> Outcome {
    let mark = match result {
        Ok(head) => head
            .extensions
            .get::<Outcome>()
            .copied()
            .or_else(|| head.extensions.get::<Rejection>().map(|_| Outcome::Neutral)),
        Err(error) => Rejection::of(error).map(|_| Outcome::Neutral),
    };
    mark.unwrap_or_else(|| classifier.classify(result))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16) -> Outcome {
        let response = Response::builder().status(status).body(()).unwrap();
        classify(&ByStatus, Ok(Head::from(&response)))
    }

    #[test]
    fn by_status() {
        for status in 100..=999 {
            let expected = match status {
                408 | 500 | 502 | 503 | 504 => Outcome::Failure,
                425 | 429 => Outcome::Throttled,
                _ => Outcome::Success,
            };
            assert_eq!(of(status), expected, "{status}");
        }
        assert_eq!(classify(&ByStatus, Err(&fmt::Error)), Outcome::Failure);
    }

    #[test]
    fn marks_override_the_status() {
        let mut response = Response::builder().status(503).body(()).unwrap();
        response.extensions_mut().insert(Rejection::new(None));
        assert_eq!(classify(&ByStatus, Ok(Head::from(&response))), Outcome::Neutral);
        response.extensions_mut().insert(Outcome::Success);
        assert_eq!(classify(&ByStatus, Ok(Head::from(&response))), Outcome::Success);
        assert_eq!(classify(&ByStatus, Err(&Rejection::new(None))), Outcome::Neutral);
    }
}
