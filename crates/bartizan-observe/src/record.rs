use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use bartizan_core::shown_url;
use http::{Method, StatusCode, Uri};

/// What came of one call or one attempt.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Record<'a> {
    /// Whether this is a call or an attempt.
    pub scope: Scope,
    /// The request's method.
    pub method: &'a Method,
    /// The request's URI, as it was: it may hold secrets. `Debug` shows them not.
    pub uri: &'a Uri,
    /// The response's status, if there is a response.
    pub status: Option<StatusCode>,
    /// What went wrong, if something did.
    pub error: Option<ErrorType>,
    /// A layer further in said no, and nothing was sent.
    pub is_refused: bool,
    /// Until the response's head, the error or the drop.
    pub took: Duration,
    /// Of an attempt: which it was. Of a call: how many were made, where the answer or the error tells.
    pub attempts: Option<NonZeroU32>,
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("scope", &self.scope)
            .field("method", self.method)
            .field("uri", &shown_url(self.uri, crate::REDACTED))
            .field("status", &self.status)
            .field("error", &self.error)
            .field("is_refused", &self.is_refused)
            .field("took", &self.took)
            .field("attempts", &self.attempts)
            .finish()
    }
}

/// What is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// A whole call, with all its attempts and waits.
    Call,
    /// One attempt.
    Attempt,
}

/// What went wrong, in few words that stay: `error.type` of the semantic conventions.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorType(What);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Status(StatusCode),
    Name(&'static str),
}

impl ErrorType {
    /// The future was dropped before there was a result.
    pub(crate) const DROPPED: Self = Self(What::Name("dropped"));

    pub(crate) const fn named(name: &'static str) -> Self {
        Self(What::Name(name))
    }

    /// A client's attempt has failed with 4xx too, by the semantic conventions; around a call nobody says so.
    pub(crate) fn of_status(status: StatusCode, scope: Scope) -> Option<Self> {
        let is_error = status.is_server_error() || (scope == Scope::Attempt && status.is_client_error());
        is_error.then_some(Self(What::Status(status)))
    }

    /// `503`, `circuit_open`.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            What::Status(status) => status.as_str(),
            What::Name(name) => name,
        }
    }
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorType({self})")
    }
}
