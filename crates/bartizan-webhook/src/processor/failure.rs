use std::fmt;
use std::time::Duration;

use bartizan_core::{BoxError, error_line};

/// Why a handler did not do its work, and what is to become of it.
///
/// `?` makes a [`Retry`](Self::Retry) of any error. `Failure` is therefore no [`Error`](std::error::Error) itself.
///
/// ```
/// use bartizan_webhook::inbox::Event;
/// use bartizan_webhook::processor::Failure;
///
/// fn amount(event: &Event) -> Result<u64, Failure> {
///     // A body that nobody can read is none better next time.
///     let body = std::str::from_utf8(event.body()).map_err(Failure::permanent)?;
///     Ok(body.parse()?)
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// It is worth another attempt.
    Retry(BoxError),
    /// So it is, but not before that time is over: what an API has said in `Retry-After`.
    RetryAfter(Duration, BoxError),
    /// No attempt will do.
    Permanent(BoxError),
    /// There is nothing to do: the handler is done. It is no error, and nobody is told of one.
    Skip,
}

impl Failure {
    /// [`Retry`](Self::Retry).
    pub fn retry(error: impl Into<BoxError>) -> Self {
        Self::Retry(error.into())
    }

    /// [`RetryAfter`](Self::RetryAfter).
    pub fn retry_after(wait: Duration, error: impl Into<BoxError>) -> Self {
        Self::RetryAfter(wait, error.into())
    }

    /// [`Permanent`](Self::Permanent).
    pub fn permanent(error: impl Into<BoxError>) -> Self {
        Self::Permanent(error.into())
    }

    /// What went wrong; `None` of [`Skip`](Self::Skip).
    pub fn error(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        match self {
            Self::Retry(error) | Self::RetryAfter(_, error) | Self::Permanent(error) => Some(&**error),
            Self::Skip => None,
        }
    }

    /// Whether no attempt will do.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Permanent(_))
    }

    pub(super) fn asked_wait(&self) -> Option<Duration> {
        match self {
            Self::RetryAfter(wait, _) => Some(*wait),
            Self::Retry(_) | Self::Permanent(_) | Self::Skip => None,
        }
    }
}

impl<E: Into<BoxError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Retry(error.into())
    }
}

/// The error and its sources in one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error() {
            Some(error) => f.write_str(&error_line(error)),
            None => f.write_str("there is nothing to do"),
        }
    }
}

/// A handler panicked. It is found in a [`Failure::Retry`].
#[derive(Debug)]
pub struct HandlerPanicked {
    message: String,
}

impl HandlerPanicked {
    pub(super) fn new(payload: &(dyn std::any::Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned());
        Self { message: message.unwrap_or_else(|| "no message".to_owned()) }
    }

    /// What it panicked with.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for HandlerPanicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the handler panicked: {}", self.message)
    }
}

impl std::error::Error for HandlerPanicked {}

/// A handler ran for too long and was dropped. It is found in a [`Failure::Retry`].
#[derive(Debug)]
pub struct HandlerTimedOut {
    limit: Duration,
}

impl HandlerTimedOut {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit }
    }

    /// For how long it may run.
    pub fn limit(&self) -> Duration {
        self.limit
    }
}

impl fmt::Display for HandlerTimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the handler was not done within {:?}", self.limit)
    }
}

impl std::error::Error for HandlerTimedOut {}
