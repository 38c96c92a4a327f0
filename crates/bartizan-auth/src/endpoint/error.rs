use std::error::Error;
use std::fmt;
use std::time::Duration;

use bartizan_core::BoxError;
use http::StatusCode;

use super::answer::shown;
use crate::TokenError;

/// What became of a request to an endpoint that gives tokens.
///
/// As a [`TokenError`] it is permanent where the server has said so in words that will not change by themselves. An answer of 5xx or 429 is never such a
/// word, whatever stands in it, and neither is one that cannot be read.
pub struct EndpointError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    origin: Box<str>,
    status: Option<StatusCode>,
    retry_in: Option<Duration>,
    why: Why,
}

#[derive(Debug)]
pub(crate) enum Why {
    /// In the words of RFC 6749 section 5.2.
    Refused {
        code: ErrorCode,
        description: Option<Box<str>>,
        uri: Option<Box<str>>,
    },
    /// By the status alone, which says the same.
    Denied,
    /// A status that says nothing of the grant.
    Status,
    Redirected,
    Unreadable(&'static str),
    TooLarge,
    TooSlow(Duration),
    Transport {
        cause: BoxError,
        is_sent: bool,
    },
    /// The server has none of these.
    NoEndpoint(&'static str),
    /// Of the client itself.
    Client(BoxError),
    /// A refresh token that may have been spent.
    Uncertain,
    NoRefreshToken,
    Ended,
}

impl EndpointError {
    pub(crate) fn new(origin: &str, why: Why) -> Self {
        Self(Box::new(Inner { origin: origin.into(), status: None, retry_in: None, why }))
    }

    pub(crate) fn answered(mut self, status: StatusCode, retry_in: Option<Duration>) -> Self {
        self.0.status = Some(status);
        self.0.retry_in = retry_in;
        self
    }

    /// The server that was asked, `https://login.example.com`.
    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// What it answered with, if it did.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// What it says went wrong, in the words of RFC 6749 section 5.2.
    pub fn code(&self) -> Option<&ErrorCode> {
        match &self.0.why {
            Why::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// What it says to whoever reads logs: up to 200 characters of one line, from outside.
    pub fn description(&self) -> Option<&str> {
        match &self.0.why {
            Why::Refused { description, .. } => description.as_deref(),
            _ => None,
        }
    }

    /// Where it says that more is to be read.
    pub fn error_uri(&self) -> Option<&str> {
        match &self.0.why {
            Why::Refused { uri, .. } => uri.as_deref(),
            _ => None,
        }
    }

    /// How long it asks to wait (`Retry-After`).
    pub fn retry_in(&self) -> Option<Duration> {
        self.0.retry_in
    }

    /// Whether asking again will not help.
    pub fn is_permanent(&self) -> bool {
        let is_verdict =
            |status: StatusCode| !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS;
        match &self.0.why {
            Why::Refused { code, .. } => code.is_final() && self.0.status.is_none_or(is_verdict),
            Why::Denied
            | Why::NoEndpoint(_)
            | Why::Client(_)
            | Why::Uncertain
            | Why::NoRefreshToken
            | Why::Ended => true,
            _ => false,
        }
    }

    /// Whether the server may have done what it was asked for, and only the answer was lost: it came too late or too large, broke off, or could not be
    /// read. What may be done once only, as the exchange of a refresh token that is replaced with each use, is not to be sent again then.
    pub fn is_uncertain(&self) -> bool {
        match &self.0.why {
            Why::Transport { is_sent, .. } => *is_sent,
            Why::TooSlow(_) | Why::TooLarge | Why::Unreadable(_) => true,
            _ => false,
        }
    }

    /// Whether it was given up because it took too long.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.why, Why::TooSlow(_))
    }
}

impl From<EndpointError> for TokenError {
    fn from(error: EndpointError) -> Self {
        match (error.is_permanent(), error.retry_in()) {
            (true, _) => Self::permanent(error),
            (false, Some(wait)) => Self::transient_for(error, wait),
            (false, None) => Self::transient(error),
        }
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.0.origin)?;
        let status = self.0.status.map_or(0, |status| status.as_u16());
        match &self.0.why {
            Why::Refused { code, description, .. } => {
                write!(f, "answered {status} with `{code}`")?;
                description.iter().try_for_each(|description| write!(f, ": {description}"))
            }
            Why::Denied => write!(f, "answered {status}: the refresh token is not good any more"),
            Why::Status => write!(f, "answered {status}"),
            Why::Redirected => write!(f, "answered {status}: what has secrets is not redirected"),
            Why::Unreadable(why) => write!(f, "answered {status} with what {why}"),
            Why::TooLarge => f.write_str("answered with more than 64 KiB"),
            Why::TooSlow(timeout) => write!(f, "did not answer within {timeout:?}"),
            Why::Transport { cause, is_sent: true } => write!(f, "was asked, but the answer was lost: {cause}"),
            Why::Transport { cause, is_sent: false } => write!(f, "was not reached: {cause}"),
            Why::NoEndpoint(name) => write!(f, "has no {name}, as far as is known"),
            Why::Client(cause) => write!(f, "was not asked: {cause}"),
            Why::Uncertain => f.write_str(
                "may have exchanged the refresh token, and the answer was lost: it is not sent again, since a server \
                 that replaces it with each use would take that for theft; log in again",
            ),
            Why::NoRefreshToken => f.write_str("was not asked: there is no refresh token; log in first"),
            Why::Ended => f.write_str("was asked until the code ended, and nobody had agreed"),
        }
    }
}

impl Error for EndpointError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.why {
            Why::Transport { cause, .. } | Why::Client(cause) => Some(&**cause),
            _ => None,
        }
    }
}

impl fmt::Debug for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { origin, status, retry_in, why } = &*self.0;
        f.debug_struct("EndpointError")
            .field("origin", origin)
            .field("status", status)
            .field("retry_in", retry_in)
            .field("why", why)
            .finish()
    }
}

/// What servers say went wrong: RFC 6749 sections 4.1.2.1 and 5.2, RFC 7009 section 2.2.1, RFC 8628 section 3.5.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The request is malformed: it lacks something, or has it twice.
    InvalidRequest,
    /// The client is unknown, or did not prove itself.
    InvalidClient,
    /// The code or the refresh token is not good: it has ended, was used, revoked, or given to another client.
    InvalidGrant,
    /// The client may not ask in this way.
    UnauthorizedClient,
    /// The server does not know this way of asking.
    UnsupportedGrantType,
    /// The server does not know this way of logging in.
    UnsupportedResponseType,
    /// The scope is unknown, malformed, or more than was granted.
    InvalidScope,
    /// The user, or the server, has said no.
    AccessDenied,
    /// Something went wrong in the server.
    ServerError,
    /// The server has too much to do, or is being mended.
    TemporarilyUnavailable,
    /// The user has not agreed yet.
    AuthorizationPending,
    /// The same, and it was asked for too often.
    SlowDown,
    /// The code of the device has ended.
    ExpiredToken,
    /// The server cannot revoke such tokens.
    UnsupportedTokenType,
    /// Another one, up to 200 characters.
    Other(Box<str>),
}

/// With their names.
const CODES: [(ErrorCode, &str); 14] = [
    (ErrorCode::InvalidRequest, "invalid_request"),
    (ErrorCode::InvalidClient, "invalid_client"),
    (ErrorCode::InvalidGrant, "invalid_grant"),
    (ErrorCode::UnauthorizedClient, "unauthorized_client"),
    (ErrorCode::UnsupportedGrantType, "unsupported_grant_type"),
    (ErrorCode::UnsupportedResponseType, "unsupported_response_type"),
    (ErrorCode::InvalidScope, "invalid_scope"),
    (ErrorCode::AccessDenied, "access_denied"),
    (ErrorCode::ServerError, "server_error"),
    (ErrorCode::TemporarilyUnavailable, "temporarily_unavailable"),
    (ErrorCode::AuthorizationPending, "authorization_pending"),
    (ErrorCode::SlowDown, "slow_down"),
    (ErrorCode::ExpiredToken, "expired_token"),
    (ErrorCode::UnsupportedTokenType, "unsupported_token_type"),
];

impl ErrorCode {
    pub(crate) fn of(text: &str) -> Self {
        let known = CODES.iter().find(|(_, name)| *name == text);
        known.map_or_else(|| Self::Other(shown(text)), |(code, _)| code.clone())
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(text) => text,
            known => CODES.iter().find(|(code, _)| code == known).map_or("", |(_, name)| name),
        }
    }

    /// Whether it will be the same the next time. Of one that is not known nobody can tell.
    fn is_final(&self) -> bool {
        !matches!(
            self,
            Self::ServerError
                | Self::TemporarilyUnavailable
                | Self::AuthorizationPending
                | Self::SlowDown
                | Self::Other(_)
        )
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
