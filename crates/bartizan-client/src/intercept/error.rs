use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use bartizan_core::Rejection;

/// An interceptor said no.
///
/// Any error will do for that; this one also tells other layers whether something was sent.
///
/// ```
/// use bartizan_client::intercept::Refused;
/// use bartizan_core::{Rejection, find_source};
///
/// let refused = Refused::request("no tenant is chosen", None);
/// assert_eq!(refused.to_string(), "an interceptor refused the request: no tenant is chosen");
/// assert!(find_source::<Rejection>(&refused).is_some());
/// ```
#[derive(Clone, Debug)]
pub struct Refused {
    reason: Cow<'static, str>,
    rejection: Option<Rejection>,
}

impl Refused {
    /// For request interceptors: nothing was sent, and the error has a [`Rejection`] among its sources.
    ///
    /// `retry_in` is when to try again; with `None` retry does not.
    pub fn request(reason: impl Into<Cow<'static, str>>, retry_in: Option<Duration>) -> Self {
        Self { reason: reason.into(), rejection: Some(Rejection::new(retry_in)) }
    }

    /// For response interceptors: the request was sent and answered, so this is no local refusal.
    pub fn response(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), rejection: None }
    }

    /// The reason that was given.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether it was a response that was refused, so that the request had been sent.
    pub fn was_sent(&self) -> bool {
        self.rejection.is_none()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.was_sent() { "response" } else { "request" };
        write!(f, "an interceptor refused the {what}: {}", self.reason)
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.rejection.as_ref().map(|rejection| rejection as _)
    }
}
