use std::error::Error;
use std::fmt;
use std::time::Duration;

use bartizan_core::{BoxError, Refusal, Rejection};
use http::StatusCode;

use crate::Fault;

/// A request that is not let through.
#[derive(Debug)]
pub struct Refused {
    scheme: String,
    kind: RefusedKind,
    rejection: Rejection,
}

/// Why a request is not let through.
#[derive(Debug)]
#[non_exhaustive]
pub enum RefusedKind {
    /// It is not known to come from the sender: 401.
    Signature(Fault),
    /// Its body is longer than that: 413.
    TooLarge(u64),
    /// Its body was not there after that time: 408.
    TooSlow(Duration),
    /// Its body has a `Content-Encoding`; what is signed is not what the app would read: 415.
    Encoded,
    /// Its body broke off: 400.
    Broken(BoxError),
    /// It asks for Meta's `hub.challenge` with another token: 403.
    Token,
}

impl Refused {
    pub(super) fn new(scheme: &str, kind: RefusedKind) -> Self {
        Self { scheme: scheme.to_owned(), kind, rejection: Rejection::new(None) }
    }

    /// The name of the scheme.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Why.
    pub fn kind(&self) -> &RefusedKind {
        &self.kind
    }

    /// Why, in one word, for metrics: `no_match`, `too_large`.
    pub fn reason(&self) -> &'static str {
        match &self.kind {
            RefusedKind::Signature(fault) => fault.kind().as_str(),
            RefusedKind::TooLarge(_) => "too_large",
            RefusedKind::TooSlow(_) => "too_slow",
            RefusedKind::Encoded => "encoded",
            RefusedKind::Broken(_) => "broken",
            RefusedKind::Token => "token",
        }
    }
}

/// For the logs of the receiver.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the webhook is not let through: as {:?} has it, ", self.scheme)?;
        match &self.kind {
            RefusedKind::Signature(fault) => fault.fmt(f),
            RefusedKind::TooLarge(limit) => write!(f, "its body has more than {limit} bytes"),
            RefusedKind::TooSlow(limit) => write!(f, "its body was not there after {limit:?}"),
            RefusedKind::Encoded => f.write_str("its body has a content encoding"),
            RefusedKind::Broken(_) => f.write_str("its body broke off"),
            RefusedKind::Token => f.write_str("the token of the handshake is another one"),
        }
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            RefusedKind::Broken(error) => Some(&**error),
            _ => Some(&self.rejection),
        }
    }
}

/// What the stranger is told: nothing of keys, ids or dates.
#[derive(Debug)]
pub(super) struct Told(pub(super) StatusCode, pub(super) Rejection);

impl Told {
    pub(super) fn of(refused: &Refused) -> Self {
        let status = match refused.kind {
            RefusedKind::Signature(_) => StatusCode::UNAUTHORIZED,
            RefusedKind::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            RefusedKind::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            RefusedKind::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            RefusedKind::Broken(_) => StatusCode::BAD_REQUEST,
            RefusedKind::Token => StatusCode::FORBIDDEN,
        };
        Self(status, refused.rejection)
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            StatusCode::PAYLOAD_TOO_LARGE => "the body is too large",
            StatusCode::REQUEST_TIMEOUT => "the body took too long",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "the body has a content encoding",
            StatusCode::BAD_REQUEST => "the body broke off",
            _ => "the request is refused",
        })
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.1)
    }
}

impl Refusal for Told {
    fn status(&self) -> StatusCode {
        self.0
    }
}
