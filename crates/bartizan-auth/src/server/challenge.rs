use std::fmt;

use http::HeaderValue;

use crate::InvalidCredential;

/// The name of what is protected, which challenges tell (RFC 9110 section 11.5). `api` by default.
#[derive(Clone, PartialEq, Eq)]
pub struct Realm(Box<str>);

impl Realm {
    /// A text that browsers show to whom they ask for a password.
    ///
    /// # Errors
    /// If it is empty, or has other characters than visible ASCII and spaces: nothing says what these would mean there.
    pub fn new(text: &str) -> Result<Self, InvalidCredential> {
        if text.is_empty() || !text.chars().all(may_be_quoted) {
            return Err(InvalidCredential::new("a realm", "has visible ASCII and spaces, and at least one"));
        }
        Ok(Self(text.into()))
    }
}

impl Default for Realm {
    fn default() -> Self {
        Self("api".into())
    }
}

impl fmt::Debug for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Realm").field(&self.0).finish()
    }
}

/// What a request lacks: one challenge of `WWW-Authenticate` (RFC 9110 section 11.6.1).
///
/// What may not stand where it is put is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge(String);

impl Challenge {
    /// For a credential of this scheme, such as `Bearer`.
    pub fn new(scheme: &str, realm: &Realm) -> Self {
        let scheme: String = scheme.chars().filter(may_be_token).collect();
        let mut challenge = Self(scheme);
        challenge.push(" ", "realm", &realm.0);
        challenge
    }

    /// One more parameter, written in quotes. By default there is the realm alone.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.push(", ", name, value);
        self
    }

    fn push(&mut self, before: &str, name: &str, value: &str) {
        self.0.push_str(before);
        self.0.extend(name.chars().filter(may_be_token));
        self.0.push_str("=\"");
        for c in value.chars().filter(|c| may_be_quoted(*c)) {
            if matches!(c, '"' | '\\') {
                self.0.push('\\');
            }
            self.0.push(c);
        }
        self.0.push('"');
    }

    pub(super) fn value(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("visible ASCII and spaces may stand in a field")
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 9110 section 5.6.4, without what is beyond ASCII.
fn may_be_quoted(c: char) -> bool {
    matches!(c, ' '..='~')
}

/// Section 5.6.2.
fn may_be_token(c: &char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(*c)
}
