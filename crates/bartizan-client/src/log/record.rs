use std::error::Error;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use http::{Method, StatusCode, Uri};

use super::line::line;

/// What came of one call or one attempt.
///
/// It can be written as it is: `Debug` shows neither the query nor user information, as the log does. Only
/// [`error`](Self::error) itself is the inner's, as it was.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Record<'a> {
    /// Whether this is a call or an attempt.
    pub scope: Scope,
    /// How it ended.
    pub ended: Ended,
    /// The request's method.
    pub method: &'a Method,
    /// Host and port, if the URI names them; no user information.
    pub host: Option<&'a str>,
    /// The [`PathTemplate`](bartizan_core::PathTemplate) of the request, or its path without the query.
    pub path: &'a str,
    /// The response's status, if there is a response.
    pub status: Option<StatusCode>,
    /// The error, if there is one.
    pub error: Option<&'a (dyn Error + 'static)>,
    /// Until the response's head, the error or the drop.
    pub took: Duration,
    /// Of an attempt: which it was. Of a call: how many were made, where the answer or the error tells.
    pub attempts: Option<NonZeroU32>,
    pub(super) uri: &'a Uri,
}

impl Record<'_> {
    /// The error and its sources in one line, with what is secret in the URI taken out.
    pub fn error_line(&self) -> Option<String> {
        self.error.map(|error| line(error, self.uri))
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("scope", &self.scope)
            .field("ended", &self.ended)
            .field("method", &self.method)
            .field("host", &self.host)
            .field("path", &self.path)
            .field("status", &self.status)
            .field("error", &self.error_line())
            .field("took", &self.took)
            .field("attempts", &self.attempts)
            .finish()
    }
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// A whole call, with all its attempts and waits.
    Call,
    /// One attempt.
    Attempt,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call => "call",
            Self::Attempt => "attempt",
        })
    }
}

/// How a call or an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// There was an answer, and by the classifier no failure.
    Ok,
    /// An error, or an answer that is a failure.
    Failed,
    /// A layer further in said no, and nothing was sent.
    Refused,
    /// The future was dropped before there was a result.
    Dropped,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Dropped => "dropped",
        })
    }
}
