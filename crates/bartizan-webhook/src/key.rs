use std::error::Error;
use std::fmt;
use std::time::SystemTime;

use zeroize::Zeroizing;

/// A secret, or the key of a pair, as the sender's settings page shows it. How it is read is known by the
/// [`SignatureFormat`](crate::SignatureFormat) that it is used with.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use bartizan_webhook::Key;
///
/// let ends = SystemTime::UNIX_EPOCH + Duration::from_secs(1_798_761_600);
/// let former = Key::new("It's a Secret to Everybody").id("2026").not_after(ends);
/// assert_eq!(format!("{former:?}"), r#"Key { id: "2026", .. }"#);
/// ```
#[derive(Clone)]
pub struct Key {
    pub(crate) text: Zeroizing<String>,
    pub(crate) id: Option<String>,
    pub(crate) not_after: Option<SystemTime>,
}

impl Key {
    /// As it was handed out.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: Zeroizing::new(text.into()), id: None, not_after: None }
    }

    /// What it is called where it must not be shown. By default its place in the ring: `1`, `2`.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// After that date it neither verifies nor signs. By default it does so for ever.
    #[must_use]
    pub fn not_after(mut self, date: SystemTime) -> Self {
        self.not_after = Some(date);
        self
    }
}

impl<S: Into<String>> From<S> for Key {
    fn from(text: S) -> Self {
        Self::new(text)
    }
}

/// Without the secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Key");
        if let Some(id) = &self.id {
            shown.field("id", id);
        }
        shown.finish_non_exhaustive()
    }
}

/// A signature format, or a key of it, that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidFormat {
    format: String,
    /// What of it: `the key 1`, `the header field "x y"`.
    what: String,
    why: &'static str,
}

impl InvalidFormat {
    pub(crate) fn new(format: &str, what: impl Into<String>, why: &'static str) -> Self {
        Self { format: format.to_owned(), what: what.into(), why }
    }
}

impl fmt::Display for InvalidFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of the signature format {:?} {}", self.what, self.format, self.why)
    }
}

impl Error for InvalidFormat {}
