use std::error::Error;
use std::fmt;
use std::time::Duration;

use bartizan_core::{BoxError, Origin, Rejection};
use http::Uri;

/// Why there is no credential. What [`Authorizer::prepare`](crate::Authorizer::prepare) ends with.
#[derive(Debug)]
pub struct NotPrepared {
    cause: Option<BoxError>,
    retry_in: Option<Duration>,
}

impl NotPrepared {
    /// Nobody has set one.
    pub fn unset() -> Self {
        Self { cause: None, retry_in: None }
    }

    /// It was not to be had.
    pub fn because(cause: impl Into<BoxError>) -> Self {
        Self { cause: Some(cause.into()), retry_in: None }
    }

    /// When it may be tried again, if that is known. By default it is not.
    #[must_use]
    pub fn retry_in(mut self, wait: Duration) -> Self {
        self.retry_in = Some(wait);
        self
    }
}

/// There was no credential for a call, and it was not sent.
#[derive(Debug)]
pub struct NoCredential {
    origin: Box<str>,
    cause: Option<BoxError>,
    rejection: Rejection,
}

impl NoCredential {
    pub(crate) fn new(uri: &Uri, why: NotPrepared) -> Self {
        let NotPrepared { cause, retry_in } = why;
        Self { origin: named(uri), cause, rejection: Rejection::new(retry_in) }
    }

    /// Of the server that the call was for.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What went wrong while one was fetched; `None` if nobody has set one.
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.cause.as_deref()
    }

    /// When it may be tried again, if that is known.
    pub fn retry_in(&self) -> Option<Duration> {
        self.rejection.retry_in()
    }
}

impl fmt::Display for NoCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            None => write!(f, "no credential is set for `{}`", self.origin),
            Some(cause) => write!(f, "no credential for `{}`: {cause}", self.origin),
        }
    }
}

/// A [`Rejection`]: the call was not sent. See [`NoCredential::cause`] for what went wrong.
impl Error for NoCredential {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.rejection)
    }
}

/// A call was for a server that the credential is not meant for, and was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherOrigin {
    origin: Box<str>,
    rejection: Rejection,
}

impl OtherOrigin {
    pub(crate) fn new(uri: &Uri) -> Self {
        Self { origin: named(uri), rejection: Rejection::new(None) }
    }

    /// Of the server that the call was for.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Display for OtherOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is none of the origins that this client has a credential for", self.origin)
    }
}

impl Error for OtherOrigin {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.rejection)
    }
}

fn named(uri: &Uri) -> Box<str> {
    Origin::of(uri).map_or_else(|_| "no origin".into(), |origin| origin.as_str().into())
}

/// What cannot be a credential, or the name of a place for one, or a part of a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidCredential {
    what: &'static str,
    why: &'static str,
}

impl InvalidCredential {
    pub(crate) fn new(what: &'static str, why: &'static str) -> Self {
        Self { what, why }
    }
}

/// Without the credential.
impl fmt::Display for InvalidCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.why)
    }
}

impl Error for InvalidCredential {}
