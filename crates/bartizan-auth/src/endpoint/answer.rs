//! What is read of an answer, leniently: servers differ in all that clients do not need.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{EndpointError, ErrorCode, Why};
use crate::{Secret, Token};

/// An answer that was read to its end.
pub(crate) struct Answer {
    pub(crate) origin: Box<str>,
    pub(crate) status: StatusCode,
    pub(crate) retry_in: Option<Duration>,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Answer {
    pub(crate) fn failed(&self, why: Why) -> EndpointError {
        EndpointError::new(&self.origin, why).answered(self.status, self.retry_in)
    }

    /// The object of a 2xx, or what OAuth's errors say (RFC 6749 section 5.2), whatever the status.
    pub(crate) fn fields(&self) -> Result<Fields, EndpointError> {
        if let Ok(fields) = serde_json::from_slice(&self.body).map(Fields)
            && let Some(code) = fields.text("error")
            && !(self.status.is_success() && fields.text("access_token").is_some())
        {
            let text = |name| fields.text(name).map(shown);
            let (description, uri) = (text("error_description"), text("error_uri"));
            return Err(self.failed(Why::Refused { code: ErrorCode::of(code), description, uri }));
        }
        self.object()
    }

    /// The object of a 2xx, whatever stands in it.
    pub(crate) fn object(&self) -> Result<Fields, EndpointError> {
        if !self.status.is_success() {
            return Err(self.failed(Why::Status));
        }
        let parsed = serde_json::from_slice(&self.body).map(Fields);
        parsed.map_err(|_| self.failed(Why::Unreadable("is no JSON object")))
    }
}

/// The members of an object.
pub(crate) struct Fields(pub(crate) Map<String, Value>);

impl Fields {
    /// A text that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A text that is kept from sight, and here no longer.
    pub(crate) fn take_secret(&mut self, name: &str) -> Option<Secret> {
        match self.0.get_mut(name)?.take() {
            Value::String(text) if !text.is_empty() => Some(Secret::from(text)),
            _ => None,
        }
    }

    /// Seconds, as a number or as a text of one; `None` for what says nothing, as zero, less and other texts do.
    pub(crate) fn seconds(&self, name: &str) -> Option<Duration> {
        let seconds = match self.0.get(name)? {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        // Too long for a duration is as good as for ever.
        (seconds > 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }

    /// A token, with the names that its parts have here.
    pub(crate) fn take_token(
        &mut self,
        access: &str,
        refresh: &str,
        lifetime: &str,
    ) -> Result<Token, &'static str> {
        let access = self.take_secret(access).ok_or("has no access token")?;
        let mut token = Token::new(access).map_err(|_| "has an access token that is none of Bearer")?;
        if let Some(refresh) = self.take_secret(refresh) {
            token = token.refresh_token(refresh);
        }
        if let Some(lifetime) = self.seconds(lifetime) {
            token = token.lifetime(lifetime);
        }
        Ok(token)
    }
}

/// What a stranger wrote, as it may stand in a log: one line, and no long one.
pub(crate) fn shown(text: &str) -> Box<str> {
    const LONGEST: usize = 200;
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST);
    shown.collect::<String>().into()
}
