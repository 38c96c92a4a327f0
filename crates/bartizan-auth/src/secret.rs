use std::fmt;

use http::HeaderValue;
use zeroize::Zeroizing;

/// A text that nobody should see: `Debug` shows `..`, and its memory is overwritten when it is dropped.
///
/// What was made of it lives on where it is needed: the header fields and URIs of requests are copies, and [`http`] does not overwrite
/// them.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<S: Into<String>> From<S> for Secret {
    fn from(text: S) -> Self {
        Self(Zeroizing::new(text.into()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// A value of `Authorization`, of visible ASCII.
pub(crate) fn authorization(scheme: &str, credential: &str) -> HeaderValue {
    let text = Zeroizing::new(format!("{scheme} {credential}"));
    let mut value = HeaderValue::from_str(&text).expect("visible ASCII may stand in a field");
    value.set_sensitive(true);
    value
}
