use std::error::Error;
use std::fmt;

use bartizan_core::{BoxError, Rejection};

use crate::SignError;

/// A request that was not sent, since it could not be signed.
#[derive(Debug)]
pub struct NotSigned(Why);

#[derive(Debug)]
enum Why {
    Refused(SignError, Rejection),
    TooLarge(usize, Rejection),
    Broken(BoxError),
}

impl NotSigned {
    pub(super) fn refused(error: SignError) -> Self {
        Self(Why::Refused(error, Rejection::new(None)))
    }

    pub(super) fn too_large(limit: usize) -> Self {
        Self(Why::TooLarge(limit, Rejection::new(None)))
    }

    pub(super) fn broken(error: impl Into<BoxError>) -> Self {
        Self(Why::Broken(error.into()))
    }

    /// What the table and the keys say, if it was them.
    pub fn sign_error(&self) -> Option<&SignError> {
        match &self.0 {
            Why::Refused(error, _) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for NotSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Why::Refused(error, _) => write!(f, "{error}: {}", error.fault()),
            Why::TooLarge(limit, _) => {
                write!(f, "the request cannot be signed: its body has more than {limit} bytes")
            }
            Why::Broken(_) => f.write_str("the request cannot be signed: its body broke off"),
        }
    }
}

impl Error for NotSigned {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Why::Refused(_, rejection) | Why::TooLarge(_, rejection) => Some(rejection),
            Why::Broken(error) => Some(&**error),
        }
    }
}
