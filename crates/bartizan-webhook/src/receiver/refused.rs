use std::error::Error;
use std::fmt;
use std::time::Duration;

use bartizan_core::{BoxError, Refusal, Rejection};
use http::StatusCode;

use crate::inbox::InboxError;

/// An event that was not kept. Strangers see the first line of it.
#[derive(Debug)]
pub(crate) enum NotKept {
    Unverified,
    TooLarge(usize),
    TooSlow(Duration),
    Broken(BoxError),
    Inbox { error: Option<InboxError>, rejection: Rejection },
}

impl NotKept {
    pub(super) fn inbox(error: InboxError, retry_in: Duration) -> Self {
        Self::Inbox { error: Some(error), rejection: Rejection::new(Some(retry_in)) }
    }

    /// It may be kept all the same; when it comes again it is a duplicate then.
    pub(super) fn inbox_slow(retry_in: Duration) -> Self {
        Self::Inbox { error: None, rejection: Rejection::new(Some(retry_in)) }
    }

    /// For the logs of the receiver.
    pub(crate) fn inbox_error(&self) -> Option<&InboxError> {
        match self {
            Self::Inbox { error, .. } => error.as_ref(),
            _ => None,
        }
    }
}

impl fmt::Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unverified => f.write_str("nothing has verified the request: there is no layer for that"),
            Self::TooLarge(limit) => write!(f, "the body has more than {limit} bytes"),
            Self::TooSlow(limit) => write!(f, "the body was not there after {limit:?}"),
            Self::Broken(_) => f.write_str("the body broke off"),
            Self::Inbox { .. } => f.write_str("the event could not be kept"),
        }
    }
}

impl Error for NotKept {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Inbox { rejection, .. } => Some(rejection),
            Self::Broken(error) => Some(&**error),
            _ => None,
        }
    }
}

impl Refusal for NotKept {
    fn status(&self) -> StatusCode {
        match self {
            Self::Unverified => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Broken(_) => StatusCode::BAD_REQUEST,
            Self::Inbox { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
