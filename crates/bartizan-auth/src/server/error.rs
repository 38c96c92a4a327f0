use std::error::Error;
use std::fmt;

use bartizan_core::{Refusal, Rejection};
use http::{HeaderValue, StatusCode};

use super::Denial;

/// A request was not let through: nobody is known to have sent it, or it is not for whoever did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    denial: Denial,
    challenges: Vec<HeaderValue>,
    rejection: Rejection,
}

impl Denied {
    pub(super) fn new(denial: Denial, challenges: Vec<HeaderValue>) -> Self {
        Self { denial, challenges, rejection: Rejection::new(None) }
    }

    /// Why.
    pub fn denial(&self) -> &Denial {
        &self.denial
    }

    /// What its answer has in `WWW-Authenticate`, each in a field of its own.
    pub fn challenges(&self) -> &[HeaderValue] {
        &self.challenges
    }
}

/// Fit for strangers: it says nothing of who is known, nor of the credential.
impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.denial.fmt(f)
    }
}

impl Error for Denied {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.rejection)
    }
}

impl Refusal for Denied {
    fn status(&self) -> StatusCode {
        match self.denial {
            Denial::Missing | Denial::Refused => StatusCode::UNAUTHORIZED,
            Denial::Malformed(_) => StatusCode::BAD_REQUEST,
            Denial::LacksScope(_) => StatusCode::FORBIDDEN,
        }
    }
}
