use std::fmt::{self, Write};
use std::time::Duration;

use bartizan_core::{
    BoxError, Delivery, Rejection, RetriesSpent, delivery, error_line, find_source, shown_url,
};
use bartizan_timeout::{AttemptTimedOut, BodyStalled, BodyTooSlow, DeadlineExceeded};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde::de::DeserializeOwned;

use crate::Problem;

/// Why a call has no result.
///
/// The message names the method, the URL (without credentials and values of the query) and the reason. Where the service failed, the
/// reason is its error with all sources that add something, on one line of at most 512 characters and with the URLs in it redacted
/// in the same way. The reason itself is the [`source`](std::error::Error::source), so that `find_source` finds the error of any
/// layer; who prints all sources prints it twice.
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    method: Method,
    url: String,
    kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// The request could not be built, so nothing was sent.
    Request(BoxError),
    /// The service failed, or a layer of it refused.
    Call(BoxError),
    /// Not 2xx.
    Status(StatusError),
    /// The answer's body broke off.
    Body(BoxError),
    /// The answer's body has more than so many bytes.
    TooLarge(usize),
    /// The answer's body is not what was asked for.
    Decode(BoxError),
    /// The answer has no body where there must be one.
    Empty(StatusCode),
    /// The next page cannot be followed.
    Page(BoxError),
}

/// An answer that is not 2xx, as much of it as is kept.
#[derive(Debug)]
pub(crate) struct StatusError {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) problem: Option<Problem>,
    pub(crate) attempts: u32,
}

impl Error {
    pub(crate) fn new(method: Method, uri: &Uri, kind: Kind) -> Self {
        Self { inner: Box::new(Inner { method, url: shown_url(uri, ".."), kind }) }
    }

    /// The method of the request.
    pub fn method(&self) -> &Method {
        &self.inner.method
    }

    /// The URL that was asked for, under a [`BaseUrlLayer`](crate::BaseUrlLayer) the joined one; without credentials, and with `..` for the
    /// values of its query. What layers further in make of it, such as a version in the path, and where redirects lead, it does not
    /// tell.
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// The status of the answer, if there is one and it was not 2xx.
    pub fn status(&self) -> Option<StatusCode> {
        self.answer().map(|answer| answer.status)
    }

    /// The status that this error amounts to: the answer's; 408 for a time-out of ours; 503 for a local refusal. For
    /// callers that tell all failures apart by one number.
    pub fn as_status(&self) -> Option<StatusCode> {
        if let Some(status) = self.status() {
            Some(status)
        } else if self.is_timeout() {
            Some(StatusCode::REQUEST_TIMEOUT)
        } else if self.is_refused() {
            Some(StatusCode::SERVICE_UNAVAILABLE)
        } else {
            None
        }
    }

    /// The header fields of an answer that was not 2xx.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.answer().map(|answer| &answer.headers)
    }

    /// The text of an answer that was not 2xx: its first 64 KiB, what is no UTF-8 replaced.
    pub fn body_text(&self) -> Option<&str> {
        self.answer().map(|answer| &*answer.body)
    }

    /// The JSON of an answer that was not 2xx; `None` if its text is not the JSON of a `T`, or was longer than what is kept.
    pub fn body_json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.body_text()?).ok()
    }

    /// Problem details (RFC 9457), if the answer has them.
    pub fn problem(&self) -> Option<&Problem> {
        self.answer()?.problem.as_ref()
    }

    /// Time ran out: for an attempt, for the call, for the body ([`is_body`](Self::is_body) as well), or the answer is 408.
    pub fn is_timeout(&self) -> bool {
        match self.status() {
            Some(status) => status == StatusCode::REQUEST_TIMEOUT,
            None => {
                self.has_source::<AttemptTimedOut>()
                    || self.has_source::<DeadlineExceeded>()
                    || self.has_source::<BodyStalled>()
                    || self.has_source::<BodyTooSlow>()
            }
        }
    }

    /// No connection came about, so nothing was sent, as far as the sources of the service's error tell; of several
    /// [`attempts`](Self::attempts) that is said of the last.
    ///
    /// Any transport tells it by an [`io::Error`](std::io::Error) of a kind that only connecting has: refused, or no address to connect
    /// from. All else that keeps a connection from coming about, such as a name that is not found, a certificate, or no answer in time,
    /// is told by hyper-util's client and read with the feature `hyper`. That brings 21 more crates to those who have another
    /// client, and so is not on by default.
    pub fn is_connect(&self) -> bool {
        matches!(&self.inner.kind, Kind::Call(error) if delivery(&**error) == Delivery::ConnectFailed)
    }

    /// The answer is there, and is not what was asked for: the message names the place in the JSON.
    pub fn is_decode(&self) -> bool {
        matches!(self.inner.kind, Kind::Decode(_) | Kind::Empty(_))
    }

    /// The answer's body broke off, or was larger than the client reads.
    pub fn is_body(&self) -> bool {
        matches!(self.inner.kind, Kind::Body(_) | Kind::TooLarge(_))
    }

    /// The request could not be built: a header, a target, a value that cannot be encoded.
    pub fn is_request(&self) -> bool {
        matches!(self.inner.kind, Kind::Request(_))
    }

    /// A layer refused on its own account, and nothing was sent.
    pub fn is_refused(&self) -> bool {
        Rejection::of(self).is_some()
    }

    /// How long until the refusing layer may let a call through, if it said so.
    pub fn retry_in(&self) -> Option<Duration> {
        Rejection::of(self).and_then(|rejection| rejection.retry_in())
    }

    /// How many attempts were made, where somebody tells: an answer does, and an error if there were several or no more was allowed.
    pub fn attempts(&self) -> Option<u32> {
        let spent = || find_source::<RetriesSpent>(self).map(|spent| spent.attempts().get());
        self.answer().map(|answer| answer.attempts).or_else(spent)
    }

    fn answer(&self) -> Option<&StatusError> {
        match &self.inner.kind {
            Kind::Status(answer) => Some(answer),
            _ => None,
        }
    }

    fn has_source<T: std::error::Error + 'static>(&self) -> bool {
        find_source::<T>(self).is_some()
    }

    fn source_error(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.inner.kind {
            Kind::Request(error)
            | Kind::Call(error)
            | Kind::Body(error)
            | Kind::Decode(error)
            | Kind::Page(error) => Some(&**error),
            Kind::Status(_) | Kind::TooLarge(_) | Kind::Empty(_) => None,
        }
    }
}

/// How much of an answer's text the message shows.
const SHOWN: usize = 200;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { method, url, kind } = &*self.inner;
        write!(f, "{method} {url}: ")?;
        match kind {
            Kind::Request(error) => write!(f, "the request cannot be built: {error}"),
            Kind::Call(error) => f.write_str(&error_line(&**error)),
            Kind::Page(error) => write!(f, "{error}"),
            Kind::Status(answer) => answer.fmt(f),
            Kind::Body(error) => write!(f, "the answer broke off: {}", error_line(&**error)),
            Kind::TooLarge(limit) => write!(
                f,
                "the answer has more than {limit} bytes; raise the client's body limit, or stream it"
            ),
            Kind::Decode(error) => write!(f, "the answer is not what was asked for: {error}"),
            Kind::Empty(status) => write!(f, "{status} without a body, where one was asked for"),
        }
    }
}

impl fmt::Display for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        let said = match &self.problem {
            Some(problem) => problem.detail().or(problem.title()).unwrap_or_default(),
            None => &self.body,
        };
        if said.trim().is_empty() {
            return Ok(());
        }
        f.write_str(": ")?;
        for c in said.trim().chars().take(SHOWN) {
            // On one line, whatever the server says.
            if c.is_control() { write!(f, "{}", c.escape_debug())? } else { f.write_char(c)? }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Error").field(&format_args!("{self}")).finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source_error()
    }
}
